"""A language model may word the question for the search; when it can't, the plain question is searched."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from knowledge.articles import Document
from knowledge.budget import TokenBudget
from knowledge.grounded import Grounded
from knowledge.library import Library
from knowledge.llm import LanguageModelSettings
from knowledge.rewriting import Rewriter
from store import Database
from tests.knowledge.scripted import scripted

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEFORE = ("How do I set up mail on my iPhone?",)
PLAIN = "and on Android, error 0x8007007A?"
WHOLE = "How do I set up mail on Android with error 0x8007007A?"
Make = Callable[..., Rewriter]


def question(text: str) -> list[Any]:
    whole = json.dumps({"question": text})
    return [whole[:5], whole[5:]]


def budget(database: Database, per_day: int = 100_000) -> TokenBudget:
    return TokenBudget(database, per_day, now=lambda: NOW)


@pytest.fixture
def rewriter(database: Database) -> Make:
    def make(*scripts: Any, per_day: int = 100_000, seconds: float = 20.0, usage: int | None = None) -> Rewriter:
        settings = LanguageModelSettings(llm="scripted:model", llm_rewrite=True, llm_rewrite_seconds=seconds)
        return Rewriter(scripted(*scripts, usage=usage), budget(database, per_day), settings)

    return make


def test_the_models_question_is_searched_without_the_messages_that_it_has_read(rewriter: Make) -> None:
    search = rewriter(question(WHOLE)).search_for(PLAIN, BEFORE)
    assert (search.text, search.earlier) == (WHOLE, ())
    assert search.stage.name == "rewrite"
    assert "a language model worded" in search.stage.said


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([threading.Event()], "slow"),
        ([ConnectionError("gone")], "down"),
        (["How do I set up mail?"], "malformed"),
        (['{"question": '], "malformed"),
        (question(" "), "malformed"),
        (question("x" * 600 + " 0x8007007A"), "malformed"),
        (question("How do I set up mail on Android?"), "unsupported"),
    ],
)
def test_a_model_that_fails_leaves_the_plain_question_and_what_was_said_before(
    rewriter: Make, script: list[Any], reason: str
) -> None:
    search = rewriter(script, seconds=0.3 if reason == "slow" else 20.0).search_for(PLAIN, BEFORE)
    assert (search.text, search.earlier) == (PLAIN, BEFORE)
    assert reason in search.stage.said


def test_without_tokens_left_for_today_the_model_is_not_asked(rewriter: Make, database: Database) -> None:
    def never(prompt: str) -> list[Any]:
        raise AssertionError("it was asked")

    search = rewriter(never, per_day=500).search_for(PLAIN, BEFORE)
    assert search.text == PLAIN
    assert "over budget" in search.stage.said
    assert budget(database).spent_today() == 0


def test_what_it_costs_is_counted_and_the_rest_put_back(rewriter: Make, database: Database) -> None:
    rewriter(question(WHOLE), usage=321).search_for(PLAIN, BEFORE)
    assert budget(database).spent_today() == 321


def test_an_answer_is_searched_by_the_models_question_and_its_trace_says_so(
    library: Library, article: Callable[..., Document], rewriter: Make
) -> None:
    library.add(
        [
            article(
                "phone", "Set up mail on an Android phone", "Open *Gmail*, choose *Add account*, then *Exchange*.\n"
            ),
            article("toner", "Change the toner", "The toner of a printer is behind its front.\n"),
            article("boss", "Android phones for managers", "Mail on Android: ask for one.\n", access=("managers",)),
        ]
    )
    plain = library.answer("same 4 the robot one plz")
    assert not plain.confident
    answer = library.answer(
        "same 4 the robot one plz", rewriter=rewriter(question("Set up mail on an Android 4 phone"))
    )
    assert answer.citations[0].article_id == "phone"
    assert answer.confidence > plain.confidence
    assert "boss" not in [citation.article_id for citation in answer.citations]
    assert answer.trace is not None
    assert answer.trace.question == "same 4 the robot one plz"
    assert answer.trace.understood == "Set up mail on an Android 4 phone"
    assert "rewrite" in [stage.name for stage in answer.trace.stages]


@pytest.mark.parametrize("wanted", [True, False])
def test_it_is_done_only_by_setting(database: Database, wanted: bool) -> None:
    settings = LanguageModelSettings(llm="scripted:model", llm_rewrite=wanted)
    assert (Grounded(scripted([]), database, settings).rewriter is not None) == wanted
