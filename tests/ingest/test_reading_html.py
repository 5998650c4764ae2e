"""Pages of HTML as articles."""

import pytest

from ingest.article import Article
from ingest.errors import AccessUnclear, IngestError
from ingest.file import parse

PAGE = """<!doctype html>
<html><head>
<title>Reset your password - Example Help</title>
<meta name="description" content="How to reset it">
<link rel="canonical" href="https://help.example/account/reset">
<style>p { color: red }</style><script>track()</script>
</head><body>
<header>Example Help</header><nav><a href="/">Home</a></nav>
<main>
<h1>Reset your password</h1>
<p>You need your <b>phone</b>. See <a href="mfa.html">the app</a> or <a href="#top">the top</a>.</p>
<ol><li>Open the page.</li><li>Choose <code>Reset_me</code>:<ul><li>now</li><li>later</li></ul></li></ol>
<pre><code class="language-bash">passwd
exit</code></pre>
<table><tr><th>Key</th><th>Use</th></tr><tr><td>F1</td><td>Help</td></tr></table>
<p style="display: none">hidden words</p><p hidden>more hidden words</p>
<script>alert("no")</script>
</main>
<footer>Imprint</footer>
</body></html>"""


def read(text: str | bytes, name: str = "account/reset.html") -> Article:
    return parse(text if isinstance(text, bytes) else text.encode(), name=name)


def test_a_page_is_its_main_part_with_lists_tables_and_code() -> None:
    article = read(PAGE)

    assert (article.title, article.description) == ("Reset your password", "How to reset it")
    assert article.url == "https://help.example/account/reset"
    assert article.markdown == (
        "# Reset your password\n\n"
        "You need your **phone**. See [the app](https://help.example/account/mfa.html) or the top.\n\n"
        "1. Open the page.\n2. Choose `Reset_me`:\n   - now\n   - later\n\n"
        "```bash\npasswd\nexit\n```\n\n"
        "| Key | Use |\n| --- | --- |\n| F1 | Help |\n"
    )


def test_without_a_known_address_relative_links_become_their_text() -> None:
    assert read('<body><p>See <a href="b.html">that</a> or <a href="https://c.example/">c</a>.</p>').markdown == (
        "See that or [c](https://c.example/).\n"
    )


def test_a_page_without_title_is_called_after_its_heading_or_its_file() -> None:
    assert read("<h1>Two <i>words</i></h1><p>text</p>").title == "Two words"
    assert read("<p>text</p>").title == "reset"


def test_front_matter_above_a_page_counts() -> None:
    article = read("---\nid: pw\naccess: [hr]\n---\n<h1>Reset</h1>")

    assert (article.article_id, article.access) == ("pw", ("hr",))


def test_a_meta_element_restricts_access_too() -> None:
    assert read('<meta name="Access" content="hr, finance"><p>text</p>').access == ("finance", "hr")


@pytest.mark.parametrize("meta", ["", "hr,,finance", " ", 'x"><meta name="access" content="y'])
def test_a_malformed_meta_element_of_access_fails_closed(meta: str) -> None:
    with pytest.raises(AccessUnclear):
        read(f'<meta name="access" content="{meta}"><p>text</p>')


def test_a_declared_encoding_is_used_when_the_page_is_not_utf_8() -> None:
    page = '<meta charset="iso-8859-2"><p>Łódź</p>'

    assert read(page.encode("iso-8859-2")).markdown == "Łódź\n"


@pytest.mark.parametrize("page", ["", "<body></body>", "<nav>Home</nav>", "<script>only()</script>"])
def test_a_page_without_text_fails(page: str) -> None:
    with pytest.raises(IngestError, match="no text"):
        read(page)


def test_a_page_nested_without_end_is_refused() -> None:
    with pytest.raises(IngestError, match=r"nested|no text"):
        read("<div>" * 20_000 + "text")


def test_character_references_to_what_no_database_keeps_are_harmless() -> None:
    markdown = read("<p>a&#0;b&#xD800;c</p>").markdown

    assert "\0" not in markdown
    markdown.encode()


def test_callouts_pictures_definitions_and_ids_of_headings_survive() -> None:
    page = (
        '<link rel="canonical" href="https://help.example/vpn/setup.html"><main><h2 id="mac">On a Mac</h2>'
        '<p>Tap <img alt="gear" src="g.png"> now.</p><p><img alt="Where the light is" src="img/l.png"></p>'
        '<aside class="note"><p>Keep the badge.</p></aside><aside>Related things</aside>'
        '<div class="alert alert-warning"><strong>Warning:</strong> Hot.</div>'
        "<dl><dt>Dock</dt><dd>The box</dd></dl></main>"
    )

    assert read(page).markdown == (
        "## On a Mac {#mac}\n\nTap gear now.\n\n[🖼 Where the light is](https://help.example/vpn/img/l.png)\n\n"
        "> **Note:**\n>\n> Keep the badge.\n\n> **Warning:** Hot.\n\n- **Dock**: The box\n"
    )
