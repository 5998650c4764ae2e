"""What an employee reads: small articles as specifications of the text that is shown of them."""

from collections.abc import Callable

import pytest

from knowledge.articles import Document
from knowledge.chunking import chunks_of
from knowledge.composing import Composed, Piece, answering, compose
from knowledge.embedder import Embedder
from knowledge.showing import open_fence, shown

MakeArticle = Callable[..., Document]
Answered = Callable[[str, str], Composed]


@pytest.fixture
def pieces(article: MakeArticle, embedder: Embedder) -> Callable[[str], list[Piece]]:
    def made(markdown: str) -> list[Piece]:
        chunks = chunks_of(article("a", "The article", markdown), embedder)
        return [Piece(n, n, each.section, each.headings, each.steps, each.text) for n, each in enumerate(chunks)]

    return made


@pytest.fixture
def answer(pieces: Callable[[str], list[Piece]]) -> Answered:
    """What is shown when the passage that holds some words is the best."""

    def made(markdown: str, words: str) -> Composed:
        all_pieces = pieces(markdown)
        best = next(piece.passage for piece in all_pieces if words in piece.text)
        return compose(answering(all_pieces, best))

    return made


def test_a_procedure_is_shown_whole_with_its_notes_code_and_pictures(answer: Answered) -> None:
    article = """## Install

Applies to: Windows 11

1. Open **Settings**.

   > [!NOTE]
   > You need the badge.

1. Run:

   ```sh
   setup --now
   ```

![Where the light turns green](light.png)

1. Wait.
   - It takes a minute.
     - Or two.

[Other article](https://kb.example.com/other)
"""
    assert answer(article, "Wait").text == (
        "1. Open **Settings**.\n\n   > **Note:** You need the badge.\n"
        "2. Run:\n\n   ```sh\n   setup --now\n   ```\n\n"
        "   [🖼 Where the light turns green](https://kb.example.com/light.png)\n"
        "3. Wait.\n   - It takes a minute.\n     - Or two."
    )


@pytest.mark.parametrize(
    ("passage", "text"),
    [
        ("In this article\n\n- One\n- Two\n\nThe answer.", "The answer."),
        ("In this article, you learn it.", "In this article, you learn it."),
        ("**Applies to:** Word 2019\n\n*Original KB number:* 123\n\nThe answer.", "The answer."),
        ("[Elsewhere](https://kb.example/x)\n\nThe answer.", "The answer."),
        ("Get it here:\n\n[Elsewhere](https://kb.example/x)", "Get it here:\n\n[Elsewhere](https://kb.example/x)"),
        ("Third-party information disclaimer\n\nThe answer.", "The answer."),
        ("```\nApplies to: x\n\nContents\n```", "```\nApplies to: x\n\nContents\n```"),
        (f"{'word' * 13}\nmore\n- item", f"{'word' * 13} more\n- item"),
        ("Ann\nRoom 5", "Ann\nRoom 5"),
        ("> **Tip:**\n> Wait.", "> **Tip:** Wait."),
        ("> **Tip:**\n> - Wait.", "> **Tip:**\n> - Wait."),
    ],
)
def test_what_only_serves_a_page_is_left_out(passage: str, text: str) -> None:
    assert shown(passage) == text


def test_an_answer_never_becomes_empty(answer: Answered) -> None:
    assert (
        answer("[All there is](https://kb.example.com/x)\n", "All").text == "[All there is](https://kb.example.com/x)"
    )


def test_steps_beyond_a_screen_are_counted_and_none_is_torn(answer: Answered) -> None:
    article = "## Install\n\n" + "".join(f"1. Step {n}: {'word ' * 40}\n   - {'below ' * 20}\n" for n in range(1, 30))
    composed = answer(article, "Step 1:")
    steps = composed.text.split("\n\n_")[0].split("\n")
    assert composed.more
    assert len(composed.text) < 2_700
    assert steps[-1].strip().startswith("- below")
    assert composed.text.endswith(f"_{29 - len(steps) // 2} more steps follow._")


def test_a_step_longer_than_a_screen_stays_whole(answer: Answered) -> None:
    article = "1. Choose:\n" + "".join(f"   - Option {n}: {'word ' * 10}\n" for n in range(50)) + "1. Go on.\n"
    composed = answer(article, "Choose")
    assert "Option 49" in composed.text
    assert composed.text.endswith("_1 more step follows._")


def test_of_long_code_the_beginning_is_shown_with_a_word_about_the_rest(answer: Answered) -> None:
    composed = answer("## Script\n\n```sh\n" + "".join(f"echo line {n}\n" for n in range(400)) + "```\n", "echo")
    code, words = composed.text.rsplit("\n\n", 1)
    last = int(code.split("\n")[-2].removeprefix("echo line "))
    assert code.endswith("\n```")
    assert words == f"_{399 - last} more lines of code are in the article._"


def test_of_a_long_table_whole_rows_are_shown(answer: Answered) -> None:
    rows = "".join(f"| code {n} | {'what it means ' * 3}|\n" for n in range(100))
    composed = answer(f"| Code | Meaning |\n|---|---|\n{rows}", "code 7")
    table, words = composed.text.rsplit("\n\n", 1)
    assert all(line.endswith("|") for line in table.split("\n"))
    assert words.endswith("more rows of the table are in the article._")


def test_in_a_long_section_without_steps_the_answer_begins_with_the_passage_that_answers(answer: Answered) -> None:
    prose = "\n\n".join(f"Paragraph {n}. {'Plain words. ' * 50}" for n in range(6))
    composed = answer(f"## About\n\n{prose}\n", "Paragraph 3.")
    assert composed.text.startswith("Paragraph 3.")


def test_of_two_procedures_in_a_section_the_one_that_answers_is_shown_from_its_first_step(
    answer: Answered,
) -> None:
    def procedure(name: str) -> str:
        return f"To {name}:\n\n" + "".join(f"1. {name} {n}: {'word ' * 40}\n" for n in range(1, 16)) + "\n"

    composed = answer("## Disks\n\n" + procedure("mount") + procedure("format"), "format 15:")
    assert "1. format 1:" in composed.text
    assert "mount 1:" not in composed.text


def test_symptoms_lead_to_the_resolution(answer: Answered) -> None:
    article = "## Symptoms\n\nThe screen stays black.\n\n## Resolution\n\n1. Press the button.\n1. Wait.\n"
    assert answer(article, "black").text == "1. Press the button.\n2. Wait."


def test_methods_that_are_announced_are_shown_with_their_names(answer: Answered) -> None:
    article = (
        "## Symptoms\n\nBlack.\n\n## Resolution\n\nUse one of these:\n\n### Method 1\n\nWait.\n\n### Method 2\n\nGo.\n"
    )
    shown_text = "Use one of these:\n\n**Method 1**\n\nWait.\n\n**Method 2**\n\nGo."
    assert answer(article, "Black").text == shown_text


def test_after_the_opening_words_of_an_article_comes_its_resolution(answer: Answered) -> None:
    article = "# Black screen\n\nThis is about screens.\n\n## Cause\n\nA bug.\n\n## Resolution\n\nPress the button.\n"
    assert answer(article, "about").text == "This is about screens.\n\n**Resolution**\n\nPress the button."


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("```\na", "```"),
        ("```\na\n```", ""),
        ("1. ```sh\n   a", "   ```"),
        ("````\n```\n", "````"),
        ("~~~\n```\n~~~", ""),
    ],
)
def test_an_open_fence_is_noticed(text: str, fence: str) -> None:
    assert open_fence(text) == fence
