"""The workspace's memory: who and what there is, told to everybody who watches, guarded by one lock."""

import asyncio
import copy
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import timedelta

from sandbox.errors import ApiError, NoSuchThing
from sandbox.objects import (
    Acknowledgement,
    AssistantThread,
    Change,
    Channel,
    Envelope,
    File,
    Json,
    Mail,
    Message,
    Team,
    User,
    View,
)

BOT_USER, BOT_ID, APP_ID = "U0DESK", "B0DESK", "A0DESK"
EVENTS = (
    "message.im",
    "message.channels",
    "message.groups",
    "app_mention",
    "app_home_opened",
    "assistant_thread_started",
    "assistant_thread_context_changed",
    "user_change",
)
# Elements that get an action_id from Slack when they come without one.
ACTING = {
    *("button", "overflow", "radio_buttons", "checkboxes", "feedback_buttons", "icon_button"),
    *("static_select", "users_select", "conversations_select", "channels_select"),
    *("multi_static_select", "multi_users_select", "multi_conversations_select", "multi_channels_select"),
    *("datepicker", "timepicker", "datetimepicker"),
    *("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"),
}
TRIGGER_SECONDS = 3.0
RESPONSE_URL_USES, RESPONSE_URL_SECONDS = 5, 1800.0


@dataclass
class Trigger:
    user: str
    expires_at: float
    used: bool = False


@dataclass
class ResponseTarget:
    """Where the messages sent to one response_url go."""

    user: str
    channel: str
    message_ts: str | None
    thread_ts: str | None
    expires_at: float
    uses_left: int = RESPONSE_URL_USES


def nobody_listens(envelope: Envelope) -> "Future[Acknowledgement]":
    answer: Future[Acknowledgement] = Future()
    answer.set_result(Acknowledgement(ok=False, reason="dispatch_failed"))
    return answer


class State:
    """Everything the workspace holds. Hold `lock` while reading or changing it; call `changed` after a change.

    `deliver` is set by the server; until then payloads go nowhere. `subscriptions` are the events the app gets.
    """

    def __init__(self, people: Sequence[User], *, clock: Callable[[], float] = time.time) -> None:
        self.lock = threading.RLock()
        self.advanced = timedelta(0)
        """By how much time was moved on, for what only happens after days."""
        self._clock = clock
        self.base_url = ""
        self.deliver: Callable[[Envelope], Future[Acknowledgement]] = nobody_listens
        self.subscriptions = set(EVENTS)
        self.bot_user_id, self.bot_id, self.app_id = BOT_USER, BOT_ID, APP_ID
        team_ids = [person.team_id for person in people] or ["T0SANDBOX"]
        self.team = Team(id=team_ids[0])
        bot = User(id=BOT_USER, name="Deskmate", account="deskmate", team_id=self.team.id, is_bot=True)
        self.users = {person.id: person for person in people} | {BOT_USER: bot}
        everybody, agents = list(self.users), [person.id for person in people if person.role == "agent"]
        rooms = [
            Channel("C0GENERAL", "general", everybody),
            Channel("C0ITHELP", "it-help", list(everybody)),
            Channel("C0TRIAGE", "it-triage", [*agents, BOT_USER], is_private=True),
        ]
        rooms += [
            Channel(f"D0{person.id[2:]}", "Deskmate", [person.id, BOT_USER], is_im=True, user=person.id)
            for person in people
        ]
        self.channels = {room.id: room for room in rooms}
        self.history: dict[str, dict[str, Message]] = {room.id: {} for room in rooms}
        self.views: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.assistant_threads: dict[tuple[str, str], AssistantThread] = {}
        self.files: dict[str, File] = {}
        self.mail: list[Mail] = []
        self.triggers: dict[str, Trigger] = {}
        self.response_targets: dict[str, ResponseTarget] = {}
        self.watchers: list[Callable[[Change | None], None]] = []
        self._changed = threading.Condition(self.lock)
        self._last_ts = 0

    def clock(self) -> float:
        """Seconds since 1970, as this workspace counts them."""
        return self._clock() + self.advanced.total_seconds()

    def next_ts(self) -> str:
        """A message timestamp: now, and later than every one before."""
        with self.lock:
            self._last_ts = max(int(self.clock() * 1_000_000), self._last_ts + 1)
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def new_id(self, prefix: str) -> str:
        return prefix + secrets.token_hex(5).upper()

    def user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise NoSuchThing(f"There is no user {user_id}")
        return self.users[user_id]

    def channel(self, channel_id: str) -> Channel:
        if channel_id not in self.channels:
            raise NoSuchThing(f"There is no channel {channel_id}")
        return self.channels[channel_id]

    def dm_of(self, user: str) -> Channel:
        for channel in self.channels.values():
            if channel.is_im and channel.user == user:
                return channel
        raise NoSuchThing(f"{user} has no direct messages with the bot")

    def stored(self, channel: str, ts: str) -> Message:
        """The message itself, not a copy."""
        try:
            return self.history[channel][ts]
        except KeyError:
            raise NoSuchThing(f"There is no message {ts} in {channel}") from None

    def add_message(self, message: Message) -> None:
        """Keep a message; a reply updates its thread's root. The blocks get ids where they have none."""
        with self.lock:
            message.team = message.team or self.team.id
            message.blocks = self.with_ids(message.blocks)
            self.history[message.channel][message.ts] = message
            root = self.history[message.channel].get(message.thread_ts or "")
            if root is not None and message.is_reply:
                message.parent_user_id = root.user
                if message.ephemeral_for is None:
                    self._count_replies(root)
            thread = self.assistant_threads.get((message.channel, message.thread_ts or ""))
            if thread is not None and message.user == BOT_USER:
                thread.status, thread.loading_messages = "", []
            self.changed(Change("channel", message.channel, message.thread_ts))

    def remove_message(self, message: Message) -> None:
        with self.lock:
            del self.history[message.channel][message.ts]
            root = self.history[message.channel].get(message.thread_ts or "")
            if root is not None and message.is_reply:
                self._count_replies(root)
            self.changed(Change("channel", message.channel, message.thread_ts))

    def _count_replies(self, root: Message) -> None:
        replies = [
            m
            for m in self.history[root.channel].values()
            if m.thread_ts == root.ts and m.is_reply and m.ephemeral_for is None
        ]
        root.thread_ts = root.ts if replies else None
        root.reply_count = len(replies)
        root.reply_users = list(dict.fromkeys(m.user for m in replies))
        root.latest_reply = replies[-1].ts if replies else None

    def with_ids(self, blocks: Sequence[Json]) -> list[Json]:
        """The blocks as Slack stores them: each with a block_id, and images with the extras that Slack adds itself."""
        stored = copy.deepcopy(list(blocks))
        for block in stored:
            block["block_id"] = block.get("block_id") or secrets.token_urlsafe(4)[:5]
            for element in (block.get("element"), block.get("accessory"), *block.get("elements", [])):
                if isinstance(element, dict) and element["type"] in ACTING and not element.get("action_id"):
                    element["action_id"] = secrets.token_urlsafe(4)[:5]
            if block["type"] == "image":
                block |= {"image_width": 640, "image_height": 480, "image_bytes": 1024, "fallback": "640x480px image"}
        return stored

    def new_trigger(self, user: str) -> str:
        with self.lock:
            self.triggers = {name: t for name, t in self.triggers.items() if t.expires_at > self.clock() - 60}
            trigger_id = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
            self.triggers[trigger_id] = Trigger(user, self.clock() + TRIGGER_SECONDS)
            return trigger_id

    def spend_trigger(self, trigger_id: str) -> str:
        """The user whose act gave the trigger; it works once, for 3 seconds. Raises ApiError."""
        with self.lock:
            trigger = self.triggers.get(trigger_id)
            if trigger is None:
                raise ApiError("invalid_trigger_id")
            if trigger.used:
                raise ApiError("exchanged_trigger_id")
            if self.clock() > trigger.expires_at:
                raise ApiError("expired_trigger_id")
            trigger.used = True
            return trigger.user

    def new_response_url(self, user: str, channel: str, message_ts: str | None, thread_ts: str | None) -> str:
        with self.lock:
            token = secrets.token_urlsafe(18)
            until = self.clock() + RESPONSE_URL_SECONDS
            self.response_targets[token] = ResponseTarget(user, channel, message_ts, thread_ts, until)
            return f"{self.base_url}/respond/{token}"

    def changed(self, change: Change) -> None:
        with self.lock:
            self._changed.notify_all()
            watchers = list(self.watchers)
        for tell in watchers:
            tell(change)

    def closing(self) -> None:
        """End all `changes()`."""
        for tell in list(self.watchers):
            tell(None)

    def wait_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> bool:
        """Wait (without polling) until a change makes `condition` true; False after `timeout` seconds."""
        with self.lock:
            return self._changed.wait_for(condition, timeout)

    async def changes(self) -> AsyncIterator[Change]:
        """Every change from now on; ends when the sandbox stops. Call on the server's loop."""
        loop, queue = asyncio.get_running_loop(), asyncio.Queue[Change | None]()

        def tell(change: Change | None) -> None:
            loop.call_soon_threadsafe(queue.put_nowait, change)

        self.watchers.append(tell)
        try:
            while (change := await queue.get()) is not None:
                yield change
        finally:
            self.watchers.remove(tell)
