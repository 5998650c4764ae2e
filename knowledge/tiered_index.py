"""Small access sets in memory, large ones in the index behind.

A person in twenty groups asks twenty sets. Each costs Chroma a millisecond of Python, and numpy some microseconds as
long as the set is small (docs/decisions/0010-small-sets-in-memory.md has the border).
"""

import logging
from collections.abc import Mapping, Sequence
from time import monotonic

import numpy as np

from knowledge.errors import IndexUnreachable
from knowledge.exact_index import ExactIndex
from knowledge.vectors import UNMARKED, Difference, FetchVectors, Ids, Mark, Near, VectorIndex, Vectors, nearest

log = logging.getLogger(__name__)

SMALL = 10_000  # passages of a set
MOST_IN_MEMORY = 40_000  # passages of all sets together: about 65 MB
PAUSE_SECONDS = 5.0  # for which an index that didn't answer isn't asked


class TieredIndex:
    def __init__(
        self, large: VectorIndex, dimension: int, *, small: int = SMALL, most_in_memory: int = MOST_IN_MEMORY
    ) -> None:
        self._large = large
        self._in_memory = ExactIndex(dimension)
        self._most_of_set = small
        self._most = most_in_memory
        self._behind: frozenset[str] = frozenset()  # the sets that the index behind has
        self._asked_again_at = 0.0

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        """While the index behind can't be reached, what is in memory alone."""
        behind = self._behind
        found = self._in_memory.search(vector, access_sets, limit)
        large = [access_set for access_set in access_sets if access_set in behind]
        if large and monotonic() >= self._asked_again_at:
            try:
                found = nearest([*found, *self._large.search(vector, large, limit)], limit)
            except IndexUnreachable as error:
                self._asked_again_at = monotonic() + PAUSE_SECONDS
                log.warning("%s Until then, large sets of articles are searched by words alone.", error)
        return found

    def synchronise(
        self, wanted: Mapping[str, Ids], fetch: FetchVectors, mark: Mark = UNMARKED, *, thorough: bool = False
    ) -> None:
        small = self._small_of({access_set: len(ids) for access_set, ids in wanted.items()})
        large = {access_set: ids for access_set, ids in wanted.items() if access_set not in small and len(ids)}
        # A set that changes sides is on both for a moment, so that it is always found.
        staying = {key: wanted[key] for key in self._in_memory.rows() if key in large}
        in_memory = {access_set: wanted[access_set] for access_set in small}
        self._in_memory.synchronise(in_memory | staying, fetch, thorough=thorough)
        self._large.synchronise(large, fetch, mark, thorough=thorough)
        self._behind = frozenset(large)
        self._in_memory.synchronise(in_memory, fetch)

    def apply(self, changes: Mapping[str, Difference], fetch: FetchVectors, *, since: Mark, mark: Mark) -> bool:
        """A large set stays behind even if it shrinks; the next start looks again."""
        large = {key: change for key, change in changes.items() if key in self._behind}
        small = {key: change for key, change in changes.items() if key not in self._behind}
        self._in_memory.apply(small, fetch, since=since, mark=mark)
        outgrown = self._in_memory.rows().keys() - self._small_of(self._in_memory.rows())
        none = np.zeros(0, dtype=np.int64)
        for access_set in outgrown:
            large[access_set] = Difference(self._in_memory.passages(access_set), none)
        if not self._large.apply(large, fetch, since=since, mark=mark):
            return False
        if outgrown:
            self._behind |= outgrown
            gone = {key: Difference(none, self._in_memory.passages(key)) for key in outgrown}
            self._in_memory.apply(gone, fetch, since=since, mark=mark)
        return True

    def close(self) -> None:
        self._in_memory.close()
        self._large.close()

    def _small_of(self, sizes: Mapping[str, int]) -> set[str]:
        """The smallest sets, as many as memory may hold."""
        small: set[str] = set()
        held = 0
        for size, access_set in sorted((size, access_set) for access_set, size in sizes.items()):
            held += size
            if size > self._most_of_set or held > self._most:
                break
            small.add(access_set)
        return small
