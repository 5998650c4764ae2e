"""Exact search in memory over the vectors that SQL keeps: for small access sets, and for a process that doesn't own
the index folder."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.vectors import UNMARKED, Difference, FetchVectors, Held, Ids, Mark, Near, Vectors, nearest, rows_for

Shelf = tuple[NDArray[np.int64], Vectors]  # the passage of each row, the rows


class ExactIndex:
    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._shelves: dict[str, Shelf] = {}

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        known = self._shelves
        shelves = [known[access_set] for access_set in access_sets if access_set in known]
        if not shelves:
            return []
        # Not `@`: BLAS's threads wait for each other, and on busy cores that costs ten times the work itself.
        cosines = np.concatenate([np.einsum("ij,j->i", rows, vector) for _, rows in shelves])
        passages = np.concatenate([held for held, _ in shelves])
        depth = min(rows_for(limit), len(cosines))
        top = np.argpartition(-cosines, depth - 1)[:depth] if depth else np.zeros(0, dtype=np.int64)
        return nearest(list(map(Near, passages[top].tolist(), cosines[top].tolist())), limit)

    def synchronise(
        self, wanted: Mapping[str, Ids], fetch: FetchVectors, mark: Mark = UNMARKED, *, thorough: bool = False
    ) -> None:
        shelves: dict[str, Shelf] = {}
        for access_set, ids in wanted.items():
            old = self._shelf(access_set)
            removed = old[0][~np.isin(old[0], ids)]
            added = ids if thorough else ids[~np.isin(ids, old[0])]
            shelves[access_set] = self._changed(old, Difference(added, removed), fetch)
        self._shelves = {access_set: shelf for access_set, shelf in shelves.items() if len(shelf[0])}

    def apply(self, changes: Mapping[str, Difference], fetch: FetchVectors, *, since: Mark, mark: Mark) -> bool:
        changed = {key: self._changed(self._shelf(key), difference, fetch) for key, difference in changes.items()}
        shelves = self._shelves | changed
        self._shelves = {access_set: shelf for access_set, shelf in shelves.items() if len(shelf[0])}
        return True

    def held(self) -> Iterator[Held]:
        for access_set, (passages, rows) in self._shelves.items():
            first = np.flatnonzero(np.diff(passages, prepend=-1))  # windows of a passage lie together, in order
            windows = np.arange(len(passages)) - np.repeat(first, np.diff(first, append=len(passages)))
            yield Held(access_set, passages, windows, rows)

    def close(self) -> None:
        self._shelves = {}

    def passages(self, access_set: str) -> Ids:
        """Those held of this set, ascending."""
        return np.unique(self._shelf(access_set)[0])

    def rows(self) -> dict[str, int]:
        """How many vectors are held of each set."""
        return {access_set: len(passages) for access_set, (passages, _) in self._shelves.items()}

    def _shelf(self, access_set: str) -> Shelf:
        nothing = np.zeros(0, dtype=np.int64), np.zeros((0, self._dimension), dtype=np.float32)
        return self._shelves.get(access_set, nothing)

    def _changed(self, old: Shelf, difference: Difference, fetch: FetchVectors) -> Shelf:
        if not len(difference.added) and not len(difference.removed):
            return old
        kept = ~(np.isin(old[0], difference.removed) | np.isin(old[0], difference.added))
        vectors = fetch(difference.added.tolist()) if len(difference.added) else {}
        passages = [old[0][kept], *(np.full(len(rows), key, dtype=np.int64) for key, rows in vectors.items())]
        return np.concatenate(passages), np.concatenate([old[1][kept], *vectors.values()])
