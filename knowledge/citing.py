"""Where an answer is from: article, heading, the heading's place on the page, and how old the article is."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.access import may_see
from knowledge.answers import Citation
from knowledge.articles import current_version_of_article
from knowledge.blocks import plain
from knowledge.records import Article, ArticleVersion

OLD = timedelta(days=2 * 365)
FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})")
HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(\S.*)$")
EXPLICIT = re.compile(r"[ \t]*\{:?[ \t]*#([\w:.-]+)[^{}]*\}[ \t]*#*[ \t]*$")


@dataclass(frozen=True)
class Place:
    """A heading of an article: the words from the outermost heading down to it, and its fragment."""

    path: tuple[str, ...]
    anchor: str


@dataclass(frozen=True)
class Cited:
    """A citation in the making: `article` is the row's id, `headings` the path to the passage."""

    article: int
    headings: tuple[str, ...]
    citation: Citation


def dated(session: Session, made: Sequence[Cited], groups: frozenset[str], now: datetime) -> tuple[Citation, ...]:
    """The citations with their article's age and their heading's anchor; without those that these groups may not see
    at this moment."""
    rows = session.execute(
        select(
            Article.id, ArticleVersion.access, ArticleVersion.updated_at, ArticleVersion.url, ArticleVersion.markdown
        )
        .join(Article, current_version_of_article())
        .where(Article.id.in_([one.article for one in made]))
    ).all()
    found = {row[0]: row[1:] for row in rows}
    result: list[Citation] = []
    for one in made:
        access, updated_at, url, markdown = found.get(one.article, (None, None, None, ""))
        if one.article not in found or not may_see(groups, access):
            continue
        if updated_at is not None and updated_at.tzinfo is None:
            updated_at = updated_at.replace(tzinfo=UTC)
        linked = one.headings and takes_fragment(url)
        result.append(
            replace(
                one.citation,
                updated_at=updated_at,
                old=updated_at is not None and now - updated_at > OLD,
                anchor=anchor_of(markdown, one.headings) if linked else None,
            )
        )
    return tuple(result)


def takes_fragment(url: str | None) -> bool:
    parts = urlsplit(url or "")
    return parts.scheme.lower() in ("http", "https") and not parts.fragment


def anchor_of(markdown: str, headings: Sequence[str]) -> str:
    """The fragment that leads to the heading at the end of this path: its explicit id (`{#id}`), else the slug that
    GitHub and MkDocs give it."""
    wanted = tuple(headings)
    for place in places(markdown):
        if place.path[-len(wanted) :] == wanted:
            return place.anchor
    return quote(slug(wanted[-1]), safe="")


def places(markdown: str) -> Iterator[Place]:
    """The headings outside of code, in order."""
    path: list[tuple[int, str]] = []
    seen: Counter[str] = Counter()
    fence = ""
    for line in markdown.split("\n"):
        marker = FENCE.match(line)
        if fence:
            fence = "" if marker and marker[1].startswith(fence) else fence
            continue
        if marker:
            fence = marker[1]
            continue
        heading = HEADING.match(line)
        if heading is None:
            continue
        level, words = len(heading[1]), plain(heading[2])
        path = [*((depth, name) for depth, name in path if depth < level), (level, words)]
        explicit = EXPLICIT.search(heading[2])
        made = slug(words)
        anchor = explicit[1] if explicit else f"{made}-{seen[made]}" if seen[made] else made
        seen[made] += not explicit
        yield Place(tuple(name for _, name in path), quote(anchor, safe=""))


def slug(words: str) -> str:
    """As GitHub makes it: lower case, without punctuation, a hyphen for each blank."""
    lowered = unicodedata.normalize("NFC", words).strip().lower()
    return re.sub(r"[^\w\- ]", "", lowered).replace(" ", "-")
