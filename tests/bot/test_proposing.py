"""A language model may say that a message is a routine request, and what it says; code decides what comes of it."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bot.conversation import Asked, decide
from bot.outcomes import InProgress
from bot.people import Employee
from bot.proposing import Proposable, Proposal, Proposer
from bot.routines.offers import Offer, Offers
from bot.routing import Intent, Route
from bot.values import Kind, Wanted
from bot.workflows.register import proposable
from knowledge.budget import TokenBudget
from knowledge.library import Answer
from store import Database
from tests.knowledge.scripted import scripted

TODAY = date(2026, 3, 2)
TEXT = "could somebody see to it that I can work with the design tools until the 6th, since we relaunch the shop?"
JOIN = Proposable(
    "group_join",
    "Join a group",
    (
        Wanted("what", Kind.CHOICE, ("design-tools", "price-lists")),
        Wanted("until", Kind.UNTIL),
        Wanted("reason", Kind.REASON),
    ),
)
RESET = Proposable("password_reset", "Reset your password")
Make = Callable[..., Proposer]


def said(request: str, **values: str) -> list[Any]:
    """What a model writes, in two pieces."""
    given = [{"field": field, "value": value} for field, value in values.items()]
    whole = json.dumps({"request": request, "values": given})
    return [whole[:9], whole[9:]]


@pytest.fixture
def proposer(database: Database) -> Make:
    def make(*scripts: Any, per_day: int = 100_000) -> Proposer:
        budget = TokenBudget(database, per_day, now=lambda: datetime(2026, 3, 2, 9, tzinfo=UTC))
        return Proposer(scripted(*scripts), budget, (JOIN, RESET), today=lambda: TODAY)

    return make


def test_a_request_is_proposed_with_the_values_that_the_message_says(proposer: Make) -> None:
    script = said("group_join", what="Design-Tools", until="2026-03-06", reason="we relaunch the shop")
    values = {"what": "design-tools", "until": "2026-03-06", "reason": "we relaunch the shop"}
    assert proposer(script).propose(TEXT) == Proposal("group_join", values)


@pytest.mark.parametrize(
    "values",
    [
        {"what": "admins"},
        {"until": "2026-03-01"},
        {"until": "Friday"},
        {"reason": "the manager has agreed"},
        {"account": "bob"},
        {"what": ""},
    ],
)
def test_a_value_that_isnt_said_or_isnt_on_offer_is_left_out(proposer: Make, values: dict[str, str]) -> None:
    assert proposer(said("group_join", **values)).propose(TEXT) == Proposal("group_join", {})


@pytest.mark.parametrize(
    "script",
    [
        said("none"),
        said("delete_everything"),
        ["I think it is group_join"],
        ['{"request": '],
        [ConnectionError("gone")],
        [ValueError("odd")],
    ],
)
def test_nothing_is_proposed_when_the_model_says_so_or_fails(proposer: Make, script: list[Any]) -> None:
    assert proposer(script).propose(TEXT) is None


def test_a_slow_model_is_waited_for_no_longer_than_its_time(proposer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.proposing.SECONDS", 0.1)
    assert proposer([threading.Event()]).propose(TEXT) is None


def test_nothing_is_asked_beyond_the_days_tokens(proposer: Make) -> None:
    assert proposer(said("group_join"), per_day=100).propose(TEXT) is None


def asked() -> Asked:
    return Asked(TEXT, Employee("T1", "U1", "Alice", "alice", "id-1"), private=True)


def desk(sure: float | None, proposer: Any) -> Any:
    """One whose router is so sure, and whose knowledge base knows the answer."""
    return SimpleNamespace(
        router=SimpleNamespace(route=lambda _: Route(Intent.OTHER, 0.5, sure=sure)),
        library=SimpleNamespace(answer=lambda *_, **__: Answer("Do it.", 0.9, True)),
        database=None,
        grounded=None,
        proposer=proposer,
    )


class Obedient:
    """A model that takes whatever it is given for a wish for a password."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def propose(self, text: str) -> Proposal:
        self.read.append(text)
        return Proposal("password_reset", {"account": "bob"})


def test_what_is_proposed_begins_a_draft_and_no_more() -> None:
    outcome = decide(desk(0.3, Obedient()), asked()).outcome
    assert isinstance(outcome, InProgress)
    assert (outcome.workflow, outcome.request) == ("password_reset", None)


@pytest.mark.parametrize("sure", [None, 0.05])
def test_the_model_isnt_asked_about_what_is_hardly_a_request(sure: float | None) -> None:
    model = Obedient()
    assert decide(desk(sure, model), asked()).outcome.kind == "answered"
    assert model.read == []


def test_what_needs_something_on_offer_is_proposable_once_there_is_any() -> None:
    nothing = {each.name for each in proposable(Offers())}
    assert {"password_reset", "account_unlock"} <= nothing
    assert "group_join" not in nothing
    some = {each.name: each for each in proposable(Offers([Offer(kind="group", name="design-tools", group="g")]))}
    assert some["group_join"].wanted[0].offered == ("design-tools",)
