"""Exact search in memory over the vectors that SQL keeps: for a process that doesn't own the index folder."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from knowledge.vectors import FetchVectors, Near, Vectors, nearest

Shelf = tuple[NDArray[np.int64], Vectors]  # the passage of each row, the rows


class ExactIndex:
    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self._shelves: dict[str, Shelf] = {}

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        shelves = self._shelves
        found: list[Near] = []
        for access_set in access_sets:
            if access_set not in shelves:
                continue
            passages, rows = shelves[access_set]
            cosines = rows @ vector
            depth = min(2 * limit, len(cosines))  # several rows may be windows of one passage
            top = np.argpartition(-cosines, depth - 1)[:depth] if depth else np.zeros(0, dtype=np.int64)
            found += [Near(int(passages[row]), float(cosines[row])) for row in top]
        return nearest(found, limit)

    def synchronise(self, wanted: Mapping[str, NDArray[np.int64]], fetch: FetchVectors) -> None:
        shelves: dict[str, Shelf] = {}
        for access_set, ids in wanted.items():
            old = self._shelves.get(access_set, (np.zeros(0, dtype=np.int64), self._empty()))
            kept = np.isin(old[0], ids)
            new = [int(passage) for passage in ids[~np.isin(ids, old[0])]]
            if kept.all() and not new:
                shelves[access_set] = old
                continue
            vectors = fetch(new) if new else {}
            passages = [old[0][kept], *(np.full(len(rows), key, dtype=np.int64) for key, rows in vectors.items())]
            shelves[access_set] = (np.concatenate(passages), np.concatenate([old[1][kept], *vectors.values()]))
        self._shelves = shelves

    def close(self) -> None:
        self._shelves = {}

    def _empty(self) -> Vectors:
        return np.zeros((0, self._dimension), dtype=np.float32)
