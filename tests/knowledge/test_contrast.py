import numpy as np
import pytest

from knowledge.contrast import DIRECTIONS, DOUBTED, LARGE, SAMPLED, contrast_among, contrast_of, sample
from knowledge.vectors import Vectors

DIMENSION = 64


def units(rows: np.ndarray) -> Vectors:
    result: Vectors = (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)
    return result


def alike(count: int, *, shared: float, seed: int = 1) -> Vectors:
    """Texts that have their first direction in common, and else nothing."""
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSION)) / np.sqrt(DIMENSION)
    rows[:, 0] += shared
    return units(rows)


def test_what_all_passages_share_counts_less() -> None:
    passages = alike(400, shared=1.0)
    contrast = contrast_among(passages)

    plain = passages[1:] @ passages[0]
    contrasted = contrast.cosines(passages[0], passages[1:])

    assert contrasted.mean() < plain.mean() / 2
    assert contrast.cosines(passages[0], passages[:1]) == pytest.approx([1.0], abs=1e-5)
    assert np.abs(contrast.cosines(passages[0], passages)).max() <= 1 + 1e-5


def test_a_passage_that_is_large_in_the_common_direction_alone_falls_behind() -> None:
    passages = alike(400, shared=1.0)
    question = units(np.eye(DIMENSION)[0] + 0.4 * np.eye(DIMENSION)[5])
    general, fitting = units(np.eye(DIMENSION)[0]), units(0.6 * np.eye(DIMENSION)[0] + np.eye(DIMENSION)[5])
    rows = np.stack([general, fitting])

    assert np.argmax(rows @ question) == 0
    assert np.argmax(contrast_among(passages).cosines(question, rows)) == 1


def test_without_passages_a_cosine_stays_a_cosine() -> None:
    rows = alike(5, shared=0.5)
    contrast = contrast_among(rows[:0])

    assert contrast.cosines(rows[0], rows) == pytest.approx(rows @ rows[0], abs=1e-5)
    assert contrast.towards(rows[0]) == pytest.approx(rows[0], abs=1e-5)


def test_a_few_passages_are_believed_less_than_many() -> None:
    passages = alike(400, shared=1.0)
    few, many = (contrast_among(passages[:count]).cosines(passages[0], passages[1:]).mean() for count in (5, 400))
    assert many < few < (passages[1:] @ passages[0]).mean()


def test_an_index_asked_towards_it_ranks_as_the_cosines_do() -> None:
    passages = alike(400, shared=1.0)
    contrast = contrast_among(passages)
    question = alike(1, shared=1.0, seed=2)[0]

    by_index = np.argsort(-(passages @ contrast.towards(question)))[:40]
    assert set(np.argsort(-contrast.cosines(question, passages))[:10]) <= set(by_index)


def test_it_is_the_metric_it_says() -> None:
    passages = alike(300, shared=1.0)[:, :DIRECTIONS]
    passages = units(passages)
    contrast = contrast_among(passages)

    metric = np.linalg.inv(np.eye(DIRECTIONS) + passages.T @ passages / (300 + DOUBTED) / LARGE)
    products = passages @ metric @ passages[0]
    lengths = np.sqrt(np.einsum("ij,jk,ik->i", passages, metric, passages) * products[0])
    assert contrast.cosines(passages[0], passages) == pytest.approx(products / lengths, abs=1e-4)


def test_the_sample_tells_nothing_of_passages_that_others_may_see() -> None:
    alone, among_others = np.arange(3_000), 7 * np.arange(3_000)

    taken = sample([alone[::2], alone[1::2]])

    assert len(set(taken)) == SAMPLED
    assert np.array_equal(7 * taken, sample([among_others]))
    assert np.array_equal(sample([alone[:5]]), alone[:5])


def test_all_windows_of_a_passage_count() -> None:
    rows = alike(6, shared=1.0)
    vectors = {1: rows[:2], 2: rows[2:]}

    made = contrast_of([np.array([1, 2])], lambda ids: {each: vectors[each] for each in ids}, DIMENSION)

    assert made.cosines(rows[0], rows) == pytest.approx(contrast_among(rows).cosines(rows[0], rows), abs=1e-6)
