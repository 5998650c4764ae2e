"""S2: a captured request sent again has no further effect, and after five minutes it isn't even listened to."""

import time
from typing import Any

import pytest
from slack_sdk import signature

from tests.bot.conftest import ALICE, BOB
from tests.faults.over_http import Line, Request

MINUTE, DAY = 60, 86_400
QUESTION, HUMAN = "How do I connect to the VPN from home?", "I want to talk to a human"
NO_EFFECT = (
    *("auth.test", "chat.postEphemeral", "users.info", "users.conversations"),
    *("conversations.replies", "conversations.history", "conversations.members"),
)


def captured(line: Line) -> list[Request]:
    """A bit of everything that Slack sends: messages, a mention, an edit, clicks, a form, the Home, commands."""
    place, workspace = line.place, line.place.sandbox.workspace
    answer = place.ask(QUESTION)
    place.press(ALICE, answer, "answer_feedback", "positive")
    place.press(ALICE, answer, "answer_human")
    place.until(place.tickets)
    place.press(BOB, place.card(), "triage_claim")
    place.until(lambda: place.tickets()[0]["assignee"] == BOB)
    workspace.post(BOB, "C0TRIAGE", "On my way.", thread_ts=place.card().ts)
    place.until(lambda: "On my way" in str(place.replies(place.dm(), str(answer.thread_ts))))
    place.press(BOB, place.card(), "triage_resolve")
    form = workspace.view_of(BOB)
    assert form is not None
    assert workspace.submit(BOB, form.id, {"resolution": {"value": "Explained it"}}) is None
    place.until(lambda: place.tickets()[0]["state"] == "resolved")
    asked = place.says(ALICE, "how do I add a printer?")
    place.reply(asked)
    workspace.edit(ALICE, place.dm(), asked, HUMAN)
    place.until(lambda: len(place.tickets()) == 2)
    mention = place.says(ALICE, f"<@U0DESK> {QUESTION}", channel="C0ITHELP")
    place.reply(mention, channel="C0ITHELP")
    workspace.open_home(ALICE)
    workspace.command(ALICE, place.dm(), "/desk", "human my badge is broken")
    place.until(lambda: len(place.tickets()) == 3)
    workspace.command(ALICE, place.dm(), "/desk", "my tickets")
    workspace.open_assistant(ALICE)
    workspace.change_profile(ALICE, title="Head of sales")
    quiet(line)
    return list(line.tap.requests)


def effects(line: Line) -> dict[str, Any]:
    """All that a request can have changed: what is in the workspace, and what the desk asked Slack to do.

    A whisper, as "INC0000001 is resolved already", is none: only who clicked sees it, and Slack doesn't keep it.
    """
    sandbox = line.place.sandbox
    with sandbox.workspace.lock:
        kept = [message for room in sandbox.workspace.history.values() for message in room.values()]
        messages = [(m.channel, m.ts, m.text, str(m.blocks), str(m.reactions)) for m in kept if not m.ephemeral_for]
        homes = {user: view.hash for user, view in sandbox.workspace.homes.items()}
    calls = [call for call in list(sandbox._api.calls) if call["method"] not in NO_EFFECT]
    acts = [call["method"] for call in calls if call["result"]["ok"]]
    return {"messages": messages, "homes": homes, "acts": acts, "tickets": line.place.tickets()}


def quiet(line: Line) -> None:
    """Wait until nothing has happened for a while."""
    line.place.settled()
    before: Any = None
    while before != (now := (len(line.place.sandbox._api.calls), len(line.tap.requests))):
        before = now
        time.sleep(1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Moves the clock by which signatures are judged."""

    def move(seconds: float) -> None:
        monkeypatch.setattr(signature.Clock, "now", lambda self: time.time() + seconds)

    return move


def test_what_is_sent_again_within_five_minutes_has_no_further_effect(line: Line, clock: Any) -> None:
    requests = captured(line)
    before = effects(line)
    for age in (0, 4 * MINUTE):
        clock(age)
        for request in requests:
            line.send(request)
            line.send(request.retried(1))
    quiet(line)

    assert effects(line) == before


def test_what_is_sent_again_after_six_minutes_or_a_day_is_refused(line: Line, clock: Any) -> None:
    """So is what claims to come from the future: a clock that goes wrong by six minutes or a day, either way."""
    requests = captured(line)
    before = effects(line)
    for age in (6 * MINUTE, DAY, -6 * MINUTE, -DAY):
        clock(age)
        assert {line.send(request) for request in requests} == {401}
    quiet(line)

    assert effects(line) == before


def test_an_old_request_is_not_made_young_by_a_second_timestamp(line: Line, clock: Any) -> None:
    line.place.ask(QUESTION)
    request = line.tap.requests[0]
    clock(6 * MINUTE)
    fresh = ("x-slack-request-timestamp", str(int(time.time() + 6 * MINUTE)))
    for headers in ((fresh, *request.headers), (*request.headers, fresh)):
        assert line.send(Request(headers, request.body)) == 401
