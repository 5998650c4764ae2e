"""The metrics over a ranking, and the run that holds it."""

import math

import pytest

from knowledge.evaluation import as_run, measured


def test_metrics_are_means_over_the_judged_questions_and_a_question_without_a_ranking_counts_zero() -> None:
    qrels = {"q1": {"d1": 1}, "q2": {"d2": 1}, "q3": {"d3": 1}, "q4": {"d4": 0}}
    rankings = {
        "q1": [("d1", 0.9), ("d2", 0.5)],
        "q2": [("d9", 0.9), ("d8", 0.8), ("d2", 0.7)],
        "q4": [("d4", 1.0)],
    }
    found = measured(rankings, qrels)

    assert found["ndcg@10"].mean == pytest.approx((1 + 1 / math.log2(4) + 0) / 3)
    assert found["mrr@10"].mean == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert found["recall@100"].mean == pytest.approx(2 / 3)
    assert found["mrr@10"].low <= found["mrr@10"].mean <= found["mrr@10"].high


def test_what_stands_behind_the_tenth_place_counts_for_recall_alone() -> None:
    ranking = [(f"d{place}", 1 - place / 100) for place in range(1, 101)]
    found = measured({"q": ranking}, {"q": {"d11": 1}})
    assert (found["ndcg@10"].mean, found["mrr@10"].mean, found["recall@100"].mean) == (0, 0, 1)


def test_a_run_has_trecs_six_columns() -> None:
    assert list(as_run({"q1": [("d2", 0.75), ("d1", 0.5)]}, "deskmate")) == [
        "q1 Q0 d2 1 0.750000 deskmate",
        "q1 Q0 d1 2 0.500000 deskmate",
    ]
