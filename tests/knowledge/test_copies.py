"""Of two copies of an article the newer is cited, and none is hidden by what the asker may not see."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from knowledge.articles import Document
from knowledge.library import Library

QUESTION = "How do I get a new password with a code by mail?"
PAGE = """Open the portal, choose your account and press Reset. A code arrives by mail within a minute. Enter it,
choose a new password of at least fourteen characters, and sign in again on every device that you use. The old password
ends at once: phones, tablets and mapped drives ask for the new one at their next use.
"""
OTHER = "The printer on the second floor is out of toner; the cartridge lies in the cupboard beside it.\n"
Make = Callable[..., Document]


@pytest.fixture
def page(article: Make) -> Make:
    def make(article_id: str, *, year: int | None = None, access: tuple[str, ...] = (), title: str = "") -> Document:
        made = article(article_id, title or "Get a new password", PAGE, access=access)
        return replace(made, updated_at=datetime(year, 5, 1, tzinfo=UTC) if year else None)

    return make


def cited(library: Library, *groups: str) -> list[str]:
    return [citation.article_id for citation in library.answer(QUESTION, groups=frozenset(groups)).citations]


@pytest.mark.parametrize("years", [(2019, 2024), (2024, 2019), (None, 2024), (2024, None)])
def test_of_two_copies_the_newer_one_is_cited_and_shown(
    library: Library, page: Make, article: Make, years: tuple[Any, Any]
) -> None:
    old, new = sorted(zip(years, ("first", "second"), strict=True), key=lambda pair: pair[0] or 0)
    library.add([page("first", year=years[0]), page("second", year=years[1]), article("other", "Toner", OTHER)])
    answer = library.answer(QUESTION)
    assert [citation.article_id for citation in answer.citations] == [new[1]]
    assert "press Reset" in answer.text
    assert answer.confident
    assert answer.trace is not None
    (stage,) = [stage for stage in answer.trace.stages if stage.name == "duplicates"]
    assert stage.details == {"copies": [old[1]]}
    assert answer.passage_ids
    library.full_steps(new[1], answer.passage_ids[0], frozenset())


def test_a_copy_that_the_asker_may_not_see_hides_none_that_he_may(library: Library, page: Make) -> None:
    library.add([page("open", year=2019), page("closed", year=2024, access=("managers",))])
    assert cited(library) == ["open"]
    assert cited(library, "managers") == ["closed"]


def test_a_copy_that_is_restricted_from_now_on_stands_aside_at_once(library: Library, page: Make) -> None:
    library.add([page("old", year=2019), page("new", year=2024)])
    assert cited(library) == ["new"]
    library.add([page("old", year=2019), replace(page("new", year=2024, access=("managers",)), content_hash="2")])
    assert cited(library) == ["old"]


def test_twins_for_two_products_stay_two(library: Library, article: Make) -> None:
    twin = "1. Open *Settings* and choose *Accounts*.\n2. Choose *Add account* and type your address.\n"
    library.add([article(name, f"Add your mail account on {name}", twin) for name in ("Windows", "macOS")])
    answer = library.answer("How do I add my mail account?")
    assert {citation.article_id for citation in answer.citations} == {"macOS", "Windows"}


def test_an_article_without_a_copy_leaves_no_trace_of_one(library: Library, page: Make, article: Make) -> None:
    library.add([page("only", year=2024), article("other", "Toner", OTHER)])
    trace = library.answer(QUESTION).trace
    assert trace is not None
    assert "duplicates" not in [stage.name for stage in trace.stages]


def test_the_ranking_for_evaluation_keeps_both(library: Library, page: Make) -> None:
    library.add([page("old", year=2019), page("new", year=2024)])
    assert {ranked.article_id for ranked in library.rank(QUESTION)} == {"old", "new"}
