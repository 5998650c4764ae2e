"""An index with its small access sets in memory too.

A person in twenty groups asks twenty sets. Each costs Chroma a millisecond of Python, and numpy some microseconds as
long as the set is small (docs/decisions/0010-small-sets-in-memory.md). The index behind has them all.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

from knowledge.errors import IndexUnreachable
from knowledge.exact_index import ExactIndex
from knowledge.vectors import UNMARKED, Difference, FetchVectors, Held, Ids, Mark, Near, VectorIndex, Vectors, nearest

log = logging.getLogger(__name__)

SMALL = 5_000  # passages of a set
MOST_IN_MEMORY = 40_000  # passages of all sets together: about 65 MB
PAUSE_SECONDS = 5.0  # for which an index that didn't answer isn't asked


class TieredIndex:
    def __init__(
        self, behind: VectorIndex, dimension: int, *, small: int = SMALL, most_in_memory: int = MOST_IN_MEMORY
    ) -> None:
        self._behind = behind
        self._in_memory = ExactIndex(dimension)
        self._most_of_set = small
        self._most = most_in_memory
        self._large: frozenset[str] = frozenset()  # the sets that only the index behind has
        self._asked_again_at = 0.0

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        """While the index behind can't be reached, what is in memory alone."""
        large_now = self._large
        large = [access_set for access_set in access_sets if access_set in large_now]
        found = self._in_memory.search(vector, [key for key in access_sets if key not in large], limit)
        if large_now is not self._large:  # a set has left the memory meanwhile
            return self.search(vector, access_sets, limit)
        if large and monotonic() >= self._asked_again_at:
            try:
                found = nearest([*found, *self._behind.search(vector, large, limit)], limit)
            except IndexUnreachable as error:
                self._asked_again_at = monotonic() + PAUSE_SECONDS
                log.warning("%s Until then, large sets of articles are searched by words alone.", error)
        return found

    def synchronise(
        self, wanted: Mapping[str, Ids], fetch: FetchVectors, mark: Mark = UNMARKED, *, thorough: bool = False
    ) -> None:
        small = self._small_of({access_set: len(ids) for access_set, ids in wanted.items()})
        self._in_memory.synchronise({key: wanted[key] for key in small}, fetch, thorough=thorough)
        self._large = frozenset(wanted.keys() - small)
        self._behind.synchronise(wanted, fetch, mark, thorough=thorough)

    def apply(self, changes: Mapping[str, Difference], fetch: FetchVectors, *, since: Mark, mark: Mark) -> bool:
        """A large set is not taken into memory if it shrinks; the next start looks again."""
        small = {key: change for key, change in changes.items() if key not in self._large}
        self._in_memory.apply(small, fetch, since=since, mark=mark)
        if not self._behind.apply(changes, fetch, since=since, mark=mark):
            return False
        held = self._in_memory.rows()
        if outgrown := held.keys() - self._small_of(held):
            self._large = self._large | outgrown
            kept = {key: self._in_memory.passages(key) for key in held.keys() - outgrown}
            self._in_memory.synchronise(kept, fetch)
        return True

    def held(self) -> Iterator[Held]:
        """What is in memory was read from SQL by this process, so only the index behind is worth comparing."""
        return self._behind.held()

    def close(self) -> None:
        self._in_memory.close()
        self._behind.close()

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
