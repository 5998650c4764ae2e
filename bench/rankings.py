"""TREC runs and what they are worth, by ir-measures, for whoever made them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.collection import Qrels

RESAMPLED = 2_000
SEED = 7
NDCG, RECALL, RR = "nDCG@10", "R@100", "RR@10"

Values = NDArray[np.float64]  # of each judged question, in the order of its id
Scored = Mapping[str, Values]  # by metric


@dataclass(frozen=True)
class Interval:
    """A mean over questions, and the bounds that hold 95 % of its bootstrap (Efron 1979)."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def run_of(path: Path) -> dict[str, dict[str, float]]:
    """Question -> document -> score."""
    result: dict[str, dict[str, float]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        asked, _, document, _, score, _ = line.split()
        result.setdefault(asked, {})[document] = float(score)
    return result


def scored(run: Mapping[str, Mapping[str, float]], qrels: Qrels) -> Scored:
    """A question that has a relevant document and isn't in the run counts 0."""
    import ir_measures

    judged = {asked: dict(rows) for asked, rows in qrels.items() if any(value > 0 for value in rows.values())}
    ranked = {asked: dict(run.get(asked, {})) for asked in judged}
    values = {name: dict.fromkeys(sorted(judged), 0.0) for name in (NDCG, RECALL, RR)}
    measures = [ir_measures.parse_measure(name) for name in values]
    for metric in ir_measures.iter_calc(measures, judged, ranked):
        values[str(metric.measure)][metric.query_id] = metric.value
    return {name: np.array(list(each.values())) for name, each in values.items()}


def interval(sets: Sequence[Values]) -> Interval:
    """The mean of the sets' means; each set is resampled by itself. One set is a mean with its interval."""
    chance = np.random.default_rng(SEED)
    resampled = np.mean(
        [values[chance.integers(0, len(values), (RESAMPLED, len(values)))].mean(axis=1) for values in sets], axis=0
    )
    low, high = np.quantile(resampled, [0.025, 0.975])
    return Interval(float(np.mean([values.mean() for values in sets])), float(low), float(high))
