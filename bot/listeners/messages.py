"""Messages and mentions: recorded durably, then acknowledged."""

from typing import Any

from slack_bolt import App

from bot.desk import Desk
from bot.message import Message, workspace_of
from bot.turns import Turns

PERSONS_OWN = (None, "file_share", "thread_broadcast", "me_message")
"""Subtypes of `message` that a person wrote; the others are Slack's notices."""


def register(app: App, desk: Desk, turns: Turns) -> None:
    def listener(event: dict[str, Any], body: dict[str, Any]) -> None:
        """Record the message; Bolt acknowledges it to Slack once this returns."""
        message = Message.from_slack(event, team=workspace_of(body))
        if desk.triage.is_triage_thread(message.channel, message.thread_ts):
            desk.triage.receive_from_agent(message)
        else:
            turns.receive(message)

    app.event("message", matchers=[is_from_a_person])(listener)
    app.event("message", matchers=[is_not_for_the_desk])(lambda: None)
    app.event("app_mention", matchers=[is_from_a_person])(listener)
    app.event("app_mention", matchers=[is_not_for_the_desk])(lambda: None)


def is_from_a_person(event: dict[str, Any]) -> bool:
    """False for bots, Slack's notices, deletions, and a `message_changed` that left the text alone, as unfurls do."""
    if event.get("subtype") == "message_changed":
        after, before = event["message"], event.get("previous_message") or {}
        return wrote(after) and "edited" in after and after.get("text") != before.get("text")
    return wrote(event)


def is_not_for_the_desk(event: dict[str, Any]) -> bool:
    return not is_from_a_person(event)


def wrote(message: dict[str, Any]) -> bool:
    return bool(message.get("user")) and not message.get("bot_id") and message.get("subtype") in PERSONS_OWN
