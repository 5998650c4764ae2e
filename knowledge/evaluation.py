"""How well a ranking answers labelled questions: a run in TREC's format, the usual metrics.

Metrics by ir-measures. nDCG@10: Järvelin & Kekäläinen 2002; MRR@10 (RR@10): the reciprocal rank of the first relevant
document; R@100: the share of a question's relevant documents among the first hundred. Intervals: percentile bootstrap
over questions (Efron 1979), of two rankings over the differences of each question (paired; Sakai 2006, *Evaluating
evaluation metrics based on the bootstrap*, SIGIR).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.collection import Qrels

RETRIEVED = 100
RESAMPLED = 2_000
INTERVAL = 0.95

Ranking = Sequence[tuple[str, float]]  # document and score, best first


@dataclass(frozen=True)
class Metric:
    """A mean over the judged questions, with the bounds of its interval."""

    mean: float
    low: float
    high: float


def as_run(rankings: Mapping[str, Ranking], name: str) -> Iterator[str]:
    """Lines of a TREC run: query, Q0, document, rank from 1, score, name of the system."""
    for asked, ranking in rankings.items():
        for rank, (document, score) in enumerate(ranking, 1):
            yield f"{asked} Q0 {document} {rank} {score:.6f} {name}"


def measured(rankings: Mapping[str, Ranking], qrels: Qrels, *, seed: int = 7) -> dict[str, Metric]:
    """`ndcg@10`, `recall@100` and `mrr@10` over the questions that have a relevant document."""
    return {name: mean_of(each.values(), seed) for name, each in values_of(rankings, qrels).items()}


def difference(
    before: Mapping[str, Ranking], after: Mapping[str, Ranking], qrels: Qrels, metric: str, *, seed: int = 7
) -> Metric:
    """By how much `after` is better in a metric of `measured`, question by question; it is better for more than these
    questions when the whole interval lies above 0."""
    old, new = values_of(before, qrels)[metric], values_of(after, qrels)[metric]
    return mean_of([new[asked] - old[asked] for asked in new], seed)


def values_of(rankings: Mapping[str, Ranking], qrels: Qrels) -> dict[str, dict[str, float]]:
    """Of each metric of `measured`, its value by question."""
    import ir_measures
    from ir_measures import RR, R, nDCG

    names = {nDCG @ 10: "ndcg@10", R @ 100: "recall@100", RR @ 10: "mrr@10"}
    judged = {asked: dict(rows) for asked, rows in qrels.items() if any(value > 0 for value in rows.values())}
    run = {asked: dict(rankings.get(asked, ())) for asked in judged}
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(judged, 0.0) for name in names.values()}
    for metric in ir_measures.iter_calc(list(names), judged, run):
        values[names[metric.measure]][metric.query_id] = metric.value
    return values


def mean_of(values: Iterable[float], seed: int) -> Metric:
    sample = np.array(list(values))
    drawn = np.random.default_rng(seed).integers(0, len(sample), (RESAMPLED, len(sample)))
    low, high = np.quantile(sample[drawn].mean(axis=1), [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return Metric(float(sample.mean()), float(low), float(high))
