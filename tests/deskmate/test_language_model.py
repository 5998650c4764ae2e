"""The command line with a language model on a real wire."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deskmate.test_commands import document
from tests.knowledge.model_server import ModelServer, Trouble, model_server
from tests.knowledge.scripted import draft

QUESTION = "How do I set up the VPN on Windows?"


def first_line(prompt: str) -> list[Any]:
    """Answers with the first step of the first passage that has steps, to the letter."""
    for number, text in re.findall(r'<passage-\w+ n="(\d+)">(.*?)</passage', prompt, re.DOTALL):
        if step := re.search(r"^1\. (.*)$", text, re.MULTILINE):
            return draft((step[1], [int(number)]))
    raise AssertionError("no passage has steps")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with model_server() as server:
        server.scripts = [first_line]
        monkeypatch.setenv("DESKMATE_LLM", "openai:local-model")
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server


def test_ask_prints_the_checked_answer_of_the_model(home: Path, server: ModelServer) -> None:
    result = document("ask", QUESTION)
    assert result["outcome"] == "answered"
    assert "[1]" in result["text"]
    assert result["timings_ms"]["write"] > 0
    assert len(result["citations"]) == 1
    assert len(server.requests) == 1


def test_ask_prints_the_articles_words_when_the_model_fails(home: Path, server: ModelServer) -> None:
    server.scripts = [lambda _: [Trouble(401)]]
    result = document("ask", QUESTION)
    assert result["outcome"] == "answered"
    assert "[1]" not in result["text"]


def test_the_doctor_says_whether_the_model_answers(home: Path, server: ModelServer) -> None:
    def found() -> tuple[str, str]:
        check = next(check for check in document("doctor") if check["name"] == "language model")
        return check["state"], check["found"]

    server.scripts = [lambda _: ["ready"]]
    assert found() == ("ok", "openai:local-model answers")
    server.scripts = [lambda _: [Trouble(401)]]
    state, said = found()
    assert state == "optional"
    assert "AuthenticationError 401" in said


def test_a_process_without_a_model_does_not_import_langchain() -> None:
    loaded = "any(name.startswith('langchain') for name in sys.modules)"
    code = f"import sys, deskmate.open_desk, deskmate.wiring; sys.exit({loaded})"
    subprocess.run([sys.executable, "-c", code], check=True)
