"""Learns a calibration from examples. scikit-learn is imported here, when it is called: answering doesn't need it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from knowledge.calibration import LEAF, Calibration, Tree
from knowledge.confidence import FEATURES
from knowledge.errors import KnowledgeError

Floats = NDArray[np.float64]
Kind = Literal["asked", "withheld", "out of scope"]

FEWEST = 20  # examples of either kind
FOLDS = 5
SEED = 7
TREES: dict[str, Any] = {"n_estimators": 200, "min_samples_leaf": 2, "max_features": 8}
ALIKE = 1e-6  # a feature that varies less tells nothing; divided by its spread it would drown the others
LINEAR_BELOW = 400  # examples; trees would learn so few by heart
ERRORS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
WORTH_ASKING = 0.4  # of the readings offered, the share of times that the right one is among them


class TooFewExamples(KnowledgeError):
    """There is too little to learn from; says of what."""


@dataclass(frozen=True)
class Example:
    """A question with its find. Those of one `question` are never learnt from and judged by in the same round.

    `weight`: how often it stands for what people ask, for the bars and the probability; all are learnt from alike.
    """

    question: str
    kind: Kind
    features: Mapping[str, float]
    right: bool
    among: bool = False  # one of the articles that would be offered is right
    weight: float = 1.0


@dataclass(frozen=True)
class Fitted:
    """`held_out`: for each example the probability that it had while it was not learnt from."""

    calibration: Calibration
    held_out: Floats


def fit(examples: Sequence[Example], *, embedder: str, now: datetime, made_of: str = "") -> Fitted:
    """Cross-validated by question. Errors: `TooFewExamples`."""
    right = np.array([example.right for example in examples], dtype=bool)
    if min(right.sum(), (~right).sum()) < FEWEST:
        raise TooFewExamples(
            f"There are {right.sum()} right and {(~right).sum()} wrong examples; {FEWEST} of each are needed."
        )
    values = values_of(examples)
    weights = np.array([example.weight for example in examples])
    folds = folds_of([example.question for example in examples])
    scores = np.zeros(len(examples))
    for fold in range(FOLDS):
        here = folds == fold
        if here.any():
            scores[here] = _scores(_learnt(values[~here], right[~here]), values[here])
    slope, intercept = scaled(scores, right, weights)
    held_out = 1.0 / (1.0 + np.exp(-(intercept + slope * scores)))
    made = replace(
        _learnt(values, right),
        intercept=round(intercept, 4),
        slope=round(slope, 4),
        bars=bars(held_out, right, weights),
        asking=asking_bar(held_out, np.array([example.among for example in examples]), weights),
        made_at=f"{now:%Y-%m-%d}",
        questions=len({example.question for example in examples}),
        embedder=embedder,
        made_of=made_of,
        measured=measured(held_out, right, weights),
    )
    return Fitted(made, held_out)


def values_of(examples: Sequence[Example]) -> Floats:
    return np.array([[example.features[name] for name in FEATURES] for example in examples], dtype=np.float64)


def folds_of(questions: Sequence[str]) -> NDArray[np.int64]:
    """The fold of each example: all of one question in the same, whatever their order."""
    different = sorted(set(questions))
    shuffled = np.random.default_rng(SEED).permutation(len(different))
    fold = {question: int(place) % FOLDS for question, place in zip(different, shuffled, strict=True)}
    return np.array([fold[question] for question in questions], dtype=np.int64)


def _learnt(values: Floats, right: NDArray[np.bool_]) -> Calibration:
    """A calibration of which only what makes the score counts."""
    empty = Calibration(0.0, {}, (), 1.0, "", 0, "")
    if len(values) < LINEAR_BELOW:
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]  # ships no stubs

        spread = values.std(axis=0)
        spread[spread < ALIKE] = 1.0
        model = LogisticRegression(C=0.1, max_iter=3000).fit(values / spread, right)
        return replace(
            empty,
            coefficients={
                name: round(float(of), 5) for name, of in zip(FEATURES, model.coef_[0] / spread, strict=True)
            },
        )
    from sklearn.ensemble import RandomForestClassifier  # type: ignore[import-untyped]  # ships no stubs

    forest = RandomForestClassifier(**TREES, random_state=SEED).fit(values, right)
    return replace(empty, trees=tuple(tree_of(each.tree_, 1 / len(forest.estimators_)) for each in forest.estimators_))


def tree_of(grown: Any, weight: float) -> Tree:
    """scikit-learn's, with siblings side by side; it adds `weight` times what it says to a score."""
    order, left = [0], []
    for node in order:  # grows meanwhile
        inner = grown.children_left[node] != -1
        left.append(len(order) if inner else 0)
        if inner:
            order += [int(grown.children_left[node]), int(grown.children_right[node])]
    leaf = [grown.children_left[node] == -1 for node in order]
    return Tree(
        feature=tuple(LEAF if ends else int(grown.feature[node]) for node, ends in zip(order, leaf, strict=True)),
        cut=tuple(
            0.0 if ends else round(float(grown.threshold[node]), 5) for node, ends in zip(order, leaf, strict=True)
        ),
        left=tuple(left),
        value=tuple(
            round(weight * float(grown.value[node][0][-1]), 6) if ends else 0.0
            for node, ends in zip(order, leaf, strict=True)
        ),
    )


def _scores(learnt: Calibration, values: Floats) -> Floats:
    rows = values.tolist()
    if learnt.trees:
        return np.array([sum(tree.of(row) for tree in learnt.trees) for row in rows])
    weights = np.array([learnt.coefficients[name] for name in FEATURES])
    return np.asarray(values @ weights, dtype=np.float64)


def scaled(scores: Floats, right: NDArray[np.bool_], weights: Floats) -> tuple[float, float]:
    """Slope and intercept of the logit over the score (Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e3, max_iter=3000).fit(scores[:, None], right, sample_weight=weights)
    return float(model.coef_[0][0]), float(model.intercept_[0])


def bars(probability: Floats, right: NDArray[np.bool_], weights: Floats) -> tuple[tuple[float, float], ...]:
    """For each of `ERRORS` that can be kept, the lowest probability from which on it is."""
    order = np.argsort(-probability, kind="stable")
    wrong = np.cumsum((weights * ~right)[order]) / np.cumsum(weights[order])
    sorted_ = probability[order]
    ends = np.append(sorted_[1:] < sorted_[:-1], True)  # of several as likely all are answered, or none
    result = []
    for error in ERRORS:
        kept = np.flatnonzero((wrong <= error) & ends)
        if len(kept):
            result.append((error, round(float(sorted_[kept[-1]]) - 5e-6, 5)))
    return tuple(result)


def asking_bar(probability: Floats, among: NDArray[np.bool_], weights: Floats) -> float:
    """The lowest probability from which on the right article is among those that would be offered as often as
    `WORTH_ASKING`, among the questions just there."""
    for low in np.arange(0.02, 1.0, 0.02):
        near = (probability >= low) & (probability < low + 0.1)
        if weights[near].sum() and (weights * among)[near].sum() / weights[near].sum() >= WORTH_ASKING:
            return round(float(low), 2)
    return 1.0


def measured(probability: Floats, right: NDArray[np.bool_], weights: Floats) -> dict[str, float]:
    """Brier's score, and the expected calibration error over ten bins."""
    bins = np.minimum((10 * probability).astype(int), 9)
    misses = weights * (probability - right)
    return {
        "brier": round(float((weights * (probability - right) ** 2).sum() / weights.sum()), 4),
        "calibration_error": round(sum(abs(float(misses[bins == n].sum())) for n in range(10)) / weights.sum(), 4),
    }
