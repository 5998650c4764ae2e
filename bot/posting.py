"""Sending a message so that it arrives once: what may have arrived is looked for before it is sent again."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.errors import SlackUnavailable
from bot.pace import Pace
from bot.slack_client import is_limited, passes, wait_asked

log = logging.getLogger(__name__)

METADATA_TYPE = "deskmate_post"
POST_ATTEMPTS = 8
LIMITED_ATTEMPTS = 60
"""How often a post may be put off by Slack's rate limit, which isn't a failure."""


def metadata_of(key: str) -> dict[str, Any]:
    """By which a message of ours is found again."""
    return {"event_type": METADATA_TYPE, "event_payload": {"key": key}}


class OneAtATime:
    """Whoever posts under a key waits for whoever does so already; keys side by side."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken: set[str] = set()

    @contextmanager
    def __call__(self, key: str) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: key not in self._taken)
            self._taken.add(key)
        try:
            yield
        finally:
            with self._changed:
                self._taken.discard(key)
                self._changed.notify_all()


class Posting:
    """How a message gets to Slack. Safe to use from many threads."""

    def __init__(self, client: WebClient) -> None:
        self._reading = client
        # A lost response followed by the SDK's blind retry would post twice, so posts are retried here.
        self.client = WebClient(token=client.token, base_url=client.base_url, timeout=client.timeout, retry_handlers=[])
        """For whatever must not be sent twice: it tries nothing again by itself."""
        self._pace = Pace()

    def send(self, key: str, arguments: dict[str, Any], *, uncertain: bool) -> str:
        """Post what `chat.postMessage` takes, under `metadata_of(key)`, and return its `ts`. `uncertain`: it may be
        there already.

        Errors: `SlackUnavailable` once Slack has failed too often; `SlackApiError` for a message that it won't take.
        """
        channel: str = arguments["channel"]
        failures = 0
        for _ in range(POST_ATTEMPTS + LIMITED_ATTEMPTS):
            if failures == POST_ATTEMPTS:
                break
            if uncertain:
                found = self._find(key, channel, arguments["thread_ts"])
                if found is not None:
                    return found
                uncertain = False
            self._pace.wait_for(channel)
            try:
                ts: str = self.client.chat_postMessage(**arguments)["ts"]
                return ts
            except SlackApiError as error:
                if is_limited(error):
                    self._pace.hold(channel, wait_asked(error))
                    continue
                if not passes(error):
                    raise
                log.warning("Slack failed on a post (%s); asking whether it arrived", error.response.status_code)
            except (OSError, HTTPException) as error:
                log.warning("the answer to a post was lost (%s); asking whether it arrived", type(error).__name__)
            uncertain = True
            time.sleep(min(0.3 * 2**failures, 10))
            failures += 1
        raise SlackUnavailable("Slack did not take a message; it will be tried again.")

    def _find(self, key: str, channel: str, thread_ts: str | None) -> str | None:
        """The `ts` of our own message with this key, if Slack has it."""
        for message in self.messages(channel, thread_ts):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == METADATA_TYPE and metadata.get("event_payload", {}).get("key") == key:
                ts: str = message["ts"]
                return ts
        return None

    def messages(self, channel: str, thread_ts: str | None) -> Iterator[dict[str, Any]]:
        """A thread's messages, or the newest page of a channel."""
        cursor = ""
        while True:
            arguments: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": 200}
            if cursor:
                arguments["cursor"] = cursor
            page = (
                self._reading.conversations_replies(ts=thread_ts, **arguments)
                if thread_ts
                else self._reading.conversations_history(**arguments)
            )
            yield from page["messages"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or not thread_ts:
                # Without a thread the newest page is enough: the lost message is seconds old.
                return
