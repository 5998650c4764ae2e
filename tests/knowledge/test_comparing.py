"""Each way in which an index can differ from SQL is found and mended, whoever keeps the vectors."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from knowledge.comparing import Differences, Windows, differences
from knowledge.vectors import Difference, Ids, Mark, VectorIndex, Vectors
from tests.knowledge.test_indexes import HR, Opened, Shelf, difference, direction, filled, ids, index, opened, shelf

__all__ = ["index", "opened", "shelf"]

WANTED: dict[str, Ids] = {"": ids(1, 2, 3, 4), HR: ids(5, 6)}
RIGHT = Differences(passages=6, missing=0, surplus=0, misplaced=0, changed=0)


def windows(shelf: Shelf) -> Windows:
    return {
        passage: (access_set, len(shelf.vectors[passage]))
        for access_set, passages in WANTED.items()
        for passage in passages.tolist()
    }


def other_vectors(passages: Sequence[int]) -> Mapping[int, Vectors]:
    mistaken = Shelf()
    for passage in passages:
        mistaken.put(passage, direction(900 + passage))
    return mistaken.vectors


Planted = tuple[dict[str, Difference], str]

PLANTED: dict[str, Planted] = {
    "missing": ({"": difference(removed=[3])}, "missing"),
    "a whole set missing": ({HR: difference(removed=[5, 6])}, "missing"),
    "surplus": ({"": difference(added=[77])}, "surplus"),
    "a set too many": ({"c3": difference(added=[77])}, "surplus"),
    "shown to everybody": ({HR: difference(removed=[5]), "": difference(added=[5])}, "misplaced"),
    "in two sets": ({"c3": difference(added=[6])}, "misplaced"),
    "another vector": ({"": difference(added=[2])}, "changed"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_difference_is_found_and_mended(index: VectorIndex, shelf: Shelf, planted: str) -> None:
    filled(shelf, 6)
    shelf.put(4, direction(4), direction(104), direction(204))
    index.synchronise(WANTED, shelf.fetch, Mark("base", 1))
    assert differences(windows(shelf), index.held(), shelf.fetch) == RIGHT

    changes, kind = PLANTED[planted]
    fetch: Callable[[Sequence[int]], Mapping[int, Vectors]] = other_vectors if kind == "changed" else with_77(shelf)
    assert index.apply(changes, fetch, since=Mark("base", 1), mark=Mark("base", 2))
    found = differences(windows(shelf), index.held(), shelf.fetch)
    wrong = 2 if planted == "a whole set missing" else 1
    assert found.as_json() == {**RIGHT.as_json(), kind: wrong}
    assert found.count == wrong

    index.synchronise(WANTED, shelf.fetch, Mark("base", 2), thorough=True)
    assert differences(windows(shelf), index.held(), shelf.fetch) == RIGHT


def with_77(shelf: Shelf) -> Callable[[Sequence[int]], Mapping[int, Vectors]]:
    planted = Shelf()
    planted.vectors = {**shelf.vectors}
    planted.put(77, direction(77))
    return planted.fetch


def test_a_passage_that_lost_one_of_its_vectors_is_missing(index: VectorIndex, shelf: Shelf) -> None:
    filled(shelf, 6)
    index.synchronise(WANTED, shelf.fetch, Mark("base", 1))
    shelf.put(1, shelf.vectors[1][0], direction(301))
    assert differences(windows(shelf), index.held(), shelf.fetch).as_json() == {**RIGHT.as_json(), "missing": 1}
    index.synchronise(WANTED, shelf.fetch, Mark("base", 1), thorough=True)
    assert differences(windows(shelf), index.held(), shelf.fetch) == RIGHT


def test_a_thousand_vectors_of_a_set_are_all_compared(opened: Opened, shelf: Shelf) -> None:
    filled(shelf, 1_200)
    index = opened()
    everything = ids(*range(1, 1_201))
    index.synchronise({"": everything}, shelf.fetch, Mark("base", 1))
    compared = differences(dict.fromkeys(everything.tolist(), ("", 1)), index.held(), shelf.fetch)
    assert (compared.passages, compared.count) == (1_200, 0)
