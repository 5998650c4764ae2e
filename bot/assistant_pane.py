"""Slack's assistant pane: a new thread in it is remembered, and the person greeted."""

from sqlalchemy import select

from bot.desk import Desk
from bot.records import Conversation
from bot.signs import quietly
from bot.slack_client import TRANSIENT

RETRIES = 9
PROMPTS = (
    {"title": "Reset my password", "message": "I forgot my password"},
    {"title": "Set up the VPN", "message": "How do I set up the VPN on my laptop?"},
    {"title": "Report something broken", "message": "I want to report something broken"},
    {"title": "Talk to a human", "message": "I want to talk to a human"},
)


class AssistantPane:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._greeting = desk.durable.workflow("greeting", self._greet)

    def open(self, *, team: str, channel: str, thread_ts: str, user: str) -> None:
        """Remember the new thread and greet the person in it, once."""
        now = self._desk.now()
        with self._desk.database.transaction() as session:
            known = session.scalar(
                select(Conversation).where(
                    Conversation.team == team, Conversation.channel == channel, Conversation.thread_ts == thread_ts
                )
            )
            if known is None:
                place = {"team": team, "channel": channel, "thread_ts": thread_ts}
                session.add(Conversation(**place, employee=user, surface="assistant", created_at=now, last_turn_at=now))
            elif known.surface == "im":  # the first message was faster
                known.surface = "assistant"
        self._desk.durable.start(self._greeting, channel, thread_ts, key=f"assistant:{team}:{channel}:{thread_ts}")

    def _greet(self, channel: str, thread_ts: str) -> None:
        self._desk.durable.step("greet", self._post_greeting, channel, thread_ts, retries=RETRIES, transient=TRANSIENT)

    def _post_greeting(self, channel: str, thread_ts: str) -> None:
        text = "Hello! Ask me anything about IT. I can also reset your password or bring in a person."
        self._desk.slack.post(
            f"greeting:{channel}:{thread_ts}", channel=channel, thread_ts=thread_ts, text=text, purpose="greeting"
        )
        quietly(
            self._desk.slack, "set_prompts", channel=channel, thread_ts=thread_ts, prompts=PROMPTS, title="For example"
        )
