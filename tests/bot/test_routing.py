"""Which messages begin a password reset, and which are only about one."""

import json
from pathlib import Path

import pytest

from bot.routing import Intent, Router
from bot.workflows.register import ROUTINES
from knowledge.embedder import Embedder, exported_model
from knowledge.settings import default_cache

HARD = [json.loads(line) for line in Path(__file__).with_name("hard_negatives.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def router() -> Router:
    return Router(Embedder(exported_model("", default_cache())).encode, ROUTINES)


def test_hardly_anything_that_is_only_about_passwords_begins_a_reset(router: Router) -> None:
    texts = [row["text"] for row in HARD if not row["workflow"]]
    assert len(texts) == 150
    assert len([text for text in texts if router.route(text).workflow]) <= 2


def test_most_wishes_that_are_worded_in_another_way_begin_one(router: Router) -> None:
    texts = [row["text"] for row in HARD if row["workflow"]]
    assert len(texts) == 60
    assert len([text for text in texts if router.route(text).workflow == "password_reset"]) >= 50


@pytest.mark.parametrize("text", ["what is our password policy", "my laptop is slow", "tell me a joke", "thanks!"])
def test_a_route_that_is_no_routine_request_names_no_workflow(router: Router, text: str) -> None:
    route = router.route(text)
    assert route.intent is not Intent.ROUTINE
    assert route.workflow is None


def test_a_routine_request_says_how_sure_it_is(router: Router) -> None:
    route = router.route("I forgot my pw")
    assert (route.intent, route.workflow) == (Intent.ROUTINE, "password_reset")
    assert route.sure is not None
    assert route.sure >= 0.5
