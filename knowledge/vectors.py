"""Search by vectors: what an index must be able to do. Chroma does it on disk, numpy in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
FetchVectors = Callable[[Sequence[int]], Mapping[int, Vectors]]  # passage ids -> (windows, dimension) each


@dataclass(frozen=True)
class Near:
    passage: int
    cosine: float


class VectorIndex(Protocol):
    """Derived from SQL and may lag behind it: whoever uses a hit checks it there first.

    Safe to search from many threads while one synchronises.
    """

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        """Up to `limit` passages of these sets, nearest first, approximately."""

    def synchronise(self, wanted: Mapping[str, NDArray[np.int64]], fetch: FetchVectors) -> None:
        """Make the index hold exactly these passages of each access set; `fetch` is asked for what is new."""

    def close(self) -> None: ...


def nearest(found: Sequence[Near], limit: int) -> list[Near]:
    """The best of several lists; a passage found by several of its windows counts once, by its nearest."""
    best: dict[int, float] = {}
    for near in found:
        if near.cosine > best.get(near.passage, -2.0):
            best[near.passage] = near.cosine
    ordered = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return [Near(passage, cosine) for passage, cosine in ordered[:limit]]
