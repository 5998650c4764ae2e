import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from bot.outcomes import Answered, to_json
from bot.records import Conversation, Feedback, Turn
from bot.traces import keep
from bot.why import Branch, Why
from deskmate import training
from deskmate.settings import Settings
from deskmate.training import Trained, confirmed_answers, train
from ingest.progress import Silent
from knowledge.embedder import exported_model
from knowledge.evaluation import Metric
from knowledge.library import Library
from knowledge.settings import default_cache
from knowledge.training import Learnt
from store import Database
from tests.deskmate.conftest import run, use

QUESTION = "How do I set up the VPN on Windows?"
NOW = datetime(2026, 11, 24, 13, 6, tzinfo=UTC)


@pytest.fixture
def own_home(filled_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with articles that a test may change."""
    home = use(Path(shutil.copytree(filled_home, tmp_path / "home")), monkeypatch)
    bundled = exported_model("", default_cache())
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / bundled.name).symlink_to(bundled)
    monkeypatch.setenv("DESKMATE_MODELS", str(tmp_path / "exports"))
    return home


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """A collection of which any model knows the answers: what is asked is a title."""
    folder = tmp_path / "labelled"
    (folder / "qrels").mkdir(parents=True)
    things = [f"{thing} {number}" for thing in ("printer", "badge", "phone", "scanner") for number in range(6)]
    ids = [thing.replace(" ", "-") for thing in things]
    rows = list(zip(ids, things, strict=True))
    corpus = [{"_id": key, "title": f"Repair {thing}", "text": f"Switch {thing} off and on."} for key, thing in rows]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text(
        "\n".join(json.dumps({"_id": key, "text": f"repair {thing}"}) for key, thing in rows)
    )
    (folder / "qrels" / "test.tsv").write_text(
        "query\tdocument\tscore\n" + "".join(f"{key}\t{key}\t1\n" for key in ids)
    )
    return folder


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.training.BATCH", 8)


def trained(folder: Path, keeps: Callable[[Metric], bool] = training.better) -> Trained:
    """After a step or two."""
    return train(Settings.read(), folder, 0.01, Silent(), keeps=keeps)


def answered() -> str:
    result = run("ask", QUESTION, "--json")
    assert result.exit_code == 0, result.output
    return str(json.loads(result.stdout)["citations"][0]["article_id"])


def said(*arguments: str) -> Any:
    result = run("index", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.slow
@pytest.mark.usefixtures("small_steps")
def test_a_model_that_is_not_better_is_deleted_and_the_figures_are_told(own_home: Path, questions: Path) -> None:
    before = sorted(path.name for path in own_home.iterdir())
    result = run("index", "train", "--evaluate", str(questions), "--minutes", "0.1", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["kept"], told["model"], told["generation"], told["next"]) == (False, None, None, [])
    assert told["pairs"] >= 50
    assert told["steps"] >= 1
    assert (told["documents"], told["questions"]) == (24, 24)
    assert told["before"] > 0.9
    low, high = told["interval"]
    assert low <= told["difference"] <= high
    assert low <= 0
    assert sorted(path.name for path in own_home.iterdir() if path.name != "train.lock") == before
    assert [each["state"] for each in said("list")] == ["active"]


@pytest.mark.slow
@pytest.mark.usefixtures("small_steps")
def test_a_better_model_is_kept_built_switched_to_and_moves_with_the_home(
    own_home: Path, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = trained(questions, keeps=lambda _: True)
    assert made.kept is not None
    assert made.kept.parent == own_home / "models"
    assert [path.name for path in made.kept.parent.iterdir()] == [made.kept.name], "nothing half-made is left"
    assert "That is better" in str(made)
    assert [each["state"] for each in said("list")] == ["active"], "nothing is switched by itself"

    build, switch, calibrate = made.next_steps
    assert calibrate.startswith("DESKMATE_EMBEDDER=")
    built = run(*build.split()[1:])
    assert built.exit_code == 0, built.output
    assert made.compared.generation in built.stdout
    assert run(*switch.split()[1:]).exit_code == 0
    assert answered() == "kb-vpn-setup"
    assert "says the same" in run("index", "verify").stdout

    moved = own_home.rename(tmp_path / "moved")
    use(moved, monkeypatch)
    monkeypatch.setenv("DESKMATE_MODELS", str(tmp_path / "exports"))
    assert answered() == "kb-vpn-setup"
    monkeypatch.setenv("DESKMATE_MODELS", str(tmp_path / "no-exports-yet"))
    assert answered() == "kb-vpn-setup", "exported anew, it is still the same model"
    (active,) = [each for each in said("list") if each["state"] == "active"]
    assert active["embedder"] == f"models/{made.kept.name}"

    shutil.rmtree(moved / "models")
    result = run("ask", QUESTION)
    assert result.exit_code == 1
    assert f"models/{made.kept.name} isn't in {moved}" in result.stderr


def half_a_model(error: type[BaseException]) -> Callable[..., Learnt]:
    def learn(_name: str, _pairs: object, folder: Path, **_: object) -> Learnt:
        folder.mkdir()
        (folder / "model.safetensors").write_text("half")
        raise error

    return learn


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_is_interrupted_or_fails_leaves_nothing_behind(
    own_home: Path, questions: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    monkeypatch.setattr(training, "learn", half_a_model(error))
    with pytest.raises(error):
        trained(questions)
    assert not (own_home / "models").exists()


def test_what_a_killed_training_left_is_deleted_by_the_next_and_kept_models_stay(
    own_home: Path, questions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_home / "models" / ".training" / "trained-2026-01-01-1").mkdir(parents=True)
    (own_home / "models" / "trained-2026-01-02-1").mkdir()
    monkeypatch.setattr(training, "learn", half_a_model(RuntimeError))
    with pytest.raises(RuntimeError):
        trained(questions)
    assert [path.name for path in (own_home / "models").iterdir()] == ["trained-2026-01-02-1"]


def test_a_second_training_in_the_same_home_is_refused(own_home: Path, questions: Path) -> None:
    with FileLock(own_home / "train.lock"):
        result = run("index", "train", "--evaluate", str(questions))
    assert result.exit_code == 1
    assert result.stderr == f"deskmate: Another process trains a model in {own_home} right now.\n"


def test_what_is_missing_is_said_in_one_line(new_home: Path, questions: Path, tmp_path: Path) -> None:
    def complaint(*arguments: str) -> str:
        result = run("index", "train", *arguments)
        assert result.exit_code == 1, result.output
        assert result.stderr.startswith("deskmate: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    assert "There is no database in" in complaint()
    few = tmp_path / "few"
    few.mkdir()
    (few / "vpn.md").write_text("# Connect to the VPN\n\n1. Open the app.\n")
    assert run("ingest", str(few)).exit_code == 0
    assert "too little to learn from: " in complaint("--evaluate", str(questions))
    assert "corpus.jsonl can't be read" in complaint("--evaluate", str(tmp_path / "nowhere"))
    rows = (questions / "qrels" / "test.tsv").read_text().splitlines()
    (questions / "qrels" / "test.tsv").write_text("\n".join(rows[:6]))
    for number in range(80):
        (few / f"{number}.md").write_text(f"# Article {number}\n\nIt says {number}.\n")
    assert run("ingest", str(few)).exit_code == 0
    assert "Only 5 questions would judge the model" in complaint("--evaluate", str(questions))
    assert "Only 0 questions would judge the model; 20 are needed. Give labelled ones by --evaluate." in complaint()
    assert not (new_home / "models").exists()


def test_no_time_to_learn_is_a_misuse(own_home: Path) -> None:
    assert run("index", "train", "--minutes", "0").exit_code == 2
    assert not (own_home / "models").exists()


def test_only_answers_that_everybody_found_helpful_are_confirmed(own_home: Path) -> None:
    settings = Settings.read()
    database = Database.at(f"sqlite:///{own_home / 'deskmate.sqlite'}")
    with Library(database, settings.knowledge, brief=True) as library:
        answer = library.answer(QUESTION)
    with database.transaction() as session:
        session.add(
            Conversation(
                id=1, team="T1", channel="D1", thread_ts="1", employee="U1", surface="im", created_at=NOW,
                last_turn_at=NOW,
            )
        )  # fmt: skip
        for key, thumbs in {"liked": [True, True], "disputed": [True, False], "disliked": [False]}.items():
            session.add(
                Turn(
                    key=key, conversation_id=1, ts=key, user="U1", text=QUESTION, files=[], state="done",
                    outcome=to_json(Answered(answer)), outcome_kind="answered", received_at=NOW,
                )
            )  # fmt: skip
            session.flush()
            keep(session, key, Why(Branch.KNOWLEDGE_BASE, search=answer.trace), NOW)
            for number, helpful in enumerate(thumbs):
                session.add(Feedback(turn_key=key, user=f"U{number}", helpful=helpful, wrong=None, at=NOW))
    with database.reading() as session:
        (found,) = confirmed_answers(session)
    database.close()
    assert found.passages == answer.passage_ids
    assert answer.trace is not None
    assert found.question == answer.trace.understood
