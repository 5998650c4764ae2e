"""What of SQL a process keeps in memory to search: which passages there are, who may see them, their words.

A refresh reads the articles with a higher change number than the last one seen, and nothing of the others. Of each
article its passages are kept by id, 8 bytes each, since a removed one leaves no other trace in SQL than its change.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from knowledge.access import is_well_formed, key_of
from knowledge.articles import current_version_of_article, last_change
from knowledge.records import Article, ArticleVersion, Passage
from knowledge.sparse import SparseIndex
from knowledge.vectors import Vectors

IN_ONE_QUERY = 500  # parameters; every database takes that many
FETCHED_TOGETHER = 10_000  # rows
INDEXED_TOGETHER = 200_000  # passages; what a first load holds as terms at a time
SHELVES = 1_024  # a refresh copies those that it changes: a thousandth of all articles each

Ids = NDArray[np.int64]
T = TypeVar("T")
Shelf = Mapping[int, Mapping[str, Ids]]  # article -> access set -> its passages


@dataclass(frozen=True)
class Catalogue:
    """Immutable: a refresh builds the next one aside, and the library swaps them in one step."""

    change: int = -1
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of each access set; empty: everybody
    sparse: Mapping[str, SparseIndex] = field(default_factory=dict)
    shelves: tuple[Shelf, ...] = ({},) * SHELVES  # an article is on the one of its id modulo their number
    added: Mapping[str, Ids] = field(default_factory=dict)  # to each access set, since the one it was made from
    removed: Mapping[str, Ids] = field(default_factory=dict)  # from each, likewise

    def visible_to(self, groups: frozenset[str]) -> list[str]:
        """The access sets that a person in these groups may search, in a fixed order."""
        return sorted(key for key, needed in self.groups.items() if not needed or needed & groups)

    def knows(self, term: int, access_sets: Sequence[str]) -> bool:
        """Whether a passage of these access sets has the term."""
        return any(self.sparse[key].knows(term) for key in access_sets if key in self.sparse)

    @property
    def passages(self) -> dict[str, Ids]:
        """Of each access set, ascending; the same array as before where nothing changed."""
        return {key: index.ids for key, index in self.sparse.items()}


def catalogue_after(session: Session, generation: str, old: Catalogue) -> Catalogue:
    """The catalogue as SQL has it now; `old` itself when nothing changed."""
    change = last_change(session)
    if change == old.change:
        return old
    if old.change < 0:
        return _first(session, generation, change)
    articles = list(session.execute(select(Article.id).where(Article.change > old.change)).scalars())
    now: dict[int, dict[str, list[int]]] = {}
    for some in _in_parts(articles):
        rows = session.execute(
            select(Passage.article, Passage.access_set, Passage.id).where(
                Passage.article.in_(some), Passage.generation == generation
            )
        )
        for article, access_set, passage in rows:
            now.setdefault(article, {}).setdefault(access_set, []).append(passage)
    touched = {number: dict(old.shelves[number]) for number in {article % SHELVES for article in articles}}
    added: dict[str, list[int]] = defaultdict(list)
    removed: dict[str, list[int]] = defaultdict(list)
    for article in articles:
        shelf = touched[article % SHELVES]
        before, after = shelf.pop(article, {}), now.get(article, {})
        if after:
            shelf[article] = {key: np.array(ids, dtype=np.int64) for key, ids in after.items()}
        for key in before.keys() | after.keys():
            ids_before, ids_after = set(before[key].tolist() if key in before else ()), set(after.get(key, ()))
            added[key] += ids_after - ids_before
            removed[key] += ids_before - ids_after
    terms = terms_of(session, [passage for ids in added.values() for passage in ids])
    sparse = dict(old.sparse)
    for key in added:
        new = {passage: terms[passage] for passage in added[key] if passage in terms}
        if new or removed[key]:
            sparse[key] = sparse.get(key, SparseIndex()).with_changes(new, removed[key])
    sparse = {key: index for key, index in sorted(sparse.items()) if len(index)}
    groups = {key: groups for key, groups in old.groups.items() if key in sparse}
    groups |= groups_of(session, sparse.keys() - groups.keys())
    shelves = tuple(touched.get(number, shelf) for number, shelf in enumerate(old.shelves))
    return Catalogue(change, groups, sparse, shelves, _ids(added), _ids(removed))


def _first(session: Session, generation: str, change: int) -> Catalogue:
    shelves: list[dict[int, dict[str, list[int]]]] = [{} for _ in range(SHELVES)]
    sparse: dict[str, SparseIndex] = {}
    waiting: dict[str, dict[int, bytes]] = defaultdict(dict)
    rows = session.execute(
        select(Passage.article, Passage.access_set, Passage.id, Passage.terms)
        .where(Passage.generation == generation)
        .execution_options(yield_per=FETCHED_TOGETHER)
    )
    for article, access_set, passage, terms in rows:
        shelves[article % SHELVES].setdefault(article, {}).setdefault(access_set, []).append(passage)
        waiting[access_set][passage] = terms
        if len(waiting[access_set]) >= INDEXED_TOGETHER:
            sparse[access_set] = sparse.get(access_set, SparseIndex()).with_changes(waiting.pop(access_set), ())
    for access_set, new in waiting.items():
        sparse[access_set] = sparse.get(access_set, SparseIndex()).with_changes(new, ())
    sparse = dict(sorted(sparse.items()))
    kept = tuple({article: _ids(sets) for article, sets in shelf.items()} for shelf in shelves)
    added = {key: index.ids for key, index in sparse.items()}
    return Catalogue(change, groups_of(session, sparse.keys()), sparse, kept, added)


def groups_of(session: Session, access_sets: Collection[str]) -> dict[str, frozenset[str]]:
    """The groups of each access set, read from one of its articles; a set whose access is malformed is left out."""
    result: dict[str, frozenset[str]] = {}
    for some in _in_parts(sorted(access_sets)):
        one_each = (
            select(func.max(ArticleVersion.id))
            .join(Article, current_version_of_article())
            .where(ArticleVersion.access_set.in_(some))
            .group_by(ArticleVersion.access_set)
        )
        rows = session.execute(
            select(ArticleVersion.access_set, ArticleVersion.access).where(ArticleVersion.id.in_(one_each))
        )
        result.update(
            (access_set, frozenset(access))
            for access_set, access in rows
            if is_well_formed(access) and key_of(access) == access_set
        )
    return result


def terms_of(session: Session, ids: Sequence[int]) -> dict[int, bytes]:
    """The terms of each passage that still exists, as stored."""
    result: dict[int, bytes] = {}
    for some in _in_parts(ids):
        found = session.execute(select(Passage.id, Passage.terms).where(Passage.id.in_(some)))
        result.update((passage, terms) for passage, terms in found)
    return result


def vectors_of(session: Session, ids: Sequence[int], dimension: int) -> dict[int, Vectors]:
    """The rows of each passage that still exists, in the order of its windows."""
    result: dict[int, Vectors] = {}
    for some in _in_parts(ids):
        found = session.execute(select(Passage.id, Passage.vectors).where(Passage.id.in_(some)))
        result.update((passage, rows_of(vectors, dimension)) for passage, vectors in found)
    return result


def rows_of(vectors: bytes, dimension: int) -> Vectors:
    return np.frombuffer(vectors, dtype="<f4").reshape(-1, dimension)


def _in_parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), IN_ONE_QUERY):
        yield items[start : start + IN_ONE_QUERY]


def _ids(sets: Mapping[str, Sequence[int]]) -> dict[str, Ids]:
    return {key: np.array(sorted(ids), dtype=np.int64) for key, ids in sets.items() if ids}
