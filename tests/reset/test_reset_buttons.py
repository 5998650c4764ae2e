"""The card's buttons as Bolt hears them, and what is said where others read along."""

import json
import time
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote_plus

from slack_bolt import App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from bot.outcomes import Declined
from bot.records import Conversation, Post
from tests.reset.desk import START, TEAM, ResetDesk


def signed(payload: dict[str, object]) -> BoltRequest:
    body, stamp = "payload=" + quote_plus(json.dumps(payload)), str(int(time.time()))
    headers: dict[str, str | Sequence[str]] = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": SignatureVerifier("signing secret").generate_signature(timestamp=stamp, body=body) or "",
    }
    return BoltRequest(body=body, headers=headers)


def test_each_button_is_heard_recorded_and_acknowledged(desk: ResetDesk) -> None:
    bot = AuthorizeResult(enterprise_id=None, team_id=TEAM, bot_token="xoxb-stub", bot_user_id="U0DESK")
    app = App(signing_secret="signing secret", process_before_response=True, authorize=lambda: bot)
    desk.reset.listen(app)
    request = desk.offered("U0ALICE")
    with desk.database.reading() as session:
        card = session.get_one(Post, f"reset:{request}:card")

    for number, action in enumerate(("reset_continue", "reset_open", "reset_cancel")):
        payload: dict[str, object] = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": "U0ALICE", "team_id": TEAM},
            "container": {"type": "message", "channel_id": card.channel, "message_ts": card.ts},
            "channel": {"id": card.channel},
            "actions": [{"type": "button", "action_id": action, "block_id": "reset", "action_ts": f"{number}.1"}],
        }
        assert app.dispatch(signed(payload)).status == 200
        if action == "reset_continue":
            desk.durable.wait(f"reset:{request}:continue:0.1", 20)
            assert desk.request(request).state == "linked"
    desk.durable.wait(f"reset:{request}:cancel:2.1", 20)

    assert desk.request(request).state == "cancelled"


def test_why_somebody_is_refused_is_not_told_in_a_channel(desk: ResetDesk) -> None:
    desk.add("dora", "U0DORA", privileged=True)
    employee = desk.identify("U0DORA")
    refusal = desk.reset.check(employee)
    with desk.database.transaction() as session:
        conversation = Conversation(
            team=TEAM,
            channel="C0HELP",
            thread_ts="1.1",
            employee="U0DORA",
            surface="channel",
            created_at=START,
            last_turn_at=START + timedelta(0),
        )
        session.add(conversation)
        session.flush()
        outcome = desk.reset.start(
            session, key="k", employee=employee, conversation=conversation, refusal=refusal, given={}, now=START
        )

    assert isinstance(outcome, Declined)
    assert "special rights" in str(refusal)
    assert "special rights" not in outcome.text
    assert "direct message" in outcome.text


def test_what_is_stopped_in_words_is_as_if_it_was_cancelled_by_its_button(desk: ResetDesk) -> None:
    with desk.database.transaction() as session:
        assert desk.reset.stoppable(session, team=TEAM, user="U0ALICE") is None
    request = desk.linked("U0ALICE")
    path = desk.link(request)
    with desk.database.transaction() as session:
        found = desk.reset.stoppable(session, team=TEAM, user="U0ALICE")
        assert found is not None
        assert (found.request, found.title) == (request, "Reset your password")
        assert desk.reset.stop(session, request, now=desk.clock())
        assert desk.reset.stop(session, request, now=desk.clock())  # once more changes nothing
    desk.reset.put_away(request)
    desk.durable.wait(f"reset:{request}:put_away", 20)

    assert desk.submit(path)[0] == 410
    assert [row.event for row in desk.audit()].count("cancel") == 1
    assert any("this card is closed" in str(given) for method, given in desk.client.calls if method == "chat.update")


def test_what_is_done_cant_be_stopped_in_words(desk: ResetDesk) -> None:
    request = desk.linked("U0ALICE")
    assert desk.submit(desk.link(request))[0] == 200
    with desk.database.transaction() as session:
        assert desk.reset.stoppable(session, team=TEAM, user="U0ALICE") is None
        assert not desk.reset.stop(session, request, now=desk.clock())
