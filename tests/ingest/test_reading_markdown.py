"""Markdown files as articles: encodings, front matter, permissions, and what publishing systems add."""

import codecs
from contextlib import suppress
from datetime import UTC, datetime
from time import perf_counter

import pytest

from ingest.article import Article
from ingest.cleaning import clean
from ingest.errors import AccessUnclear, IngestError
from ingest.file import parse


def read(text: str | bytes, name: str = "vpn/reset-password.md") -> Article:
    return parse(text if isinstance(text, bytes) else text.encode(), name=name)


def test_front_matter_says_who_when_and_for_whom() -> None:
    article = read(
        "---\nid: vpn-1\ntitle: Connect to the VPN\naccess: [hr, finance]\nowner: network team\n"
        "url: https://intranet.example/vpn\ndescription: How to connect\nms.date: 06/30/2024\naudience: ITPro\n---\n\n"
        "# VPN\n\nOpen the client.\n"
    )

    assert article == Article(
        article_id="vpn-1",
        title="Connect to the VPN",
        markdown="# VPN\n\nOpen the client.\n",
        url="https://intranet.example/vpn",
        access=("finance", "hr"),
        owner="network team",
        description="How to connect",
        updated_at=datetime(2024, 6, 30, tzinfo=UTC),
    )


def test_an_audience_is_a_label_and_restricts_nobody() -> None:
    assert read("---\naudience: ITPro\nauthor: helen\n---\nText").access == ()
    assert read("---\nauthor: helen\n---\nText").owner == "helen"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: Mine\n---\n# Other\n\ntext", "Mine"),
        ("---\ntitle: Send errors | Microsoft Docs\n---\ntext", "Send errors"),
        ("---\ntitle: 1.10\n---\ntext", "1.10"),
        ("---\ntitle:\n---\n# **Reset** the `vpn` \\(MoJ\\) #\n\ntext", "Reset the vpn (MoJ)"),
        ("```\n# a comment\n```\n\n# The heading", "The heading"),
        ("The heading\n===========\n\ntext", "The heading"),
        ("only text", "reset-password"),
    ],
)
def test_the_title_is_that_of_the_front_matter_else_the_first_heading_else_the_name_of_the_file(
    text: str, title: str
) -> None:
    assert read(text).title == title


def test_an_id_is_kept_as_it_is_written() -> None:
    assert read("---\nid: 007\n---\ntext").article_id == "007"
    assert read("---\nid: null\n---\ntext").article_id is None


@pytest.mark.parametrize(
    "access",
    [
        "hr",
        '"hr"',
        "",
        "null",
        "[]",
        "[hr, '']",
        "['  ']",
        "[hr, [finance]]",
        "[hr, {a: b}]",
        "{hr: yes}",
        "[on]",
        "[1234]",
        "[null]",
        "*groups",
        "yes",
    ],
)
def test_access_that_is_no_list_of_names_fails_closed(access: str) -> None:
    with pytest.raises(AccessUnclear, match="access"):
        read(f"---\ntitle: &groups Salaries\naccess: {access}\n---\ntext")


@pytest.mark.parametrize(
    "text",
    [
        "---\nAccess: [hr]\n---\ntext",
        "---\nACCESS : [hr]\n---\ntext",
        "---\naccess: [hr]\naccess: [all]\n---\ntext",
        "---\naccess: [hr\n---\ntext",
        "---\ntitle: a: b\naccess: [hr]\n---\ntext",
        "---\naccess:[hr]\n---\ntext",
        "---\naccess: [hr]\n\ntext without an end of the front matter",
        "---\n<<: {access: [hr]}\n---\ntext",
        "+++\naccess = ['hr']\n+++\ntext",
    ],
)
def test_a_file_that_seems_to_restrict_access_and_can_not_be_read_fails_closed(text: str) -> None:
    with pytest.raises(AccessUnclear):
        read(text)


def test_front_matter_counts_below_blank_lines_and_a_comment() -> None:
    assert read("\n\n<!-- Copyright -->\n---\naccess: [hr]\n---\ntext").access == ("hr",)


@pytest.mark.parametrize("text", ["---\n\nA rule, then text.", "---\n---\ntext", "---\n# nothing\n---\ntext"])
def test_a_rule_at_the_top_is_no_front_matter(text: str) -> None:
    assert "text" in read(text).markdown


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: [a\n---\ntext", "broken front matter"),
        ("---\ntitle: a: b\n---\ntext", "in line 2"),
        ("---\n- a\n- b\n---\ntext", "key: value"),
        ("---\nid: [a]\n---\ntext", "`id`"),
        ('---\nid: "a\\nb"\n---\ntext', "`id`"),
        ("---\nid: ''\n---\ntext", "`id`"),
        ('---\ntitle: "\\ud800"\n---\ntext', "half of a character|broken front matter"),
        (f"---\na: {'[' * 60}{']' * 60}\n---\ntext", "deep"),
        ("---\ntitle: x\n---\n<!-- nothing -->\n", "no text"),
        ("", "no text"),
        (b"text \x00 more", "NUL"),
        (codecs.BOM_UTF16_LE + "a\0b".encode("utf-16-le"), "NUL"),
        (codecs.BOM_UTF16_LE + b"a\x00b", "UTF-16"),
        ("Grüße ".encode() + b"\xff\xff", "UTF-8"),
        (b"\x89PNG\x1a\x05\xff\xfe", "UTF-8"),
    ],
)
def test_what_can_not_be_read_fails_with_one_clear_line(text: str | bytes, reason: str) -> None:
    with pytest.raises(IngestError, match=reason) as failure:
        read(text)

    assert not isinstance(failure.value, AccessUnclear)
    assert "\n" not in str(failure.value)


def test_hostile_yaml_is_refused_in_an_instant() -> None:
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)
    )
    started = perf_counter()

    assert read(f"---\n{bomb}title: Fine\n---\ntext").title == "Fine"
    with pytest.raises(IngestError, match="deep"):
        read(f"---\n{'- ' * 50_000}a\n---\ntext")

    assert perf_counter() - started < 5


@pytest.mark.parametrize(
    "raw",
    [
        "Grüße aus Łódź".encode(),
        "Grüße aus Łódź".encode("utf-8-sig"),
        codecs.BOM_UTF16_LE + "Grüße aus Łódź".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "Grüße aus Łódź".encode("utf-16-be"),
        codecs.BOM_UTF32_LE + "Grüße aus Łódź".encode("utf-32-le"),
    ],
)
def test_byte_order_marks_decide_the_encoding(raw: bytes) -> None:
    assert read(raw).markdown == "Grüße aus Łódź\n"


def test_text_in_latin_1_or_windows_1252_is_read_as_such() -> None:
    assert read("Gr\u00fc\u00dfe".encode("latin-1")).markdown == "Grüße\n"
    assert read("Choose “Reset” – then wait".encode("windows-1252")).markdown == "Choose “Reset” – then wait\n"


def test_a_mark_before_front_matter_does_not_hide_its_access() -> None:
    assert read(codecs.BOM_UTF8 + b"---\r\naccess: [hr]\r\n---\r\ntext").access == ("hr",)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("> [!NOTE]\n> Save first.", "> **Note:**\n> Save first."),
        ('> [!div class="checklist"]\n> * One', "> * One"),
        ("Before [!INCLUDE [what](../includes/what.md)] after", "Before  after"),
        (':::image type="content" source="media/a.png" alt-text="A picture":::\n\nText', "Text"),
        ("1. ![Screenshot of it](media/a.png)\n   Text", "1.\n   Text"),
        ("Tap ![gear](media/gear.png) now", "Tap gear now"),
        ('See [the guide]({% page "/vpn/" %}).', "See the guide."),
        ('Ask in {% slack_channel "it-help" %}.', "Ask in #it-help."),
        ("[here](../other.md) and [there](https://a.example/b)", "here and [there](https://a.example/b)"),
        ('[a][r] and [r]\n\n[r]: https://a.example/b "title"', "[a](https://a.example/b) and [r]"),
        ("[x](javascript:alert(1))", "x"),
        ("Press <kbd>Ctrl</kbd>&nbsp;and <b>wait</b>", "Press **Ctrl** and **wait**"),
        ("|a|b|\n|--|--|\n|x<ul><li>1</li><li>2</li></ul>|y<br/>z|", "|a|b|\n|--|--|\n|x • 1 • 2|y z|"),
        ("Type <username> at `<b>` and `{% raw %}`", "Type <username> at `<b>` and `{% raw %}`"),
        ("Text <!-- not this --> stays", "Text  stays"),
        ("<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
        ("<details>\n<summary>More</summary>\n\nText\n</details>", "**More**\n\nText"),
        ("key={{deviceID}}", "key={{deviceID}}"),
    ],
)
def test_what_publishing_systems_add_becomes_plain_markdown(before: str, after: str) -> None:
    assert clean(before).strip() == after


def test_code_is_left_exactly_as_it_is() -> None:
    code = "1. Run\n\n   ```html\n   <b>x</b> <!-- c --> [a](b.md) &nbsp; {% raw %}\n   ```\n\n2. Done\n"

    assert clean(code) == code


def test_an_html_table_becomes_a_table() -> None:
    table = "<table><tr><th>Key</th><th>Use</th></tr><tr><td>F1</td><td>Help</td></tr></table>"

    assert clean(f"Keys:\n\n{table}\n") == "Keys:\n\n| Key | Use |\n| --- | --- |\n| F1 | Help |\n"


@pytest.mark.parametrize(
    "piece", ["<!--", "[", "![", "[a](", "`", "{%", "<table>", "<ul><li>", ":::", "> ", "[!INCLUDE", "<a ", "\n\n", "*"]
)
def test_hostile_text_is_cleaned_in_an_instant(piece: str) -> None:
    started = perf_counter()

    with suppress(IngestError):
        clean(piece * 20_000)

    assert perf_counter() - started < 10


@pytest.mark.parametrize(
    "line",
    [
        "date: 2024-06-30",
        "last_updated: 06/30/2024",
        "lastmod: 30 June 2024",
        "updated: June 30, 2024\ndate: 2020-01-01",
    ],
)
def test_publishers_name_and_write_the_day_of_the_last_change_in_their_ways(line: str) -> None:
    changed = read(f"---\n{line}\n---\ntext").updated_at

    assert changed is not None
    assert changed.date().isoformat() == "2024-06-30"
