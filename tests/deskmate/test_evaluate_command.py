import json
from pathlib import Path
from typing import Any

import pytest

from tests.deskmate.conftest import run

ARTICLES = {
    "vpn": ("Connect to the VPN", "1. Open the VPN app.\n2. Choose *Home office*.\n"),
    "printer": ("Add a printer", "---\ndescription: Print on your floor\n---\n\n1. Open *Printers*.\n2. Choose one.\n"),
    "lunch": ("Canteen hours", "---\nno front matter, only a line\n"),
}


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    folder = tmp_path / "collection"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": key, "title": title, "text": text} for key, (title, text) in ARTICLES.items()]
    asked: list[dict[str, Any]] = [
        {"_id": "q1", "text": "vpn from home"},
        {"_id": "q2", "title": "Printing", "text": "Which one is on my floor?"},
        {
            "_id": "q3",
            "text": "and the one at home?",
            "conversation": [
                {"speaker": "user", "text": "how do I open the vpn app"},
                {"speaker": "user", "text": "and the one at home?"},
            ],
        },
        {"_id": "q4", "text": "who is the queen"},
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tvpn\t1\nq2\tprinter\t1\nq3\tvpn\t1\n")
    return folder


def test_a_collection_is_evaluated_in_a_store_of_its_own(new_home: Path, questions: Path, tmp_path: Path) -> None:
    run_file = tmp_path / "run.txt"
    result = run("evaluate", str(questions), "--run", str(run_file), "--json")

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["ndcg@10"], found["recall@100"], found["mrr@10"]) == (1.0, 1.0, 1.0)
    assert (found["documents"], found["queries"], found["judged"]) == (3, 4, 3)
    assert 0 < found["query_ms"]["p50"] <= found["query_ms"]["p95"]
    lines = [line.split(" ") for line in run_file.read_text().splitlines()]
    assert {line[0] for line in lines} == {"q1", "q2", "q3", "q4"}
    assert [line[2] for line in lines if line[0] == "q1" and line[3] == "1"] == ["vpn"]
    assert not new_home.exists(), "nothing is left in the home"


def test_it_is_told_in_words_too(new_home: Path, questions: Path, tmp_path: Path) -> None:
    result = run("evaluate", str(questions), "--run", str(tmp_path / "run.txt"))
    assert "ndcg@10     1.000  (95 %: 1.000 to 1.000)" in result.stdout
    assert "3 judged of 4 questions, 3 documents" in result.stdout


@pytest.mark.parametrize(
    ("folder", "run_file", "said"),
    [
        ("nowhere", "run.txt", "corpus.jsonl can't be read: No such file or directory."),
        ("collection", "no/such/folder/run.txt", "run.txt can't be written: No such file or directory."),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_embedded(
    new_home: Path, questions: Path, tmp_path: Path, folder: str, run_file: str, said: str
) -> None:
    result = run("evaluate", str(tmp_path / folder), "--run", str(tmp_path / run_file))
    assert result.exit_code == 1
    assert result.stderr.startswith("deskmate: ")
    assert result.stderr.rstrip().endswith(said)
    assert result.stderr.count("\n") == 1
