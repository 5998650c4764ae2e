"""What every vector index satisfies, whoever keeps the vectors."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from knowledge.chroma_index import ChromaIndex
from knowledge.chroma_places import ChromaServer, EmbeddedChroma
from knowledge.exact_index import ExactIndex
from knowledge.index_folder import IndexFolder
from knowledge.pgvector_index import PgvectorIndex
from knowledge.tiered_index import TieredIndex
from knowledge.vectors import Difference, Ids, Mark, VectorIndex, Vectors
from store import Database
from tests.conftest import new_database

DIMENSION = 16
HR = "a1b2"
Opened = Callable[[], VectorIndex]


class Shelf:
    """Vectors as SQL would keep them, and how often each was asked for."""

    def __init__(self) -> None:
        self.vectors: dict[int, Vectors] = {}
        self.asked: list[int] = []

    def put(self, passage: int, *rows: Vectors) -> Vectors:
        self.vectors[passage] = np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)
        first: Vectors = self.vectors[passage][0]
        return first

    def fetch(self, passages: Sequence[int]) -> Mapping[int, Vectors]:
        self.asked += passages
        return {passage: self.vectors[passage] for passage in passages if passage in self.vectors}


def ids(*passages: int) -> Ids:
    return np.array(passages, dtype=np.int64)


def difference(added: Sequence[int] = (), removed: Sequence[int] = ()) -> Difference:
    return Difference(ids(*added), ids(*removed))


def direction(number: int) -> Vectors:
    return np.random.default_rng(number).standard_normal(DIMENSION).astype(np.float32)


PERSISTENT = ["chroma", "chroma-server", "pgvector", "tiered-chroma", "tiered-pgvector"]


@pytest.fixture(params=["exact", *PERSISTENT])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    """Opens the index of one place; opened again, it is what another process would find there."""
    kind = request.param
    with ExitStack() as stack:
        closing: list[VectorIndex] = []
        if "pgvector" in kind:
            url = stack.enter_context(new_database(request.getfixturevalue("pgvector_server")))
            database = Database.at(url)
            stack.callback(database.close)
        generation = f"model.c1-{tmp_path.name}"

        def place() -> VectorIndex:
            match kind.removeprefix("tiered-"):
                case "exact":
                    return ExactIndex(DIMENSION)
                case "pgvector":
                    return PgvectorIndex(database, generation, DIMENSION)
                case "chroma-server":
                    return ChromaIndex(ChromaServer(request.getfixturevalue("chroma_server")), generation)
                case _:
                    return ChromaIndex(EmbeddedChroma(IndexFolder(tmp_path / "index"), generation), generation)

        def open_it() -> VectorIndex:
            # So small a border that the sets of these tests are on both sides of it.
            index = TieredIndex(place(), DIMENSION, small=2) if kind.startswith("tiered") else place()
            closing.append(index)
            return index

        yield open_it
        for index in closing[-1:]:
            index.close()


persistent = pytest.mark.parametrize("opened", PERSISTENT, indirect=True)


@pytest.fixture
def index(opened: Opened) -> VectorIndex:
    return opened()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def passages(index: VectorIndex, vector: Vectors, sets: Sequence[str] = ("", HR), limit: int = 10) -> list[int]:
    return [near.passage for near in index.search(vector, sets, limit)]


def filled(shelf: Shelf, count: int) -> list[Vectors]:
    return [shelf.put(number, direction(number)) for number in range(1, count + 1)]


def test_an_empty_index_finds_nothing(index: VectorIndex) -> None:
    assert passages(index, direction(1)) == []
    index.synchronise({}, Shelf().fetch, Mark("base", 0))
    assert passages(index, direction(1)) == []


def test_what_is_added_is_found_nearest_first_with_its_cosine(index: VectorIndex, shelf: Shelf) -> None:
    vectors = filled(shelf, 30)
    index.synchronise({"": ids(*range(1, 31))}, shelf.fetch, Mark("base", 1))
    for number in (1, 17, 30):
        question = vectors[number - 1]
        found = index.search(question, [""], 5)
        exactly = sorted(((float(row @ question), key) for key, row in enumerate(vectors, 1)), reverse=True)[:5]
        assert [near.passage for near in found] == [key for _, key in exactly]
        assert [near.cosine for near in found] == pytest.approx([cosine for cosine, _ in exactly], abs=1e-4)


def test_no_more_than_asked_for_are_found(index: VectorIndex, shelf: Shelf) -> None:
    vectors = filled(shelf, 12)
    index.synchronise({"": ids(*range(1, 9)), HR: ids(9, 10, 11, 12)}, shelf.fetch, Mark("base", 1))
    assert len(passages(index, vectors[0], limit=3)) == 3
    assert sorted(passages(index, vectors[0], limit=100)) == list(range(1, 13))


def test_an_access_set_that_is_not_asked_for_never_appears(index: VectorIndex, shelf: Shelf) -> None:
    vectors = filled(shelf, 8)
    index.synchronise({"": ids(1, 2, 3, 4), HR: ids(5, 6, 7), "c3": ids(8)}, shelf.fetch, Mark("base", 1))
    for vector in vectors:
        assert sorted(passages(index, vector, [""])) == [1, 2, 3, 4]
        assert sorted(passages(index, vector, [HR, "c3", "unknown"])) == [5, 6, 7, 8]
        assert passages(index, vector, []) == []


def test_several_windows_of_a_passage_count_once_by_the_nearest(index: VectorIndex, shelf: Shelf) -> None:
    near, far, other = direction(1), direction(2), direction(3)
    shelf.put(1, far, near, near + 0.01 * far)
    shelf.put(2, other)
    index.synchronise({"": ids(1, 2)}, shelf.fetch, Mark("base", 1))
    found = index.search(shelf.vectors[1][1], [""], 2)
    assert [hit.passage for hit in found] == [1, 2]
    assert found[0].cosine == pytest.approx(1.0, abs=1e-4)


def test_what_is_removed_is_gone_whether_compared_or_applied(index: VectorIndex, shelf: Shelf) -> None:
    vectors = filled(shelf, 6)
    shelf.put(2, direction(2), direction(102), direction(202))
    index.synchronise({"": ids(1, 2, 3, 4), HR: ids(5, 6)}, shelf.fetch, Mark("base", 1))
    index.synchronise({"": ids(1, 2, 3), HR: ids(5, 6)}, shelf.fetch, Mark("base", 2))
    assert sorted(passages(index, vectors[3])) == [1, 2, 3, 5, 6]
    changes = {"": difference(removed=[2]), HR: difference(removed=[5, 6])}
    assert index.apply(changes, shelf.fetch, since=Mark("base", 2), mark=Mark("base", 3))
    assert sorted(passages(index, vectors[1])) == [1, 3]


def test_applying_costs_what_changed_and_nothing_else(index: VectorIndex, shelf: Shelf) -> None:
    vectors = filled(shelf, 9)
    index.synchronise({"": ids(1, 2, 3, 4), HR: ids(5, 6)}, shelf.fetch, Mark("base", 1))
    shelf.asked.clear()
    changes = {"": difference(added=[7], removed=[1]), HR: difference(added=[8]), "c3": difference(added=[9])}
    assert index.apply(changes, shelf.fetch, since=Mark("base", 1), mark=Mark("base", 2))
    assert sorted(passages(index, vectors[6], [""])) == [2, 3, 4, 7]
    assert sorted(passages(index, vectors[6], [HR])) == [5, 6, 8]
    assert passages(index, vectors[6], ["c3"]) == [9]
    assert {7, 8, 9} <= set(shelf.asked)
    assert not {1, 2, 3, 4} & set(shelf.asked)


def test_a_passage_that_moves_to_another_access_set_is_found_there_alone(index: VectorIndex, shelf: Shelf) -> None:
    vectors = filled(shelf, 5)
    index.synchronise({"": ids(1, 2, 3), HR: ids(4, 5)}, shelf.fetch, Mark("base", 1))
    changes = {"": difference(removed=[3]), HR: difference(added=[3])}
    assert index.apply(changes, shelf.fetch, since=Mark("base", 1), mark=Mark("base", 2))
    assert sorted(passages(index, vectors[2], [""])) == [1, 2]
    assert passages(index, vectors[2], [HR])[0] == 3


def test_changed_vectors_replace_the_older_ones(index: VectorIndex, shelf: Shelf) -> None:
    old = shelf.put(1, direction(1), direction(11), direction(21))
    filled_others = [shelf.put(number, direction(number)) for number in (2, 3)]
    index.synchronise({"": ids(1, 2, 3)}, shelf.fetch, Mark("base", 1))
    new = shelf.put(1, direction(50))
    assert index.apply({"": difference(added=[1])}, shelf.fetch, since=Mark("base", 1), mark=Mark("base", 2))
    assert index.search(new, [""], 3)[0].cosine == pytest.approx(1.0, abs=1e-4)
    assert all(near.cosine < 0.99 for near in index.search(old, [""], 3))
    assert len(filled_others) == 2
    assert sorted(passages(index, old)) == [1, 2, 3]


def test_the_same_again_changes_nothing(index: VectorIndex, shelf: Shelf) -> None:
    vectors = filled(shelf, 7)
    wanted = {"": ids(1, 2, 3, 4), HR: ids(5)}
    for _ in range(2):
        index.synchronise(wanted, shelf.fetch, Mark("base", 1))
    changes = {"": difference(added=[6], removed=[1]), HR: difference(added=[7])}
    for _ in range(2):
        assert index.apply(changes, shelf.fetch, since=Mark("base", 1), mark=Mark("base", 2))
    assert sorted(passages(index, vectors[0], [""])) == [2, 3, 4, 6]
    assert sorted(passages(index, vectors[0], [HR])) == [5, 7]


@persistent
def test_it_survives_being_closed_and_is_taken_at_its_word(opened: Opened, shelf: Shelf) -> None:
    vectors = filled(shelf, 9)
    wanted = {"": ids(1, 2, 3, 4), HR: ids(5, 6, 7, 8)}
    first = opened()
    first.synchronise(wanted, shelf.fetch, Mark("base", 1))
    first.close()
    shelf.asked.clear()
    second = opened()
    second.synchronise(wanted, shelf.fetch, Mark("base", 1))
    assert shelf.asked == []
    assert sorted(passages(second, vectors[0])) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert second.apply({"": difference([9])}, shelf.fetch, since=Mark("base", 1), mark=Mark("base", 2))
    second.close()
    assert sorted(reopened(opened, wanted | {"": ids(1, 2, 3, 4, 9)}, shelf, 2)) == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def reopened(opened: Opened, wanted: Mapping[str, Ids], shelf: Shelf, change: int) -> list[int]:
    index = opened()
    index.synchronise(wanted, shelf.fetch, Mark("base", change))
    return passages(index, direction(1))


@persistent
def test_one_that_is_behind_is_not_changed_by_what_it_does_not_fit(opened: Opened, shelf: Shelf) -> None:
    vectors = filled(shelf, 6)
    index = opened()
    index.synchronise({"": ids(1, 2, 3), HR: ids(4, 5, 6)}, shelf.fetch, Mark("base", 1))
    assert not index.apply({"": difference(removed=[1])}, shelf.fetch, since=Mark("base", 4), mark=Mark("base", 5))
    assert not index.apply({}, shelf.fetch, since=Mark("other", 1), mark=Mark("other", 2))
    index.synchronise({"": ids(1, 2, 3), HR: ids(4, 5, 6)}, shelf.fetch, Mark("base", 1))
    assert sorted(passages(index, vectors[0])) == [1, 2, 3, 4, 5, 6]


@persistent
def test_another_knowledge_base_with_the_same_numbers_does_not_get_these_vectors(opened: Opened, shelf: Shelf) -> None:
    old = filled(shelf, 3)
    first = opened()
    first.synchronise({"": ids(1, 2, 3)}, shelf.fetch, Mark("base", 1))
    first.close()
    for number in (1, 2, 3):
        shelf.put(number, direction(100 + number))
    second = opened()
    second.synchronise({"": ids(1, 2, 3)}, shelf.fetch, Mark("another", 1))
    assert all(near.cosine < 0.99 for near in second.search(old[0], [""], 3))


@persistent
def test_a_thorough_comparison_mends_what_the_mark_hides(opened: Opened, shelf: Shelf) -> None:
    vectors = filled(shelf, 4)
    index = opened()
    index.synchronise({"": ids(1, 2, 3, 4)}, shelf.fetch, Mark("base", 1))
    assert index.apply({"": difference([1], [4])}, lambda _: {}, since=Mark("base", 1), mark=Mark("base", 2))
    index.synchronise({"": ids(1, 2, 3, 4)}, shelf.fetch, Mark("base", 2), thorough=True)
    assert sorted(passages(index, vectors[0])) == [1, 2, 3, 4]


@persistent
def test_one_that_is_interrupted_while_it_writes_is_compared_afterwards(opened: Opened, shelf: Shelf) -> None:
    vectors = filled(shelf, 1_200)
    wanted = {"": ids(*range(1, 1_201))}
    index = opened()

    def cut(asked: Sequence[int]) -> Mapping[int, Vectors]:
        if 700 in asked:
            raise KeyboardInterrupt
        return shelf.fetch(asked)

    with pytest.raises(KeyboardInterrupt):
        index.synchronise(wanted, cut, Mark("base", 1))
    index.close()
    assert len(reopened(opened, wanted, shelf, 1)) == 10
    assert len(vectors) == 1_200


def test_searches_go_on_while_it_changes(index: VectorIndex, shelf: Shelf) -> None:
    vectors = filled(shelf, 40)
    index.synchronise({"": ids(1, 2, 3, 4), HR: ids(5, 6)}, shelf.fetch, Mark("base", 0))
    wrong: list[object] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                if (found := passages(index, vectors[0], [""], 1)) != [1]:
                    wrong.append(found)
            except Exception as error:  # noqa: BLE001 (whatever it is, the test reports it)
                wrong.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(7, 19):
        step = number - 6
        changes = {"": difference([number]), HR: difference([number + 20], [number + 19] if step > 1 else [])}
        assert index.apply(changes, shelf.fetch, since=Mark("base", step - 1), mark=Mark("base", step))
    index.synchronise({"": ids(1, 30, 31, 32)}, shelf.fetch, Mark("base", 99))
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sorted(passages(index, vectors[0])) == [1, 30, 31, 32]
