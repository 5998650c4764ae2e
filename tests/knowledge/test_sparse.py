"""The search by words against BM25 computed the plain way."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge import pruning, segments, sparse
from knowledge.sparse import SparseIndex

Texts = dict[int, list[int]]
TERMS = st.integers(min_value=0, max_value=30)
TEXTS = st.dictionaries(st.integers(1, 60), st.lists(TERMS, max_size=12), max_size=40)
QUESTIONS = st.dictionaries(TERMS | st.just(2**32 - 1), st.floats(0.1, 3.0), min_size=1, max_size=12)
CHANGES = st.lists(st.tuples(TEXTS, st.sets(st.integers(1, 60), max_size=20)), max_size=6)


def stored(texts: Mapping[int, list[int]]) -> dict[int, bytes]:
    return {passage: np.array(terms, dtype="<u4").tobytes() for passage, terms in texts.items()}


def plain(texts: Texts, question: Mapping[int, float]) -> dict[int, float]:
    """Lucene's BM25 of each passage, over the sum of the idf of the terms that some passage has."""
    counts = {passage: Counter(terms) for passage, terms in texts.items()}
    mean = max(sum(map(len, texts.values())) / max(len(texts), 1), 1.0)
    idf = {}
    for term in question:
        having = sum(term in found for found in counts.values())
        if having:
            idf[term] = math.log(1 + (len(texts) - having + 0.5) / (having + 0.5))
    total = sum(question[term] * idf[term] for term in idf) or 1.0
    return {
        passage: sum(
            question[term] * idf[term] * found[term] / (found[term] + 1.5 * (0.25 + 0.75 * len(texts[passage]) / mean))
            for term in idf
        )
        / total
        for passage, found in counts.items()
    }


def after(changes: list[tuple[Texts, set[int]]]) -> tuple[SparseIndex, Texts]:
    """The index that went through these changes, and what it should hold."""
    index, texts = SparseIndex(), Texts()
    for added, removed in changes:
        index = index.with_changes(stored(added), removed)
        texts = {key: terms for key, terms in texts.items() if key not in removed} | added
    return index, texts


@pytest.fixture(params=["as it is", "on a small scale"], scope="module", autouse=True)
def _scale(request: pytest.FixtureRequest) -> Iterator[None]:
    """A small base has one segment and nothing to prune; in half of the runs it is treated like a large one."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "on a small scale":
            patch.setattr(pruning, "LIST_START", 1)
            patch.setattr(pruning, "FIRST_LOOK", 1)
            patch.setattr(pruning, "LOOKUP", 0.1)
            patch.setattr(sparse, "MERGED_TOGETHER", 0)
            patch.setattr(sparse, "TIMES_LARGER", 0.1)
            patch.setattr(sparse, "MOST_DEAD", 0.9)
            patch.setattr(segments, "MOST_UNSETTLED", 4)
            patch.setattr(segments, "BUILT_TOGETHER", 7)
            patch.setattr(segments, "AT_A_TIME", 10)
        yield


@given(CHANGES, QUESTIONS, st.integers(1, 20))
@settings(deadline=None, max_examples=100)
def test_the_best_are_those_of_the_plain_arithmetic_whatever_the_history(
    changes: list[tuple[Texts, set[int]]], question: dict[int, float], limit: int
) -> None:
    index, texts = after(changes)
    expected = plain(texts, question)
    assert index.scores_of(question, list(expected)) == pytest.approx(list(expected.values()), abs=1e-9)
    best = index.top(question, limit)
    positive = sorted((score for score in expected.values() if score > 0), reverse=True)
    assert [score for _, score in best] == pytest.approx(positive[:limit], abs=1e-9)
    assert all(score == pytest.approx(expected[passage], abs=1e-9) for passage, score in best)
    assert best == sorted(best, key=lambda found: (-found[1], found[0]))


@given(CHANGES, QUESTIONS, st.integers(1, 20))
@settings(deadline=None, max_examples=100)
def test_what_was_there_before_cannot_be_told_from_any_result(
    changes: list[tuple[Texts, set[int]]], question: dict[int, float], limit: int
) -> None:
    index, texts = after(changes)
    fresh = SparseIndex(stored(texts))
    assert index.top(question, limit) == fresh.top(question, limit)
    assert index.scores_of(question, range(62)) == fresh.scores_of(question, range(62))
    assert index.rarity(question) == fresh.rarity(question)
    assert index.unknown_idf == fresh.unknown_idf
    assert len(index) == len(texts)
    assert index.ids.tolist() == sorted(texts)
    assert [number for number in range(31) if index.knows(number)] == sorted(set().union(*texts.values()))


def test_pruning_changes_nothing_at_a_size_where_it_happens() -> None:
    chance = np.random.default_rng(4)
    index, texts = SparseIndex(), Texts()
    for start in range(0, 6_000, 1_500):
        lengths = chance.integers(1, 90, 1_500).tolist()
        added = {start + n: (chance.zipf(1.3, length) % 5_000).tolist() for n, length in enumerate(lengths)}
        removed = chance.integers(0, start + 1, 300).tolist()
        index = index.with_changes(stored(added), removed)
        texts = {key: terms for key, terms in texts.items() if key not in removed} | added
    for size in (1, 2, 3, 6, 12, 24, 48) * 3:
        question = dict.fromkeys((chance.zipf(1.2, size) % 5_000).tolist(), 1.0)
        expected = plain(texts, question)
        best = sorted(expected, key=lambda passage: (-round(expected[passage], 12), passage))[:10]
        found = index.top(question, 10)
        assert [passage for passage, _ in found] == [passage for passage in best if expected[passage] > 0]
        assert [score for _, score in found] == pytest.approx([expected[passage] for passage, _ in found], abs=1e-9)


def test_an_index_in_use_stays_as_it_was() -> None:
    before = SparseIndex(stored({1: [1, 2], 2: [1]}))
    after = before.with_changes(stored({3: [2]}), {1})
    assert [passage for passage, _ in before.top({2: 1.0}, 5)] == [1]
    assert [passage for passage, _ in after.top({2: 1.0}, 5)] == [3]
    assert (len(before), len(after)) == (2, 2)


def test_ties_are_in_the_order_of_ids_and_the_last_is_not_left_to_chance() -> None:
    index = SparseIndex(stored({passage: [1, 2] for passage in range(50, 0, -1)}))
    assert [passage for passage, _ in index.top({1: 1.0, 2: 1.0}, 7)] == [1, 2, 3, 4, 5, 6, 7]


def test_a_word_more_often_than_a_byte_holds_counts_in_full() -> None:
    texts = {1: [5] * 700 + [6], 2: [5], 3: [6]}
    index = SparseIndex(stored({1: texts[1]})).with_changes(stored({2: [5], 3: [6]}), ())
    assert index.scores_of({5: 1.0}, [1, 2, 3]) == pytest.approx(list(plain(texts, {5: 1.0}).values()), abs=1e-12)


def test_an_empty_index_answers() -> None:
    index = SparseIndex()
    assert index.top({1: 1.0}, 5) == []
    assert index.scores_of({1: 1.0}, [1]) == [0.0]
    assert not index.knows(1)
    assert index.rarity({1: 1.0}) == {1: index.unknown_idf}


def test_with_a_least_score_the_best_are_the_same_down_to_it() -> None:
    index = SparseIndex(stored({number: [1] * (1 + number % 7) + [2, number % 5 + 3] for number in range(300)}))
    question = {1: 1.0, 4: 2.0}
    best = index.top(question, 200)
    least = best[120][1]

    assert index.top(question, 200, at_least=least) == [pair for pair in best if pair[1] >= least]
