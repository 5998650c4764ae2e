"""Signs that a message is seen and done: nobody waits for them, and a reply never fails by them."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPException
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.errors import BotError
from bot.message import plain
from bot.outcomes import Escalated, InProgress, Outcome
from bot.records import Conversation, Turn
from bot.slack import DONE, PASSED_ON, SEEN, Slack

FORGIVEN: tuple[type[Exception], ...] = (SlackApiError, BotError, OSError, HTTPException)

log = logging.getLogger(__name__)

TITLE_LIMIT = 60


class Signs:
    """Reactions to a message, and in the assistant pane the status line and the title."""

    def __init__(self, slack: Slack) -> None:
        self._slack = slack
        self._cosmetics = ThreadPoolExecutor(4, thread_name_prefix="cosmetics")
        self._seen: dict[str, list[Future[None]]] = {}

    def close(self) -> None:
        self._cosmetics.shutdown()

    def show_seen(self, conversation: Conversation, turn: Turn) -> None:
        seen = self._cosmetics.submit(
            quietly, self._slack, "react", channel=conversation.channel, ts=turn.ts, name=SEEN
        )
        self._seen[turn.key] = [seen]
        if conversation.surface == "assistant":
            place = {"channel": conversation.channel, "thread_ts": conversation.thread_ts}
            self.show_status(conversation, turn, "is looking it up…")
            if turn.text and turn.ts:
                self._cosmetics.submit(
                    quietly, self._slack, "set_title", **place, title=plain(turn.text)[:TITLE_LIMIT] or "File"
                )

    def show_status(self, conversation: Conversation, turn: Turn, status: str) -> None:
        place = {"channel": conversation.channel, "thread_ts": conversation.thread_ts}
        shown = self._cosmetics.submit(quietly, self._slack, "set_status", **place, status=status)
        self._seen.setdefault(turn.key, []).append(shown)

    def show_done(self, conversation: Conversation, turn: Turn, outcome: Outcome, handed_over: bool) -> None:
        shown = self._seen.pop(turn.key, [])
        sign: str | None = PASSED_ON if handed_over else DONE
        if isinstance(outcome, Escalated | InProgress) and not handed_over:
            sign = None  # 👀 stays until somebody has seen to it
        self._cosmetics.submit(self._finish, shown, conversation, turn.ts, sign)

    def _finish(self, shown: list[Future[None]], conversation: Conversation, ts: str, sign: str | None) -> None:
        """Take the signs of work back, once they are up: a status that comes after the reply would stay."""
        for call in shown:
            call.result()
        if conversation.surface == "assistant":
            quietly(
                self._slack, "set_status", channel=conversation.channel, thread_ts=conversation.thread_ts, status=""
            )
        if sign is not None:
            quietly(self._slack, "react", channel=conversation.channel, ts=ts, name=sign)
            quietly(self._slack, "unreact", channel=conversation.channel, ts=ts, name=SEEN)


def quietly(slack: Slack, call: str, **arguments: Any) -> None:
    """Do what nobody waits for; that it failed is logged."""
    try:
        getattr(slack, call)(**arguments)
    except FORGIVEN as error:
        log.warning("%s failed: %s", call, error)
