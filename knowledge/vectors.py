"""Search by vectors: what an index must be able to do.

Chroma does it on disk or on a server, PostgreSQL by pgvector, numpy in memory; `tests/knowledge/test_indexes.py` is
what each of them has to satisfy.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Ids = NDArray[np.int64]
FetchVectors = Callable[[Sequence[int]], Mapping[int, Vectors]]  # passage ids -> (windows, dimension) each


@dataclass(frozen=True)
class Near:
    passage: int
    cosine: float


@dataclass(frozen=True)
class Mark:
    """How far an index has come: in which knowledge base, up to which change of it (`KnowledgeState.change`)."""

    base: str = ""
    change: int = -1

    def __bool__(self) -> bool:
        return self.change >= 0


UNMARKED = Mark()


@dataclass(frozen=True)
class Difference:
    """What became of one access set. A passage that moves to another set is removed here and added there."""

    added: Ids
    removed: Ids


@dataclass(frozen=True)
class Held:
    """Some of what an index holds: n vectors of one access set."""

    access_set: str
    passages: Ids  # (n,)
    windows: Ids  # (n,), which window of its passage each vector is, from 0
    rows: Vectors  # (n, dimension)


class VectorIndex(Protocol):
    """Derived from SQL and may lag behind it: whoever uses a hit checks it there first.

    Safe to search from many threads while one synchronises or applies. Raises `IndexUnreachable` when it is kept by a
    server that doesn't answer.
    """

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        """Up to `limit` passages of these sets, nearest first, approximately."""

    def synchronise(
        self, wanted: Mapping[str, Ids], fetch: FetchVectors, mark: Mark = UNMARKED, *, thorough: bool = False
    ) -> None:
        """Make the index hold exactly these passages of each access set; `fetch` is asked for what is new.

        For the start and for repair. An index that carries this very mark already is taken at its word, unless
        `thorough`. It carries the mark afterwards, and none while vectors are being written.
        """

    def apply(self, changes: Mapping[str, Difference], fetch: FetchVectors, *, since: Mark, mark: Mark) -> bool:
        """Bring what holds at `since` to `mark`, at the cost of the changes alone; added vectors replace older ones.

        False, and nothing is done, when the index carries neither mark: then it has to be synchronised.
        """

    def held(self) -> Iterator[Held]:
        """All that it holds, some thousand vectors at a time; for a comparison with SQL."""

    def close(self) -> None: ...


def nearest(found: Sequence[Near], limit: int) -> list[Near]:
    """The best of several lists; a passage found by several of its windows counts once, by its nearest."""
    best: dict[int, float] = {}
    for near in found:
        if near.cosine > best.get(near.passage, -2.0):
            best[near.passage] = near.cosine
    ordered = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return [Near(passage, cosine) for passage, cosine in ordered[:limit]]


def rows_for(limit: int) -> int:
    """How many rows to ask for, as several may be windows of one passage."""
    return 2 * limit
