import re
from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.articles import Document
from knowledge.blocks import blocks_of
from knowledge.chunking import chunks_of
from knowledge.cleaning import clean
from knowledge.embedder import Embedder

MakeArticle = Callable[..., Document]
WORDS = ["press", "open", "choose", "wait", "restart", "printer", "laptop", "menu", "account", "network", "password"]


def test_a_passage_is_embedded_under_its_title_and_headings(article: MakeArticle, embedder: Embedder) -> None:
    text = "# VPN\n\nIntro.\n\n## Windows\n\n### Install\n\nGet the client.\n"
    chunks = chunks_of(article("vpn", "VPN", text), embedder)
    assert [(chunk.headings, chunk.windows[0]) for chunk in chunks] == [
        ((), "VPN\nIntro."),
        (("Windows", "Install"), "VPN > Windows > Install\nGet the client."),
    ]


def test_steps_that_are_all_numbered_one_get_their_true_numbers() -> None:
    blocks = blocks_of("1. Open\n1. Choose\n\n   ```\n   code\n   ```\n1. Close\n", "")
    assert [block.text for block in blocks] == ["1. Open", "2. Choose\n\n   ```\n   code\n   ```", "3. Close"]


def test_a_list_interrupted_by_a_picture_goes_on_with_its_number() -> None:
    blocks = blocks_of(clean("1. Open\n\n![x](a.png)\n\n2. Choose\n"), "")
    assert [block.text for block in blocks] == ["1. Open", "2. Choose"]


def test_what_only_the_old_home_understood_is_gone() -> None:
    text = (
        "> [!NOTE]\n> Keep this.\n\n[!INCLUDE [help](../includes/help.md)]\n\n{% include x.html %}"
        "Hello {{ site.name }}!\n"
        "<!-- secret\n plan -->\n![shot](media/a.png) ![far](https://x.example/a.png) [rel](b.md) <b>bold</b>\u200b\n"
        ':::image type="content" source="m.png":::\n```yaml\nkey: ${{ kept }} <!-- kept -->\n```\n'
        "Use `<b>` and <name>.\n"
    )
    cleaned = clean(text)
    assert "> **Note:** Keep this." in cleaned
    assert "[🖼 far](https://x.example/a.png) rel bold\n" in cleaned
    assert "key: ${{ kept }} <!-- kept -->" in cleaned
    assert "Use `<b>` and <name>." in cleaned
    for gone in ("INCLUDE", "{%", "site.name", "secret", "media/a.png", ":::", "\u200b"):
        assert gone not in cleaned


def test_a_relative_link_is_made_absolute_when_the_article_has_an_address() -> None:
    assert "[rel](https://kb.example.com/b.md)" in clean("[rel](b.md)", "https://kb.example.com/a.md")


def test_a_table_larger_than_the_model_reads_stays_whole_and_is_embedded_in_windows(
    article: MakeArticle, embedder: Embedder
) -> None:
    rows = "\n".join(f"| code {number} | the printer says error {number} and stops |" for number in range(120))
    chunks = chunks_of(article("t", "Codes", f"| code | meaning |\n|---|---|\n{rows}\n"), embedder)
    assert len(chunks) == 1
    assert "code 119" in chunks[0].text
    assert len(chunks[0].windows) > 1


@st.composite
def procedures(draw: st.DrawFn) -> tuple[str, int]:
    count = draw(st.integers(1, 30))
    steps = []
    for number in range(1, count + 1):
        words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=60))
        code = draw(st.booleans())
        steps.append(
            f"{number}. step{number}x {' '.join(words)}" + ("\n\n    ```\n    run it\n    ```" if code else "")
        )
    return "# Title\n\nBefore you start:\n\n" + "\n".join(steps) + "\n\nThe end.\n", count


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(procedures())
def test_no_step_is_cut_lost_or_renumbered_and_no_window_is_too_long(
    article: MakeArticle, embedder: Embedder, procedure: tuple[str, int]
) -> None:
    markdown, count = procedure
    chunks = chunks_of(article("p", "Title", markdown), embedder)
    whole = "\n".join(chunk.text for chunk in chunks)
    assert re.findall(r"^(\d+)\. step(\d+)x", whole, re.MULTILINE) == [(str(n), str(n)) for n in range(1, count + 1)]
    assert sum(chunk.steps for chunk in chunks) == count
    assert all(chunk.text.count("```") % 2 == 0 for chunk in chunks)
    assert all(len(embedder.tokenizer.encode(window).ids) <= 256 for chunk in chunks for window in chunk.windows)


def test_pictures_are_shown_and_change_nothing_that_is_embedded(article: MakeArticle, embedder: Embedder) -> None:
    pictures = ("\n   ![Now it is on](a.png)\n", "\n![That](b.png)\n")
    text = "## Install\n\n1. Open.\n{}\n1. Choose.\n\n## Look\n{}"
    bare = chunks_of(article("vpn", "VPN", text.format("", "\n")), embedder)
    shown = chunks_of(article("vpn", "VPN", text.format(*pictures)), embedder)
    assert "[🖼 Now it is on](https://kb.example.com/a.png)" in shown[0].text
    assert [chunk.windows for chunk in shown] == [chunk.windows for chunk in bare]


def test_the_id_of_a_heading_is_no_part_of_its_name() -> None:
    assert blocks_of("## On a `Mac` {#mac}\n\nText\n", "")[0].headings == ("On a Mac",)
