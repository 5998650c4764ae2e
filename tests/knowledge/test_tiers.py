"""Small access sets are searched in memory, and the index behind has them all the same."""

from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.exact_index import ExactIndex
from knowledge.tiered_index import TieredIndex
from knowledge.vectors import Difference, Ids, Mark, Near, Vectors

DIMENSION = 4
HR = "hr"


class Watched(ExactIndex):
    """An index behind that notes which sets it was asked for."""

    def __init__(self) -> None:
        super().__init__(DIMENSION)
        self.asked: list[list[str]] = []

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        self.asked.append(list(access_sets))
        return super().search(vector, access_sets, limit)


def ids(*numbers: int) -> Ids:
    return np.array(numbers, dtype=np.int64)


def fetch(passages: Sequence[int]) -> Mapping[int, Vectors]:
    return {number: np.eye(DIMENSION, dtype=np.float32)[[number % DIMENSION]] for number in passages}


def found(index: TieredIndex, number: int) -> list[int]:
    return [near.passage for near in index.search(fetch([number])[number][0], ["", HR], 10)]


def test_a_small_set_is_in_both_and_asked_in_memory() -> None:
    behind = Watched()
    index = TieredIndex(behind, DIMENSION, small=2)
    index.synchronise({"": ids(1, 2, 3), HR: ids(6)}, fetch, Mark("base", 1))

    assert sorted(found(index, 2)) == [1, 2, 3, 6]
    assert behind.asked == [[""]]
    assert (behind.passages("").tolist(), behind.passages(HR).tolist()) == ([1, 2, 3], [6])


def test_a_set_that_outgrows_the_memory_is_asked_behind() -> None:
    behind = Watched()
    index = TieredIndex(behind, DIMENSION, small=2)
    index.synchronise({HR: ids(5, 6)}, fetch, Mark("base", 1))
    assert sorted(found(index, 5)) == [5, 6]
    assert behind.asked == []

    index.apply({HR: Difference(ids(7), ids())}, fetch, since=Mark("base", 1), mark=Mark("base", 2))

    assert sorted(found(index, 5)) == [5, 6, 7]
    assert behind.asked == [[HR]]


def test_memory_holds_the_smallest_sets_up_to_its_bound() -> None:
    behind = Watched()
    index = TieredIndex(behind, DIMENSION, small=10, most_in_memory=3)
    index.synchronise({"": ids(1, 2, 3), HR: ids(5)}, fetch, Mark("base", 1))

    assert sorted(found(index, 1)) == [1, 2, 3, 5]
    assert behind.asked == [[""]]
