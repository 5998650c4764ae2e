"""What of SQL a process keeps in memory to search: which passages there are, who may see them, their words."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class Catalogue:
    """Immutable: a refresh builds the next one aside, and the library swaps them in one step."""

    change: int = -1
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)  # of each access set; empty: everybody
    sparse: Mapping[str, SparseIndex] = field(default_factory=dict)
    terms: Mapping[int, bytes] = field(default_factory=dict)

    def visible_to(self, groups: frozenset[str]) -> list[str]:
        """The access sets that a person in these groups may search, in a fixed order."""
        return sorted(key for key, needed in self.groups.items() if not needed or needed & groups)

    def knows(self, term: int, access_sets: Sequence[str]) -> bool:
        """Whether a passage of these access sets has the term."""
        return any(self.sparse[key].knows(term) for key in access_sets if key in self.sparse)

    def terms_of(self, passage: int) -> frozenset[int]:
        return frozenset(np.frombuffer(self.terms.get(passage, b""), dtype="<u4").tolist())

    @property
    def passages(self) -> dict[str, NDArray[np.int64]]:
        return {key: index.ids for key, index in self.sparse.items()}


def catalogue_after(session: Session, generation: str, old: Catalogue) -> Catalogue:
    """The catalogue as SQL has it now; `old` itself when nothing changed. Only access sets that changed are built."""
    change = last_change(session)
    if change == old.change:
        return old
    sets: dict[str, list[int]] = {}
    for passage, access_set in session.execute(
        select(Passage.id, Passage.access_set).where(Passage.generation == generation).order_by(Passage.id)
    ):
        sets.setdefault(access_set, []).append(passage)
    everything = [passage for ids in sets.values() for passage in ids]
    terms = {passage: old.terms[passage] for passage in everything if passage in old.terms}
    terms |= terms_of(session, generation, [passage for passage in everything if passage not in terms])
    sparse = {}
    for access_set, ids in sets.items():
        before = old.sparse.get(access_set)
        unchanged = before is not None and np.array_equal(before.ids, ids)
        sparse[access_set] = before if before and unchanged else SparseIndex({key: terms[key] for key in ids})
    return Catalogue(change, groups_of(session, sets), sparse, terms)


def groups_of(session: Session, access_sets: Collection[str]) -> dict[str, frozenset[str]]:
    """The groups of each access set, read from one of its articles; a set whose access is malformed is left out."""
    one_each = (
        select(func.max(ArticleVersion.id))
        .join(Article, current_version_of_article())
        .group_by(ArticleVersion.access_set)
    )
    rows = session.execute(
        select(ArticleVersion.access_set, ArticleVersion.access).where(ArticleVersion.id.in_(one_each))
    )
    return {
        access_set: frozenset(access)
        for access_set, access in rows
        if access_set in access_sets and is_well_formed(access) and key_of(access) == access_set
    }


def terms_of(session: Session, generation: str, ids: Sequence[int]) -> dict[int, bytes]:
    query = select(Passage.id, Passage.terms)
    if len(ids) > 20 * IN_ONE_QUERY:
        wanted = set(ids)
        rows = session.execute(query.where(Passage.generation == generation))
        return {passage: terms for passage, terms in rows if passage in wanted}
    result: dict[int, bytes] = {}
    for start in range(0, len(ids), IN_ONE_QUERY):
        found = session.execute(query.where(Passage.id.in_(ids[start : start + IN_ONE_QUERY])))
        result.update((passage, terms) for passage, terms in found)
    return result


def vectors_of(session: Session, ids: Sequence[int], dimension: int) -> dict[int, Vectors]:
    """The rows of each passage that still exists, in the order of its windows."""
    result: dict[int, Vectors] = {}
    for start in range(0, len(ids), IN_ONE_QUERY):
        found = session.execute(
            select(Passage.id, Passage.vectors).where(Passage.id.in_(ids[start : start + IN_ONE_QUERY]))
        )
        result.update((passage, rows_of(vectors, dimension)) for passage, vectors in found)
    return result


def rows_of(vectors: bytes, dimension: int) -> Vectors:
    return np.frombuffer(vectors, dtype="<f4").reshape(-1, dimension)
