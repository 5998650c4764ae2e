import json
from pathlib import Path
from typing import Any

import pytest

from tests.deskmate.conftest import run

KEYS = ["outcome", "text", "confidence", "citations", "workflow", "timings_ms"]
IN_AN_ARTICLE = "How do I set up the VPN on Windows?"


def ask(*arguments: str) -> dict[str, Any]:
    result = run("ask", *arguments, "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.usefixtures("home")
def test_an_answer_is_one_json_document_with_its_sources() -> None:
    answer = ask(IN_AN_ARTICLE)
    assert list(answer) == KEYS
    assert answer["outcome"] == "answered"
    assert "Sources: Set up the VPN" in answer["text"]
    assert 0.5 < answer["confidence"] <= 1
    assert list(answer["citations"][0]) == ["article_id", "title", "url", "heading", "score", "updated_at"]
    assert answer["citations"][0]["article_id"] == "kb-vpn-setup"
    assert answer["workflow"] is None
    assert answer["timings_ms"]["total"] > 0


@pytest.mark.usefixtures("home")
def test_an_answer_without_json_is_what_an_employee_reads() -> None:
    result = run("ask", IN_AN_ARTICLE)
    assert result.stdout.rstrip() == ask(IN_AN_ARTICLE)["text"]


@pytest.mark.usefixtures("home")
def test_a_routine_request_names_its_workflow() -> None:
    answer = ask("I forgot my password")
    assert (answer["outcome"], answer["workflow"], answer["citations"]) == ("in_progress", "password_reset", [])


@pytest.mark.usefixtures("home")
def test_a_wish_for_a_human_would_open_a_ticket_and_opens_none() -> None:
    answer = ask("I want to talk to a human")
    assert answer["outcome"] == "escalated"
    assert "would open a ticket" in answer["text"]
    assert json.loads(run("tickets", "list", "--json").stdout) == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(("account", "sees"), [("bob", True), ("alice", False), (None, False)])
def test_groups_decide_what_is_searched(account: str | None, sees: bool) -> None:
    answer = ask("restart the VPN concentrator", *(["--as", account] if account else []))
    found = [citation["article_id"] for citation in answer["citations"]]
    assert ("kb-it-vpn-restart" in found) == sees
    if sees:
        assert answer["outcome"] == "answered"


@pytest.mark.usefixtures("home")
def test_a_batch_gives_a_result_per_line(tmp_path: Path) -> None:
    lines = [
        {"id": 1, "text": IN_AN_ARTICLE},
        {"id": "two", "text": "I forgot my password", "as": "alice"},
        {"id": "three", "text": ""},
    ]
    batch = tmp_path / "batch.jsonl"
    batch.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    result = run("ask", "--batch", str(batch), "--json")
    assert result.exit_code == 0, result.output
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(entry["id"], entry["outcome"]) for entry in found] == [
        (1, "answered"),
        ("two", "in_progress"),
        ("three", "clarified"),
    ]
    assert list(found[0]) == ["id", *KEYS]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: not an object"),
        ('{"id": 2}', "line 2: `id` and `text` are needed"),
        ('{"id": 2, "text": "hello", "as": 7}', "line 2: `as` must be a string"),
    ],
)
def test_a_broken_line_of_a_batch_is_named_and_nothing_is_answered(tmp_path: Path, line: str, complaint: str) -> None:
    batch = tmp_path / "batch.jsonl"
    batch.write_text('{"id": 1, "text": "hello"}\n' + line)
    result = run("ask", "--batch", str(batch))
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("arguments", [["hello", "--as", "nobody"], ["--batch", "nowhere.jsonl"]])
def test_what_is_not_there_is_said_in_one_line(arguments: list[str]) -> None:
    result = run("ask", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("deskmate: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("arguments", [[], ["hello", "--batch", "file"], ["--batch", "file", "--as", "alice"], ["-x"]])
def test_misuse_ends_with_two(arguments: list[str]) -> None:
    assert run("ask", *arguments).exit_code == 2


def test_asking_makes_no_database(new_home: Path) -> None:
    result = run("ask", "hello")
    assert result.exit_code == 1
    assert "There is no database" in result.stderr
    assert not new_home.exists()
