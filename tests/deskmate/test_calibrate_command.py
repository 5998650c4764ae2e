import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.calibration import read
from tests.deskmate.conftest import run

THINGS = (
    *(
        "printer",
        "badge",
        "phone",
        "scanner",
        "door",
        "laptop",
        "monitor",
        "keyboard",
        "headset",
        "projector",
        "router",
    ),
    *("camera", "tablet", "charger", "mouse", "dock", "locker", "lift", "kettle", "heater", "window", "lamp", "chair"),
    "desk",
)


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """An article on each thing, a question about each, and as many that nothing answers."""
    folder = tmp_path / "collection"
    (folder / "qrels").mkdir(parents=True)
    corpus = [
        {"_id": thing, "title": f"Repair the {thing}", "text": f"Switch the {thing} off and on."} for thing in THINGS
    ]
    asked: list[dict[str, Any]] = [{"_id": thing, "text": f"my {thing} is broken"} for thing in THINGS]
    asked += [{"_id": f"no-{number}", "text": f"who won the cup of {1990 + number}"} for number in range(24)]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    labels = "\n".join(f"{thing}\t{thing}\t1" for thing in THINGS)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{labels}\n")
    return folder


def test_a_calibration_is_learnt_kept_in_the_home_and_told(new_home: Path, collection: Path) -> None:
    result = run("calibrate", str(collection), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["questions"] == 48
    assert told["examples"] == 72, "each answered question counts once more without its article"
    assert told["file"] == str(new_home / "calibration.json")
    made = read(new_home / "calibration.json")
    assert made.embedder == "all-MiniLM-L6-v2"
    assert told["answer_from"] == made.bar(0.05)
    assert "Answers are given from" in run("calibrate", str(collection)).stdout


@pytest.mark.usefixtures("new_home")
def test_too_few_questions_are_refused_in_one_line(collection: Path) -> None:
    rows = (collection / "queries.jsonl").read_text().splitlines()
    (collection / "queries.jsonl").write_text("\n".join([*rows[:3], *rows[-3:]]))
    result = run("calibrate", str(collection))
    assert result.exit_code == 1
    assert result.stderr.startswith("deskmate: There are ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("home")
def test_without_enough_feedback_it_says_how_much_there_is() -> None:
    result = run("calibrate", "--feedback")
    assert result.exit_code == 1
    assert "There are 0 answers with feedback" in result.stderr


@pytest.mark.usefixtures("new_home")
@pytest.mark.parametrize("arguments", [[], ["folder", "--feedback"]])
def test_misuse_ends_with_two(arguments: list[str]) -> None:
    assert run("calibrate", *arguments).exit_code == 2
