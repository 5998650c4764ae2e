"""Replies that grow in Slack while they are being written."""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from http.client import HTTPException

from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.blocks import kit
from bot.blocks.markup import markdown
from bot.desk import Desk
from bot.errors import BotError
from bot.records import Conversation, Post, Turn
from bot.signs import Signs
from bot.slack import Slack
from bot.slack_client import is_limited, wait_asked

log = logging.getLogger(__name__)

STATUS_TITLE = 60
LONGEST_WAIT = 60.0
"""Seconds; how long a rate limit is believed."""


class Stream:
    """Follows how an answer is written (`knowledge.grounded.Hearing`). It never raises: a stream that Slack doesn't
    take is left as it is, and the whole reply replaces it in the end (`Slack.finish_stream`)."""

    def __init__(
        self,
        slack: Slack,
        *,
        key: str,
        channel: str,
        thread_ts: str,
        user: str,
        team: str,
        show: Callable[[str], None] | None = None,
    ) -> None:
        """`key` is the turn's; `user` and `team` are whom it is for; `show` shows a status line."""
        self._slack = slack
        self._key, self._channel, self._thread_ts = key, channel, thread_ts
        self._user, self._team = user, team
        self._show = show
        self._ts: str | None = None
        self._written = ""
        self._said = ""
        self._sound = True
        self._not_before = 0.0

    @property
    def said(self) -> str | None:
        """What stands in Slack; None if that isn't known, or nothing was begun."""
        return self._said if self._sound and self._ts is not None else None

    def reading(self, titles: Sequence[str]) -> None:
        if self._show is not None and titles:
            self._show(f"is reading “{titles[0][:STATUS_TITLE]}”…")

    def say(self, piece: str) -> None:
        self._written += piece
        if not self._sound or time.monotonic() < self._not_before:
            return
        harmless = markdown(self._written, kit.MARKDOWN)
        if not harmless.startswith(self._said):
            self._sound = False
            return
        try:
            self._send(harmless)
        except SlackApiError as error:
            if is_limited(error):
                self._not_before = time.monotonic() + min(wait_asked(error), LONGEST_WAIT)
                return  # what is missing goes out with the next sentence
            self._give_up(str(error.response.get("error")))
        except (BotError, OSError, HTTPException, SQLAlchemyError) as error:
            self._give_up(type(error).__name__)

    def _send(self, text: str) -> None:
        if self._ts is None:
            self._ts = self._slack.start_stream(
                self._key, channel=self._channel, thread_ts=self._thread_ts, user=self._user, team=self._team
            )
        self._slack.append_to_stream(channel=self._channel, ts=self._ts, text=text[len(self._said) :])
        self._said = text

    def _give_up(self, why: str) -> None:
        """Whether Slack has taken the last piece isn't known, and to send it again might say it twice."""
        log.warning("the stream of %s is left (%s); the whole reply will follow", self._key, why)
        self._sound = False


class Streams:
    """The streams in hand, from the decision about a turn to its delivery."""

    def __init__(self, desk: Desk, signs: Signs) -> None:
        self._desk = desk
        self._signs = signs
        self._streams: dict[str, Stream] = {}

    def open(self, session: Session, conversation: Conversation, turn: Turn) -> Stream | None:
        """Where the employee can follow how the answer is written; None where the reply replaces another message,
        was begun before, or nothing is written."""
        if self._desk.grounded is None or conversation.surface == "command" or turn.edited_ts is not None:
            return None
        if session.get(Post, turn.key) is not None:
            return None
        stream = Stream(
            self._desk.slack,
            key=turn.key,
            channel=conversation.channel,
            thread_ts=conversation.thread_ts,
            user=turn.user,
            team=turn.user_team or conversation.team,
            show=partial(self._signs.show_status, conversation, turn) if conversation.surface == "assistant" else None,
        )
        self._streams[turn.key] = stream
        return stream

    def taken(self, key: str) -> Stream | None:
        """The stream of the turn `key`, once."""
        return self._streams.pop(key, None)
