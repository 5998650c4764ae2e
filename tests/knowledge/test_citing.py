"""Citations: the heading's place on the page, and the age of the article."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from knowledge.articles import Document
from knowledge.citing import anchor_of, slug
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Database

MakeArticle = Callable[..., Document]
PAGE = """# VPN

## On Windows

### Install

## On a Mac {#mac}

### Install

```sh
## Install
```

## Trouble & *errors*: what's next?

## 한국어 안내
"""


@pytest.mark.parametrize(
    ("headings", "anchor"),
    [
        (["On Windows"], "on-windows"),
        (["On Windows", "Install"], "install"),
        (["On a Mac"], "mac"),
        (["On a Mac", "Install"], "install-1"),
        (["Trouble & errors: what's next?"], "trouble--errors-whats-next"),
        (["한국어 안내"], "%ED%95%9C%EA%B5%AD%EC%96%B4-%EC%95%88%EB%82%B4"),
        (["Not in the article"], "not-in-the-article"),
    ],
)
def test_a_heading_is_linked_by_its_own_id_or_by_the_slug_of_its_place(headings: list[str], anchor: str) -> None:
    assert anchor_of(PAGE, headings) == anchor


def test_a_slug_keeps_letters_digits_and_underscores() -> None:
    assert slug("1. Open `snake_case` (v2.0)!") == "1-open-snake_case-v20"


@pytest.mark.parametrize(
    ("url", "anchor"),
    [
        ("https://kb.example.com/vpn", "mac"),
        ("https://kb.example.com/vpn#top", None),
        (None, None),
    ],
)
def test_only_an_address_without_a_fragment_takes_one(
    database: Database, settings: KnowledgeSettings, article: MakeArticle, url: str | None, anchor: str | None
) -> None:
    document = replace(article("vpn", "VPN", "## Mac {#mac}\n\nChoose the menu bar symbol.\n"), url=url)
    with Library(database, settings) as library:
        library.add([document])
        (citation,) = library.answer("menu bar symbol on a mac").citations
    assert (citation.url, citation.heading, citation.anchor) == (url, "Mac", anchor)


@pytest.mark.parametrize(("year", "old"), [(2026, False), (2024, False), (2023, True)])
def test_an_article_that_was_not_changed_for_two_years_is_cited_as_old(
    database: Database, settings: KnowledgeSettings, article: MakeArticle, year: int, old: bool
) -> None:
    changed = datetime(year, 3, 3, tzinfo=UTC)
    document = replace(article("vpn", "VPN", "Choose the menu bar symbol.\n"), updated_at=changed)
    with Library(database, settings, now=lambda: datetime(2026, 3, 2, tzinfo=UTC)) as library:
        library.add([document])
        (citation,) = library.answer("menu bar symbol").citations
    assert (citation.updated_at, citation.old) == (changed, old)


def test_an_article_without_a_date_has_no_age(library: Library, article: MakeArticle) -> None:
    library.add([article("vpn", "VPN", "Choose the menu bar symbol.\n")])
    (citation,) = library.answer("menu bar symbol").citations
    assert (citation.updated_at, citation.old) == (None, False)
