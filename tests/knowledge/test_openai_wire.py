"""The way to a model over a real wire: LangChain's OpenAI client against a server on this machine."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from knowledge.grounded import Grounded
from knowledge.llm import LanguageModel, LanguageModelSettings
from store import Database
from tests.knowledge.model_server import ModelServer, Pause, Trouble, model_server
from tests.knowledge.scripted import draft
from tests.knowledge.test_grounded import MATERIAL, PLAIN, Heard

TEN_HOURS = ("The VPN ends after 10 hours.", [2])
ANSWER = "The VPN ends after 10 hours. [1] Do not restart the laptop while it connects. [1]"
KEY = "sk-a-secret-of-ours"


def good(_: str) -> list[Any]:
    return draft(TEN_HOURS, ("Do not restart the laptop while it connects.", [2]))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    with model_server() as server:
        server.scripts = [good]
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        yield server


@pytest.fixture
def grounded(server: ModelServer, database: Database) -> Grounded:
    settings = LanguageModelSettings(llm="openai:local-model", llm_timeout_seconds=20)
    return Grounded(LanguageModel(settings), database, settings)


def test_the_request_has_the_structure_and_the_answer_comes_in_pieces(grounded: Grounded, server: ModelServer) -> None:
    heard = Heard()
    answer = grounded.write(MATERIAL, heard)
    assert (answer.text, answer.unwritten) == (ANSWER, "")
    assert len(heard.pieces) == 2
    (request,) = server.requests
    assert request["model"] == "local-model"
    assert request["stream"] is True
    schema = request["response_format"]["json_schema"]["schema"]
    assert set(schema["properties"]) == {"can_answer", "sentences"}
    assert request["max_completion_tokens"] == grounded.model.most_tokens
    assert "Northgate" in str(request["messages"])


def test_a_limited_rate_is_waited_for(grounded: Grounded, server: ModelServer) -> None:
    server.scripts = [lambda _: [Trouble(429, {"Retry-After": "0.1"})], good]
    assert grounded.write(MATERIAL).text == ANSWER
    assert len(server.requests) == 2


@pytest.mark.parametrize("status", [500, 503])
def test_a_server_error_is_tried_again(grounded: Grounded, server: ModelServer, status: int) -> None:
    server.scripts = [lambda _: [Trouble(status)], good]
    assert grounded.write(MATERIAL).text == ANSWER


def test_a_server_that_goes_on_failing_is_down(grounded: Grounded, server: ModelServer) -> None:
    server.scripts = [lambda _: [Trouble(500)]]
    answer = grounded.write(MATERIAL)
    assert (answer.text, answer.unwritten) == (PLAIN.text, "down")


def test_a_key_that_is_refused_is_not_tried_again_and_not_logged(
    grounded: Grounded, server: ModelServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.scripts = [lambda _: [Trouble(401)]]
    with caplog.at_level(logging.INFO, logger="knowledge"):
        assert grounded.write(MATERIAL).unwritten == "down"
    assert len(server.requests) == 1
    assert "AuthenticationError 401" in caplog.text
    assert KEY not in caplog.text


def test_a_connection_that_is_reset_in_the_middle_is_not_used(grounded: Grounded, server: ModelServer) -> None:
    server.scripts = [lambda prompt: [*good(prompt)[:-3], Trouble(reset=True)]]
    heard = Heard()
    answer = grounded.write(MATERIAL, heard)
    assert (answer.text, answer.unwritten) == (PLAIN.text, "down")
    assert len(heard.pieces) == 1


def test_nobody_at_the_address_is_down(
    database: Database, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings = LanguageModelSettings(llm="openai:local-model")
    assert Grounded(LanguageModel(settings), database, settings).write(MATERIAL).unwritten == "down"


@pytest.mark.parametrize("place", [0, 14])
def test_a_server_that_stops_talking_is_slow(database: Database, server: ModelServer, place: int) -> None:
    server.scripts = [lambda prompt: [*good(prompt)[:place], Pause(3), *good(prompt)[place:]]]
    settings = LanguageModelSettings(llm="openai:local-model", llm_timeout_seconds=1)
    answer = Grounded(LanguageModel(settings), database, settings).write(MATERIAL)
    assert (answer.text, answer.unwritten) == (PLAIN.text, "slow")


def test_a_small_models_nonsense_is_not_used(grounded: Grounded, server: ModelServer) -> None:
    server.scripts = [lambda _: ["Sure! Here is ", "your answer: connect [7]."]]
    assert grounded.write(MATERIAL).unwritten == "malformed"
