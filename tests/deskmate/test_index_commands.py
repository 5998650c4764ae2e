import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.embedder import exported_model
from knowledge.settings import default_cache
from tests.deskmate.conftest import run, use

QUESTION = "How do I set up the VPN on Windows?"


@pytest.fixture
def own_home(filled_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with articles that a test may change."""
    return use(Path(shutil.copytree(filled_home, tmp_path / "home")), monkeypatch)


@pytest.fixture
def other_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a second model: the bundled weights, read otherwise."""
    bundled = exported_model("", default_cache())
    models = tmp_path / "models"
    (models / "other-1").mkdir(parents=True)
    (models / bundled.name).symlink_to(bundled)
    for name in ("model.onnx", "tokenizer.json"):
        (models / "other-1" / name).symlink_to(bundled / name)
    about = json.loads((bundled / "model.json").read_text()) | {"name": "other", "pooling": "cls"}
    (models / "other-1" / "model.json").write_text(json.dumps(about))
    monkeypatch.setenv("DESKMATE_MODELS", str(models))
    return "other"


def said(*arguments: str, code: int = 0) -> Any:
    result = run("index", *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def answered() -> str:
    return str(json.loads(run("ask", QUESTION, "--json").stdout)["citations"][0]["article_id"])


def test_of_a_new_home_there_is_one_generation_and_it_is_complete(own_home: Path) -> None:
    (only,) = said("list")
    assert (only["state"], only["missing"]) == ("active", 0)
    assert only["articles"] > 5
    built = said("build")
    assert (built["name"], built["added"], built["embedded"], built["active"]) == (only["name"], 0, 0, True)
    assert "already" in run("index", "build").stdout


def test_another_model_is_built_switched_to_left_again_and_pruned(own_home: Path, other_model: str) -> None:
    (first,) = said("list")
    built = said("build", "--embedder", other_model)
    assert (built["added"], built["active"]) == (first["articles"], False)
    assert {(each["name"], each["state"]) for each in said("list")} == {
        (first["name"], "active"),
        (built["name"], "built"),
    }
    assert said("switch", built["name"]) == {"active": built["name"]}
    assert answered() == "kb-vpn-setup"
    assert said("verify")["generation"] == built["name"]
    assert said("switch", "--back") == {"active": first["name"]}
    assert answered() == "kb-vpn-setup"
    said("switch", built["name"])
    assert said("prune")["passages"] == {}, "the one before may be gone back to"


def test_what_differs_from_sql_is_found_and_mended(own_home: Path) -> None:
    found = said("verify")
    assert (found["missing"], found["surplus"], found["changed"], found["misplaced"]) == (0, 0, 0, 0)
    with sqlite3.connect(own_home / "deskmate.sqlite") as connection:  # behind the index's back
        flipped = connection.execute("SELECT id, vectors FROM passages LIMIT 1").fetchone()
        vector = np.frombuffer(flipped[1], dtype="<f4")
        turned = np.concatenate([-vector[:1], vector[1:]]).tobytes()
        connection.execute("UPDATE passages SET vectors = ? WHERE id = ?", (turned, flipped[0]))
    connection.close()
    assert said("verify", code=1)["changed"] == 1
    assert "deskmate index verify --mend" in run("index", "verify").stdout
    mended = said("verify", "--mend")
    assert (mended["changed"], mended["mended"]) == (1, True)
    assert said("verify")["changed"] == 0
    assert answered() == "kb-vpn-setup"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["switch"], 2, "Give a NAME, or --back."),
        (["switch", "x", "--back"], 2, "Give a NAME, or --back."),
        (["switch", "nothing.c1"], 1, "nothing.c1"),
        (["switch", "--back"], 1, "There is no earlier generation to go back to."),
        (["build", "--embedder", "/nowhere/model"], 1, "/nowhere/model"),
    ],
)
@pytest.mark.usefixtures("own_home")
def test_what_cannot_be_done_is_said_in_one_line(arguments: list[str], code: int, line: str) -> None:
    result = run("index", *arguments)
    assert result.exit_code == code
    assert line in result.stderr
    if code == 1:
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("own_home")
def test_nothing_is_pruned_of_what_is_in_use() -> None:
    before = said("list")
    pruned = said("prune")
    assert pruned["passages"] == {}
    assert said("list") == before
    assert answered() == "kb-vpn-setup"
