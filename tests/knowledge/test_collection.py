"""Labelled questions in BEIR's layout."""

import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.collection import BadCollection, Query, collection
from knowledge.json_lines import NotReadable


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
        Query("q2", "Printing\nIt jams."),
        Query("q3", "And on Android?", earlier=("How do I print?",)),
    )
    assert read.qrels == {"q1": {"d1": 1}, "q2": {"d2": 2}}


@pytest.mark.parametrize(
    ("queries", "qrels", "said"),
    [
        ([{"_id": "q1"}], "q1\td1\t1\n", "queries.jsonl, line 1: a question needs `text`."),
        ([{"_id": 1, "text": "x"}], "q1\td1\t1\n", "queries.jsonl, line 1: `_id` must be a string."),
        ([{"_id": "a b", "text": "x"}], "q1\td1\t1\n", "'a b' can't stand in a run"),
        ([{"_id": "", "text": "x"}], "q1\td1\t1\n", "'' can't stand in a run"),
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
    with pytest.raises(NotReadable, match=r"corpus\.jsonl can't be read: No such file"):
        collection(tmp_path)
