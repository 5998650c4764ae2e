"""Kinds of texts by a few examples, on vectors that are made up."""

import numpy as np
import pytest

from bot.classifying import RIDGE, Classifier, Vectors, kernel

RANDOM = np.random.default_rng(1)


def around(centre: int, count: int) -> Vectors:
    rows = 0.15 * RANDOM.standard_normal((count, 16))
    rows[:, centre] += 1
    normal: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return normal


LABELS = [*["reset"] * 8, *["group"] * 8, *[None] * 8]
EXAMPLES = np.vstack([around(0, 8), around(1, 8), around(2, 8)])


@pytest.mark.parametrize(("centre", "label"), [(0, "reset"), (1, "group")])
def test_what_is_like_a_kinds_examples_is_of_that_kind(centre: int, label: str) -> None:
    for guess in Classifier(LABELS, EXAMPLES).guess(around(centre, 20)):
        assert guess.label == label
        assert guess.probability > 0.5


@pytest.mark.parametrize("centre", [2, 7])
def test_what_is_like_none_of_them_is_improbable(centre: int) -> None:
    assert max(guess.probability for guess in Classifier(LABELS, EXAMPLES).guess(around(centre, 20))) < 0.5


def test_the_same_examples_give_the_same_numbers() -> None:
    asked = around(0, 3)
    assert Classifier(LABELS, EXAMPLES).guess(asked) == Classifier(LABELS, EXAMPLES).guess(asked)


def test_what_would_be_said_of_an_unseen_example_follows_without_fitting_anew() -> None:
    rows = EXAMPLES.astype(np.float64)
    targets = np.array([[label == "reset", label == "group"] for label in LABELS], dtype=float)
    inverse = np.linalg.inv(kernel(rows, rows) + RIDGE * np.eye(len(rows)))
    in_closed_form = targets - (inverse @ targets) / np.diag(inverse)[:, None]

    for left_out in (0, 9, 20):
        others = np.arange(len(rows)) != left_out
        alike = kernel(rows[others], rows[others]) + RIDGE * np.eye(others.sum())
        anew = kernel(rows[left_out][None], rows[others]) @ np.linalg.solve(alike, targets[others])
        assert in_closed_form[left_out] == pytest.approx(anew[0])
