"""Slack's Web API as the desk uses it: each message once, whatever gets lost on the way."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.web import SlackResponse
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from bot.errors import FileElsewhere, SlackUnavailable
from bot.records import Post
from store import Database

log = logging.getLogger(__name__)

Block = dict[str, Any]
METADATA_TYPE = "deskmate_post"
SEEN, DONE, PASSED_ON = "eyes", "white_check_mark", "incoming_envelope"
"""Reactions by which a message shows how far it is."""
FALLBACK_LIMIT = 3_000
TRANSIENT: tuple[type[Exception], ...] = (OSError, HTTPException, OperationalError, SlackUnavailable)
"""What a durable step that talks to Slack tries again."""
FRESH_SECONDS = 60.0
POST_ATTEMPTS = 8
PLACE_SECONDS = 2.0
"""Less than the three in which Slack wants a click acknowledged."""
LIMITED_ATTEMPTS = 60
"""How often a post may be put off by Slack's rate limit, which isn't a failure."""
PACE, PACE_FORGOTTEN = 1.0, 30.0
"""Seconds between posts in a channel that Slack has limited, and for how long that is remembered."""
SLACK_FAULTS = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)


@dataclass(frozen=True)
class SlackUser:
    """A person as Slack knows them at this moment; none of it identifies anybody in the directory."""

    id: str
    team: str
    name: str
    email: str | None = None
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False

    @property
    def is_guest(self) -> bool:
        return self.is_restricted or self.is_ultra_restricted or self.is_stranger

    @classmethod
    def from_slack(cls, user: dict[str, Any]) -> "SlackUser":
        profile = user.get("profile") or {}
        return cls(
            id=user["id"],
            team=user.get("team_id") or "",
            name=profile.get("display_name")
            or profile.get("real_name")
            or user.get("real_name")
            or user.get("name")
            or user["id"],
            email=profile.get("email") or None,
            deleted=bool(user.get("deleted")),
            is_bot=bool(user.get("is_bot")),
            is_restricted=bool(user.get("is_restricted")),
            is_ultra_restricted=bool(user.get("is_ultra_restricted")),
            is_stranger=bool(user.get("is_stranger")),
        )


class PatientClient(WebClient):
    """Slack's Web API, where what passes (limits, faults of Slack's own) is told apart from what is our mistake.

    Errors: `SlackUnavailable` once the retries are used up; `SlackApiError` for a call that will fail again.
    """

    def api_call(self, api_method: str, **arguments: Any) -> SlackResponse:
        try:
            return super().api_call(api_method, **arguments)
        except SlackApiError as error:
            if passes(error):
                raise SlackUnavailable(f"Slack doesn't answer to {api_method}; it will be tried again.") from error
            raise


def passes(error: SlackApiError) -> bool:
    """Whether the same call may succeed later."""
    status, code = error.response.status_code, error.response.get("error")
    return bool(status == 429 or status >= 500 or code == "ratelimited" or code in SLACK_FAULTS)


def metadata_of(key: str) -> dict[str, Any]:
    """By which a message of ours is found again."""
    return {"event_type": METADATA_TYPE, "event_payload": {"key": key}}


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
        # A lost response followed by the SDK's blind retry would post twice, so posts are retried here.
        self._posting = WebClient(
            token=client.token, base_url=client.base_url, timeout=client.timeout, retry_handlers=[]
        )
        self._database = database
        self._now = now
        self._lock = threading.Lock()
        self._not_before: dict[str, float] = {}
        self._cache: dict[tuple[str, str], tuple[float, Any]] = {}

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
        with self._database.transaction() as session:
            known = session.get(Post, key)
            if known is None:
                session.add(
                    Post(
                        key=key, purpose=purpose, ref=ref, channel=channel, thread_ts=thread_ts, created_at=self._now()
                    )
                )
        if known is not None and known.ts is not None:
            return known.ts
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
        ts = self._send(key, arguments, uncertain=known is not None)
        self._sent(key, ts)
        return ts

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
            answer = self._posting.chat_startStream(
                channel=channel, thread_ts=thread_ts, recipient_user_id=user, recipient_team_id=team
            )
        except SlackApiError as error:
            if not passes(error):
                self._is_whole(key, None)  # nothing was begun
            raise
        ts: str = answer["ts"]
        self._sent(key, ts)
        return ts

    def append_to_stream(self, *, channel: str, ts: str, text: str) -> None:
        """Not tried again, since what Slack has taken already would stand there twice."""
        self._posting.chat_appendStream(channel=channel, ts=ts, markdown_text=text)

    def finish_stream(self, key: str, *, text: str, blocks: Sequence[Block], said: str | None) -> bool:
        """Make the message that was begun under `key` the whole reply; False if none is open.

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
            over = "message_not_in_streaming_state"
            self._ignoring(over, "message_not_found", call=lambda: self._client.chat_stopStream(**place))
            whole: dict[str, Any] = {
                "text": text[:FALLBACK_LIMIT],
                "blocks": list(blocks),
                "metadata": metadata_of(key),
            }
            self._ignoring("message_not_found", call=lambda: self._client.chat_update(**place, **whole))
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
            self._posting.chat_stopStream(channel=channel, ts=ts, **rest)
        except (SlackApiError, OSError, HTTPException) as error:
            log.warning("a stream could not be completed (%s); it is replaced", type(error).__name__)
            return False
        return True

    def _find_stream(self, post: Post) -> str | None:
        """The `ts` of a stream whose beginning was not answered, or not recorded: of our own messages in the thread
        the one that bears no key and that no row knows."""
        me, _ = self.me()
        since = post.created_at.timestamp() - FRESH_SECONDS
        for message in self._messages(post.channel, post.thread_ts):
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

    def _send(self, key: str, arguments: dict[str, Any], *, uncertain: bool) -> str:
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
            self._wait_for(channel)
            try:
                ts: str = self._posting.chat_postMessage(**arguments)["ts"]
                return ts
            except SlackApiError as error:
                if error.response.status_code == 429 or error.response.get("error") == "ratelimited":
                    self._hold(channel, float(error.response.headers.get("Retry-After") or 1))
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
        for message in self._messages(channel, thread_ts):
            metadata = message.get("metadata") or {}
            if metadata.get("event_type") == METADATA_TYPE and metadata.get("event_payload", {}).get("key") == key:
                ts: str = message["ts"]
                return ts
        return None

    def _messages(self, channel: str, thread_ts: str | None) -> Iterator[dict[str, Any]]:
        """A thread's messages, or the newest page of a channel."""
        cursor = ""
        while True:
            arguments: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": 200}
            if cursor:
                arguments["cursor"] = cursor
            page = (
                self._client.conversations_replies(ts=thread_ts, **arguments)
                if thread_ts
                else self._client.conversations_history(**arguments)
            )
            yield from page["messages"]
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or not thread_ts:
                # Without a thread the newest page is enough: the lost message is seconds old.
                return

    def _hold(self, channel: str, seconds: float) -> None:
        with self._lock:
            self._not_before[channel] = max(self._not_before.get(channel, 0), time.monotonic() + seconds)

    def _wait_for(self, channel: str) -> None:
        """Wait for the channel's turn. Where Slack has limited us, posts go one a second instead of all at once."""
        with self._lock:
            held_until = self._not_before.get(channel)
            if held_until is None:
                return
            turn = max(held_until, time.monotonic())
            if turn - held_until > PACE_FORGOTTEN:
                del self._not_before[channel]
                return
            self._not_before[channel] = turn + PACE
        time.sleep(max(0.0, turn - time.monotonic()))

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

    # People and places

    def me(self) -> tuple[str, str]:
        """The bot's own user id and its team."""
        data = self._cached("auth", "me", lambda: self._client.auth_test().data, max_age=float("inf"))
        return data["user_id"], data["team_id"]

    def user(self, user: str, *, max_age: float = FRESH_SECONDS) -> SlackUser:
        """The person as Slack knows them, at most `max_age` seconds old; 0 asks Slack now."""
        found: SlackUser = self._cached(
            "user", user, lambda: SlackUser.from_slack(self._client.users_info(user=user)["user"]), max_age=max_age
        )
        return found

    def dm(self, user: str) -> str:
        """The id of the bot's direct-message channel with this person."""
        channel: str = self._cached(
            "dm", user, lambda: self._client.conversations_open(users=user)["channel"]["id"], max_age=float("inf")
        )
        return channel

    def members(self, channel: str, *, max_age: float = FRESH_SECONDS) -> frozenset[str]:
        def fetch() -> frozenset[str]:
            members: list[str] = []
            cursor = ""
            while True:
                arguments: dict[str, Any] = {"channel": channel, "limit": 200} | ({"cursor": cursor} if cursor else {})
                page = self._client.conversations_members(**arguments)
                members += page["members"]
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                if not cursor:
                    return frozenset(members)

        found: frozenset[str] = self._cached("members", channel, fetch, max_age=max_age)
        return found

    def channel_named(self, name: str) -> str | None:
        """The id of a channel that the bot is in, by `#name`."""
        cursor = ""
        while True:
            arguments: dict[str, Any] = {
                "types": "public_channel,private_channel",
                "limit": 200,
                "exclude_archived": True,
            }
            if cursor:
                arguments["cursor"] = cursor
            page = self._client.users_conversations(**arguments)
            for channel in page["channels"]:
                if channel["name"] == name.removeprefix("#"):
                    found: str = channel["id"]
                    return found
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    def download(self, url: str) -> bytes:
        """A file's bytes. Without the token Slack answers with a login page and status 200, so HTML is refused.

        The token goes to Slack alone: a file that somebody shared from elsewhere (Drive, Dropbox) names that host.
        Errors: `SlackUnavailable`, `FileElsewhere`.
        """
        if not self._is_slacks(url):
            raise FileElsewhere("it isn't kept in Slack")
        import httpx  # only for files: a question alone shouldn't wait for it

        try:
            response = httpx.get(url, headers={"Authorization": f"Bearer {self._client.token}"}, timeout=30)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise SlackUnavailable("A file could not be fetched from Slack.") from error
        if response.headers.get("content-type", "").startswith("text/html"):
            raise SlackUnavailable("Slack showed its login page instead of the file.")
        return response.content

    def _is_slacks(self, url: str) -> bool:
        """Whether an address is Slack's own, or that of the Web API that we are set to."""
        asked, ours = urlsplit(url), urlsplit(self._client.base_url)
        if (asked.scheme, asked.netloc) == (ours.scheme, ours.netloc):
            return True
        host = asked.hostname or ""
        return (
            asked.scheme == "https"
            and asked.port in (None, 443)
            and (host == "slack.com" or host.endswith(".slack.com"))
        )

    def forget(self, user: str) -> None:
        """Drop what is remembered of this person; called when Slack says that they changed."""
        with self._lock:
            self._cache.pop(("user", user), None)

    def _cached(self, kind: str, name: str, fetch: Callable[[], Any], *, max_age: float) -> Any:
        with self._lock:
            held = self._cache.get((kind, name))
        if held is not None and time.monotonic() - held[0] <= max_age:
            return held[1]
        value = fetch()
        with self._lock:
            self._cache[(kind, name)] = (time.monotonic(), value)
        return value
