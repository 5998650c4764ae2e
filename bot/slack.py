"""Slack's Web API as the desk uses it: each message once, whatever gets lost on the way."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bot.posting import OneAtATime, Posting, metadata_of
from bot.records import Post
from bot.slack_client import is_limited, passes
from bot.slack_files import downloaded
from bot.workspace import FRESH_SECONDS, Workspace
from store import Database

log = logging.getLogger(__name__)

Block = dict[str, Any]
SEEN, DONE, PASSED_ON = "eyes", "white_check_mark", "incoming_envelope"
"""Reactions by which a message shows how far it is."""
FALLBACK_LIMIT = 3_000
PLACE_SECONDS = 2.0
"""Less than the three in which Slack wants a click acknowledged."""


class Slack:
    """What the desk does in Slack. Safe to use from many threads.

    Errors: `SlackUnavailable` once Slack has refused or lost a call through all retries; `SlackApiError` for what
    is our own mistake (a wrong channel, a malformed block).
    """

    def __init__(self, client: WebClient, database: Database, *, now: Callable[[], datetime]) -> None:
        self._client = client
        client.retry_handlers = [
            RateLimitErrorRetryHandler(max_retry_count=5),
            ConnectionErrorRetryHandler(max_retry_count=3),
            ServerErrorRetryHandler(max_retry_count=3),
        ]
        self.workspace = Workspace(client)
        self._posting = Posting(client)
        self._one_at_a_time = OneAtATime()
        self._database = database
        self._now = now

    # Messages

    def post(
        self,
        key: str,
        *,
        channel: str,
        text: str,
        purpose: str,
        blocks: Sequence[Block] = (),
        thread_ts: str | None = None,
        ref: str | None = None,
        username: str | None = None,
    ) -> str:
        """Post the message that `key` names, once, and return its `ts`.

        `text` is Slack's escaped form. A repeat with the same key returns the first one's `ts`: if it isn't known
        whether Slack took the first, the thread is read back and searched for the key before anything is sent.
        """
        arguments: dict[str, Any] = {
            "channel": channel,
            "text": text[:FALLBACK_LIMIT],
            "thread_ts": thread_ts,
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": metadata_of(key),
        }
        if blocks:
            arguments["blocks"] = list(blocks)
        if username:
            arguments["username"] = username
        with self._one_at_a_time(key):
            place = {"purpose": purpose, "ref": ref, "channel": channel, "thread_ts": thread_ts}
            known = self._begun(key, place)
            if known is not None and known.ts is not None:
                return known.ts
            return self._send(key, arguments, uncertain=known is not None)

    def _begun(self, key: str, place: dict[str, Any]) -> Post | None:
        """The row of an earlier try; otherwise one is made, and None."""
        try:
            with self._database.transaction() as session:
                known = session.get(Post, key)
                if known is None:
                    session.add(Post(key=key, **place, created_at=self._now()))
        except IntegrityError:  # another process was faster
            with self._database.reading() as session:
                known = session.get_one(Post, key)
        return known

    # A reply that grows while it is written

    def start_stream(self, key: str, *, channel: str, thread_ts: str, user: str, team: str) -> str:
        """Begin the reply to the turn `key` as a stream for this person, and return its `ts`.

        Slack takes no `metadata` here, so the row says that a stream was begun, and the `ts` is recorded before
        anything is written into it. Not tried again: `finish_stream` finds out what became of it.
        """
        with self._database.transaction() as session:
            kept = {"purpose": "reply", "ref": key, "channel": channel, "thread_ts": thread_ts}
            session.add(Post(key=key, **kept, created_at=self._now(), streaming=True))
        try:
            answer = self._posting.client.chat_startStream(
                channel=channel, thread_ts=thread_ts, recipient_user_id=user, recipient_team_id=team
            )
        except SlackApiError as error:
            if is_limited(error):
                self._forget(key)  # nothing was begun, and it may be tried again
            elif not passes(error):
                self._is_whole(key, None)  # nothing was begun
            raise
        ts: str = answer["ts"]
        self._sent(key, ts)
        return ts

    def append_to_stream(self, *, channel: str, ts: str, text: str) -> None:
        """Not tried again, since what Slack has taken already would stand there twice."""
        self._posting.client.chat_appendStream(channel=channel, ts=ts, markdown_text=text)

    def finish_stream(self, key: str, *, text: str, blocks: Sequence[Block], said: str | None) -> bool:
        """Make the message that was begun under `key` the whole reply; False if none is open, or Slack won't have it
        changed, and the reply has to be posted.

        `said` is what is known to stand in it. If the first block goes on from there, it is completed; otherwise, or
        when Slack has ended the stream, the message is replaced. Can be repeated.
        """
        with self._database.reading() as session:
            post = session.get(Post, key)
        if post is None or not post.streaming:
            return False
        ts = post.ts or self._find_stream(post)
        if ts is not None and not self._completed(key, post.channel, ts, blocks, said):
            place: dict[str, Any] = {"channel": post.channel, "ts": ts}
            try:
                self._client.chat_stopStream(**place)
            except SlackApiError as error:
                log.info("the stream of %s is over already (%s)", key, error.response.get("error"))
            whole: dict[str, Any] = {
                "text": text[:FALLBACK_LIMIT],
                "blocks": list(blocks),
                "metadata": metadata_of(key),
            }
            try:
                self._ignoring("message_not_found", call=lambda: self._client.chat_update(**place, **whole))
            except SlackApiError as error:
                log.warning("what was begun of %s can't be changed (%s)", key, error.response.get("error"))
                ts = None
        self._is_whole(key, ts)
        return ts is not None

    def _completed(self, key: str, channel: str, ts: str, blocks: Sequence[Block], said: str | None) -> bool:
        whole = str(blocks[0]["text"]) if blocks and blocks[0]["type"] == "markdown" else ""
        if not said or not whole.startswith(said):
            return False
        rest: dict[str, Any] = {"blocks": list(blocks[1:]), "metadata": metadata_of(key)}
        if len(whole) > len(said):
            rest["markdown_text"] = whole[len(said) :]
        try:
            self._posting.client.chat_stopStream(channel=channel, ts=ts, **rest)
        except (SlackApiError, OSError, HTTPException) as error:
            log.warning("a stream could not be completed (%s); it is replaced", type(error).__name__)
            return False
        return True

    def _find_stream(self, post: Post) -> str | None:
        """The `ts` of a stream whose beginning was not answered, or not recorded: of our own messages in the thread
        the one that bears no key and that no row knows."""
        me, _ = self.workspace.me()
        since = post.created_at.timestamp() - FRESH_SECONDS
        for message in self._posting.messages(post.channel, post.thread_ts):
            if message.get("user") != me or message.get("metadata") or float(message["ts"]) < since:
                continue
            ts: str = message["ts"]
            with self._database.reading() as session:
                if session.scalar(select(Post.key).where(Post.channel == post.channel, Post.ts == ts)) is None:
                    return ts
        return None

    def _is_whole(self, key: str, ts: str | None) -> None:
        with self._database.transaction() as session:
            post = session.get_one(Post, key)
            post.ts, post.streaming = ts, False

    def _forget(self, key: str) -> None:
        with self._database.transaction() as session:
            session.delete(session.get_one(Post, key))

    def _send(self, key: str, arguments: dict[str, Any], *, uncertain: bool) -> str:
        """Send what has its row, and record where it is."""
        ts = self._posting.send(key, arguments, uncertain=uncertain)
        self._sent(key, ts)
        return ts

    def _sent(self, key: str, ts: str) -> None:
        with self._database.transaction() as session:
            post = session.get_one(Post, key)
            post.ts = ts

    def await_place(self, channel: str, ts: str) -> None:
        """Wait until it is recorded which of our messages this is: Slack shows one before we have its answer.

        At once if it is known, or if none of ours is on its way to the channel; `PLACE_SECONDS` at most.
        """
        deadline = time.monotonic() + PLACE_SECONDS
        known = select(Post.key).where(Post.channel == channel, Post.ts == ts)
        while time.monotonic() < deadline:
            lately = self._now() - timedelta(seconds=FRESH_SECONDS)
            on_its_way = select(Post.key).where(Post.channel == channel, Post.ts.is_(None), Post.created_at > lately)
            with self._database.reading() as session:
                if session.scalar(known) is not None or session.scalar(on_its_way.limit(1)) is None:
                    return
            time.sleep(0.05)

    def update(self, *, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> None:
        """Replace a message of ours; both text and blocks, since Slack drops what isn't sent."""
        self._client.chat_update(channel=channel, ts=ts, text=text[:FALLBACK_LIMIT], blocks=list(blocks))

    def whisper(self, *, channel: str, user: str, text: str, thread_ts: str | None = None) -> None:
        """Say something that only this person sees; it isn't kept by Slack, and who has left doesn't get it."""
        arguments: dict[str, Any] = {"channel": channel, "user": user, "text": text[:FALLBACK_LIMIT]}
        self._ignoring(
            "user_not_in_channel",
            "not_in_channel",
            "channel_not_found",
            "is_archived",
            call=lambda: self._client.chat_postEphemeral(**arguments, thread_ts=thread_ts),
        )

    def react(self, *, channel: str, ts: str, name: str) -> None:
        self._ignoring(
            "already_reacted",
            "message_not_found",
            call=lambda: self._client.reactions_add(channel=channel, timestamp=ts, name=name),
        )

    def unreact(self, *, channel: str, ts: str, name: str) -> None:
        self._ignoring(
            "no_reaction",
            "message_not_found",
            call=lambda: self._client.reactions_remove(channel=channel, timestamp=ts, name=name),
        )

    def mark_done(self, *, channel: str, ts: str) -> None:
        """A message that was seen to: ✅ in the place of 👀."""
        self.react(channel=channel, ts=ts, name=DONE)
        self.unreact(channel=channel, ts=ts, name=SEEN)

    @staticmethod
    def _ignoring(*codes: str, call: Callable[[], Any]) -> None:
        try:
            call()
        except SlackApiError as error:
            if error.response.get("error") not in codes:
                raise

    # The assistant pane

    def set_status(self, *, channel: str, thread_ts: str, status: str) -> None:
        self._client.assistant_threads_setStatus(channel_id=channel, thread_ts=thread_ts, status=status)

    def set_title(self, *, channel: str, thread_ts: str, title: str) -> None:
        self._client.assistant_threads_setTitle(channel_id=channel, thread_ts=thread_ts, title=title)

    def set_prompts(self, *, channel: str, thread_ts: str, prompts: Sequence[dict[str, str]], title: str) -> None:
        self._client.assistant_threads_setSuggestedPrompts(
            channel_id=channel, thread_ts=thread_ts, prompts=list(prompts), title=title
        )

    # Views

    def open_view(self, *, trigger_id: str, view: dict[str, Any]) -> str:
        """Open a modal and return its id; Slack's trigger lives 3 s and works once, so this belongs in the listener."""
        view_id: str = self._client.views_open(trigger_id=trigger_id, view=view)["view"]["id"]
        return view_id

    def publish_home(self, *, user: str, view: dict[str, Any]) -> None:
        self._client.views_publish(user_id=user, view=view)

    # Files

    def download(self, url: str) -> bytes:
        """Errors: `SlackUnavailable`, `FileElsewhere`."""
        return downloaded(self._client, url)
