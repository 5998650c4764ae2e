"""Labelled questions in BEIR's layout, and the metrics over a ranking."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from knowledge.evaluation import BadCollection, Query, as_run, collection, measured


def written(folder: Path, *, queries: list[dict[str, Any]], qrels: str) -> Path:
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": "d1", "title": "VPN", "text": "Connect."}, {"_id": "d2", "text": "Print."}]
    (folder / "corpus.jsonl").write_text("\n".join(json.dumps(row) for row in corpus))
    (folder / "queries.jsonl").write_text("\n".join(json.dumps(row) for row in queries) + "\n")
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def test_a_collection_is_read_with_its_titles_and_conversations(tmp_path: Path) -> None:
    queries: list[dict[str, Any]] = [
        {"_id": "q1", "text": "no vpn"},
        {"_id": "q2", "title": "Printing", "text": "It jams."},
        {
            "_id": "q3",
            "conversation": [
                {"speaker": "user", "text": "How do I print?"},
                {"speaker": "agent", "text": "Press Print."},
                {"speaker": "user", "text": "And on Android?"},
            ],
        },
    ]
    read = collection(written(tmp_path, queries=queries, qrels="query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t2\n"))

    assert [document.title for document in read.documents] == ["VPN", ""]
    assert read.queries == (
        Query("q1", "no vpn"),
        Query("q2", "It jams.", title="Printing"),
        Query("q3", "And on Android?", earlier=("How do I print?",)),
    )
    assert read.qrels == {"q1": {"d1": 1}, "q2": {"d2": 2}}


@pytest.mark.parametrize(
    ("queries", "qrels", "said"),
    [
        ([{"_id": "q1"}], "q1\td1\t1\n", "queries.jsonl, line 1: a question needs `text`."),
        ([{"_id": 1, "text": "x"}], "q1\td1\t1\n", "queries.jsonl, line 1: `_id` must be a string."),
        ([{"_id": "a b", "text": "x"}], "q1\td1\t1\n", "'a b' can't stand in a run"),
        ([{"_id": "q1", "text": "x"}] * 2, "q1\td1\t1\n", "queries.jsonl has an `_id` twice."),
        ([{"_id": "q1", "text": "x"}], "q1\td1\n", "line 1: query, document, number expected"),
        ([{"_id": "q1", "text": "x"}], "query-id\tcorpus-id\tscore\n", "names no relevant document"),
        ([{"_id": "q1", "text": "x", "conversation": ["x"]}], "q1\td1\t1\n", "`conversation` must be a list"),
    ],
)
def test_what_is_wrong_with_a_collection_is_said_in_a_line(
    tmp_path: Path, queries: list[dict[str, Any]], qrels: str, said: str
) -> None:
    with pytest.raises(BadCollection) as refused:
        collection(written(tmp_path, queries=queries, qrels=qrels))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_folder_without_a_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadCollection, match=r"corpus\.jsonl can't be read: No such file"):
        collection(tmp_path)


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
