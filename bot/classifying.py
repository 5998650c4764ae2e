"""Which of several kinds a text is of, and how likely, learnt from a few examples of each.

Kernel ridge regression (least-squares classification) on unit vectors, k(a, b) = exp(WIDTH (cos - 1)): near examples
count most, as with nearest neighbours, and what an example shares with those of another kind counts for less. Fitting
is one linear system. What it would have said of each example had it not seen it follows from the same system in closed
form (Allen 1974), and by that its scores are made probabilities (Platt 1999).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]

WIDTH = 3.0
RIDGE = 0.3
"""Both by `bench.routing`; between 2 and 4, and 0.1 and 1, little changes."""
STEPS = 50
SHRINK = 1e-3


@dataclass(frozen=True)
class Guess:
    label: str
    """The likeliest, however unlikely."""
    probability: float
    """That the text is of this kind, and not of another or of none."""


class Classifier:
    """Immutable once built; the same examples in the same order give the same numbers."""

    def __init__(self, labels: Sequence[str | None], vectors: Vectors) -> None:
        """`vectors`: L2-normalised, a row per label. None labels what is of no kind; of each other label there should
        be two rows or more, since one alone can't tell how far its kind reaches."""
        self.labels = sorted({label for label in labels if label is not None})
        self._examples = np.asarray(vectors, dtype=np.float64)
        places = {label: place for place, label in enumerate(self.labels)}
        truth = np.array([-1 if label is None else places[label] for label in labels])
        targets = (truth[:, None] == np.arange(len(self.labels))).astype(np.float64)
        alike = kernel(self._examples, self._examples)
        inverse = np.linalg.inv(alike + RIDGE * np.eye(len(alike)))
        self._weights: Floats = inverse @ targets
        unseen = targets - self._weights / np.diag(inverse)[:, None]  # each row, by the other rows alone
        self._mean, self._spread, self._platt = calibrated(features(unseen), unseen.argmax(axis=1) == truth)

    def guess(self, vectors: Vectors) -> list[Guess]:
        """Of each row."""
        scores = kernel(np.asarray(vectors, dtype=np.float64), self._examples) @ self._weights
        logits = with_one((features(scores) - self._mean) / self._spread) @ self._platt
        return [
            Guess(self.labels[int(best)], float(likely))
            for best, likely in zip(scores.argmax(axis=1), sigmoid(logits), strict=True)
        ]


def kernel(some: Floats, others: Floats) -> Floats:
    alike: Floats = np.exp(WIDTH * (some @ others.T - 1.0))
    return alike


def features(scores: Floats) -> Floats:
    """The best score, and by how much it is better than the next."""
    if scores.shape[1] == 1:
        return scores
    ordered = np.sort(scores, axis=1)
    return np.stack([ordered[:, -1], ordered[:, -1] - ordered[:, -2]], axis=1)


def calibrated(found: Floats, right: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """A logistic regression of `right` on the features: their means and spreads, and its weights."""
    mean, spread = found.mean(axis=0), found.std(axis=0) + 1e-9
    rows = with_one((found - mean) / spread)
    weights = np.zeros(rows.shape[1])
    shrink = SHRINK * len(rows)
    # Platt's targets: also where all were right, the next may be wrong.
    ones = right.sum()
    targets = np.where(right, (ones + 1) / (ones + 2), 1 / (len(right) - ones + 2))
    for _ in range(STEPS):
        likely = sigmoid(rows @ weights)
        slope = rows.T @ (likely - targets) + shrink * weights
        bend = (rows * (likely * (1 - likely))[:, None]).T @ rows + shrink * np.eye(len(weights))
        weights -= np.linalg.solve(bend, slope)
    return mean, spread, weights


def with_one(rows: Floats) -> Floats:
    return np.hstack([rows, np.ones((len(rows), 1))])


def sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30.0, 30.0))))
