"""The table in docs/requests.md says what the register says."""

from pathlib import Path

from deskmate.request_table import table

PAGE = Path(__file__).parents[2] / "docs" / "requests.md"
BEGIN, END = "<!-- begin: deskmate requests list --markdown -->\n", "<!-- end: deskmate requests list --markdown -->"


def test_the_table_of_requests_is_that_of_the_register() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page[page.index(BEGIN) + len(BEGIN) : page.index(END)] == table()
