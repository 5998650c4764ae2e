"""Tables in an answer, as every Slack client shows them."""

import pytest

from bot.blocks.parts import parts
from bot.blocks.tables import with_tables_told


def test_a_small_table_becomes_aligned_lines_of_code() -> None:
    table = "Keys:\n\n| Key | Use |\n|---|---|\n| **F1** | Help |\n| `Esc` | Leave the menu |\n\nThat's all."
    assert with_tables_told(table) == (
        "Keys:\n\n```\nKey  Use\n───  ──────────────\nF1   Help\nEsc  Leave the menu\n```\n\nThat's all."
    )


def test_a_wide_table_of_two_columns_is_told_row_by_row() -> None:
    long = "Restart the device, and ask the IT desk if it happens again within a day"
    assert with_tables_told(f"| Code | What to do |\n|---|---|\n| **E1** | {long} |\n| E2 | {long} `now` |\n") == (
        f"_Code: What to do_\n\n- **E1**: {long}\n- **E2**: {long} `now`\n"
    )


def test_a_wide_table_of_more_columns_names_the_column_of_each_value() -> None:
    url = "https://kb.example/limits"
    table = f"| Plan | Space | See |\n|:--|--:|---|\n| Basic | 5 GB | [limits]({url}) |\n| Plus | | none |\n"
    assert with_tables_told(table) == (
        f"- **Basic**\n  - Space: 5 GB\n  - See: [limits]({url})\n- **Plus**\n  - See: none\n"
    )


def test_a_table_within_a_step_stays_within_it() -> None:
    text = "1. Choose one:\n\n   | a | b |\n   |---|---|\n   | 1 | 2 |\n\n2. Go on.\n"
    assert with_tables_told(text) == "1. Choose one:\n\n   ```\n   a  b\n   ─  ─\n   1  2\n   ```\n\n2. Go on.\n"


def test_a_row_without_a_first_cell_begins_with_its_first_value() -> None:
    told = with_tables_told(f"| a | b | c |\n|---|---|---|\n|  | {'x' * 60} | y |\n")
    assert told == f"- **{'x' * 60}**\n  - c: y\n"


@pytest.mark.parametrize(
    "text",
    ["no | table", "```\n| a | b |\n|---|---|\n| 1 | 2 |\n```", "| a |\n", "", "a\n|\n---\n", "`| a |`\n\n> | quoted"],
)
def test_what_is_no_table_stays(text: str) -> None:
    assert with_tables_told(text) == text


def test_an_empty_table_goes() -> None:
    assert with_tables_told("Before\n\n| | |\n|---|---|\n").strip() == "Before"


def test_long_steps_are_parted_between_steps() -> None:
    steps = "".join(f"{number}. Step\n\n   {'word ' * 20}\n\n" for number in range(1, 30))
    parted = parts(steps, 1_000)
    assert all(len(part) <= 1_000 and part[part.index(".") :].startswith(". Step") for part in parted)
    assert "".join(parted).replace("\n", "") == steps.replace("\n", "")


def test_code_longer_than_a_message_is_closed_and_opened_again() -> None:
    code = "```sh\n" + "echo a line\n" * 300 + "```\n"
    for part in parts(code, 1_000):
        assert len(part) <= 1_000
        assert part.startswith("```")
        assert part.rstrip().endswith("```")
