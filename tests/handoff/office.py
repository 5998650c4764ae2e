"""A desk whose Slack is a stub: people act through the real listeners, and each call of the Web API is kept."""

import itertools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from pydantic import SecretStr
from slack_bolt import App, BoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from sqlalchemy import select

from bot import listeners
from bot.app import bolt_app
from bot.desk import Desk
from bot.handoff import Triage
from bot.people import Employee, People
from bot.records import OpenView, Post, Turn
from bot.routing import Intent, Route, Router
from bot.settings import BotSettings, SlackSettings
from bot.slack import Slack
from bot.turns import Turns
from knowledge.errors import NotAllowed
from knowledge.library import Answer, Citation, Library
from store import Database
from store.durable import Durable
from tests.handoff.block_kit import check_message, check_view
from tickets import queries
from tickets.records import Ticket

TEAM, TRIAGE = "T0TEST", "C0TRIAGE"
ALICE, BOB, CAROL, EVE = "U0ALICE", "U0BOB", "U0CAROL", "U0EVE"
NAMES = {ALICE: "Alice Adams", BOB: "Bob Brown", CAROL: "Carol Clark", EVE: "Eve <!channel>"}
STEPS = "1. Do **this**.\n2. Then <!here> [bank.example](https://evil.example/x).\n"


def refusal(code: str) -> SlackApiError:
    """What the SDK raises when Slack says no."""
    return SlackApiError(code, {"ok": False, "error": code})  # type: ignore[no-untyped-call]  # untyped in the SDK


class StubClient(WebClient):
    """Slack's Web API in memory; every message and view is held against Slack's limits."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-stub")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.members = [BOB, CAROL]
        self.refuses: dict[str, Exception] = {}
        self._ids = itertools.count(1)

    def api_call(self, api_method: str, **arguments: Any) -> Any:
        return SlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=self._answer(api_method, **arguments),
            headers={},
            status_code=200,
        )

    def _answer(self, api_method: str, **arguments: Any) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for part in ("params", "data", "json"):
            given |= arguments.get(part) or {}
        if api_method in self.refuses:
            raise self.refuses[api_method]
        number = next(self._ids)
        match api_method:
            case "chat.postMessage" | "chat.update" | "chat.postEphemeral" if given["channel"] != "relayed":
                if given.get("username") is None:
                    check_message(given["text"], given.get("blocks") or [])
                assert len(given["text"]) <= 3_000
                self.calls.append((api_method, given))
                return {"ok": True, "ts": f"{1_700_000_000 + number}.000100"}
            case "views.open" | "views.publish":
                check_view(given["view"])
                self.calls.append((api_method, given))
                return {"ok": True, "view": {"id": f"V{number}"}}
        self.calls.append((api_method, given))
        match api_method:
            case "users.info":
                person = {"id": given["user"], "team_id": TEAM, "profile": {"display_name": NAMES[given["user"]]}}
                return {"ok": True, "user": person}
            case "conversations.open":
                return {"ok": True, "channel": {"id": f"D{given['users']}"}}
            case "conversations.members":
                return {"ok": True, "members": self.members}
            case "conversations.replies" | "conversations.history":
                return {"ok": True, "messages": []}
            case "auth.test":
                return {"ok": True, "user_id": "U0DESK", "team_id": TEAM, "bot_id": "B0DESK"}
            case _:
                return {"ok": True}

    def made(self, method: str, **where: Any) -> list[dict[str, Any]]:
        """The calls of a method whose arguments have these values."""
        return [
            given
            for called, given in list(self.calls)
            if called == method and all(given.get(name) == value for name, value in where.items())
        ]


class InlineDurable:
    """The durable runtime, run on the spot: the same key is one run, and steps are plain calls."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self._lock = threading.Lock()

    def workflow(self, name: str, function: Callable[..., None]) -> Callable[..., None]:
        return function

    def start(self, workflow: Callable[..., None], *args: Any, key: str) -> None:
        with self._lock:
            if key in self.keys:
                return
            self.keys.add(key)
        workflow(*args)

    def enqueue(self, workflow: Callable[..., None], *args: Any, key: str, partition: str) -> None:
        self.start(workflow, *args, key=key)

    def step(self, name: str, function: Callable[..., Any], *args: Any, **how: Any) -> Any:
        return function(*args)


class StubPeople:
    def identify(self, *, team: str, user: str, user_team: str | None = None, max_age: float = 60) -> Employee:
        return Employee(team=team, user=user, name=NAMES[user], account=user.lower(), groups=frozenset({"staff"}))


class StubLibrary:
    """Knows one article, for members of the group `staff`."""

    def __init__(self) -> None:
        self.gone = False

    def answer(
        self,
        question: str,
        *,
        groups: frozenset[str] = frozenset(),
        earlier: Any = (),
        writer: Any = None,
        rewriter: Any = None,
    ) -> Answer:
        citation = Citation("vpn", "VPN", "https://kb.example/vpn", "At home", 0.9)
        return Answer("Open **Tunnel**.", 0.9, True, (citation,), (7,), more=True)

    def full_steps(self, article_id: str, passage_id: int, groups: frozenset[str]) -> str:
        if self.gone or "staff" not in groups:
            raise NotAllowed
        return STEPS


class StubRouter:
    def route(self, text: str) -> Route:
        return Route(Intent.HUMAN if "human" in text.lower() else Intent.OTHER, 1.0)


@dataclass
class Clock:
    at: datetime = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


@dataclass
class Office:
    """Alice asks, Bob and Carol are agents, Eve is somebody else."""

    database: Database
    client: StubClient
    desk: Desk
    app: App
    library: StubLibrary
    turns_at_work: Turns
    _moments: Any = field(default_factory=lambda: itertools.count(1_600_000_000))

    def dispatch(self, body: dict[str, Any]) -> BoltResponse:
        return self.app.dispatch(BoltRequest(body=body, mode="socket_mode"))

    def now_ts(self) -> str:
        return f"{next(self._moments)}.000200"

    def says(self, user: str, text: str, *, channel: str | None = None, thread: str | None = None, **more: Any) -> str:
        ts = self.now_ts()
        channel = channel or f"D{user}"
        event = {"type": "message", "channel": channel, "user": user, "text": text, "ts": ts, "team": TEAM} | more
        event["channel_type"] = "im" if channel.startswith("D") else "group"
        if thread:
            event["thread_ts"] = thread
        body = {"type": "event_callback", "team_id": TEAM, "event_id": f"Ev{ts}", "event": event}
        assert self.dispatch(body).status == 200
        return ts

    def click(self, user: str, post: Post, action: str, *, value: str | None = None, **container: Any) -> BoltResponse:
        return self.click_at(user, post.channel, str(post.ts), action, value=value, thread=post.thread_ts, **container)

    def click_at(
        self, user: str, channel: str, ts: str, action: str, *, value: str | None = None, thread: str | None = None
    ) -> BoltResponse:
        place = {"type": "message", "channel_id": channel, "message_ts": ts, "thread_ts": thread}
        return self.dispatch(
            {
                "type": "block_actions",
                "team": {"id": TEAM},
                "user": {"id": user, "team_id": TEAM},
                "container": place,
                "trigger_id": f"trigger{time.monotonic_ns()}",
                "actions": [{"action_id": action, "value": value, "action_ts": self.now_ts(), "type": "button"}],
            }
        )

    def submit(self, user: str, callback: str, values: dict[str, Any], *, view: str | None = None, **more: Any) -> Any:
        state = {"values": {block: {"value": value} for block, value in values.items()}}
        shown = {"id": view or self.opened_view(), "type": "modal", "callback_id": callback, "state": state} | more
        body = {"type": "view_submission", "team": {"id": TEAM}, "user": {"id": user, "team_id": TEAM}, "view": shown}
        return self.dispatch(body)

    def opened_view(self) -> str:
        """The id of the modal that was opened last."""
        with self.database.reading() as session:
            view = session.scalars(select(OpenView).order_by(OpenView.opened_at.desc()).limit(1)).one()
            return view.view_id

    def command(self, user: str, text: str, trigger: str = "t1") -> str:
        body = {"command": "/desk", "text": text, "team_id": TEAM, "user_id": user, "trigger_id": trigger,
                "channel_id": "C0GENERAL"}  # fmt: skip
        return str(json.loads(self.dispatch(body).body)["text"])

    # What came of it

    def post(self, purpose: str, number: int = -1) -> Post:
        with self.database.reading() as session:
            posts = select(Post).where(Post.purpose == purpose).order_by(Post.created_at)
            return list(session.scalars(posts))[number]

    def ticket(self) -> Ticket:
        with self.database.reading() as session:
            return queries.tickets(session)[0]

    def tickets(self) -> list[Ticket]:
        with self.database.reading() as session:
            return queries.tickets(session)

    def worklog(self) -> list[tuple[str, str, str]]:
        with self.database.reading() as session:
            entries = queries.worklog_of(session, queries.tickets(session)[0])
            return [(entry.kind.value, entry.author, entry.text) for entry in entries]

    def turns(self) -> list[Turn]:
        with self.database.reading() as session:
            return list(session.scalars(select(Turn).order_by(Turn.id)))

    def whispers(self, user: str) -> list[str]:
        return [call["text"] for call in self.client.made("chat.postEphemeral", user=user)]

    def told(self, user: str) -> list[str]:
        """What was posted in a person's direct messages."""
        return [call["text"] for call in self.client.made("chat.postMessage", channel=f"D{user}")]

    def in_triage(self) -> list[dict[str, Any]]:
        """What was posted in triage threads."""
        return [call for call in self.client.made("chat.postMessage", channel=TRIAGE) if call.get("thread_ts")]

    def card(self) -> str:
        """The card as it stands, in words."""
        updates = self.client.made("chat.update", channel=TRIAGE)
        cards = [c for c in self.client.made("chat.postMessage", channel=TRIAGE) if not c.get("thread_ts")]
        return str((updates or cards)[-1]["text"])

    def escalate(self, text: str = "My badge: a human please") -> Post:
        """Alice asks for a human; the card of her ticket."""
        self.says(ALICE, text)
        return self.post("triage_card")

    def resolve(self, user: str = BOB, resolution: str = "New badge printed") -> Post:
        """The message that tells Alice so."""
        self.click(user, self.post("triage_card"), "triage_resolve")
        self.submit(user, "resolve_form", {"resolution": {"value": resolution}})
        return self.post("resolved")


def open_office(database: Database, files: Path) -> Office:
    client, clock, durable, library = StubClient(), Clock(), InlineDurable(), StubLibrary()
    slack = Slack(client, database, now=clock)
    slack._posting.client = client
    triage = Triage(database=database, slack=slack, now=clock, channel=TRIAGE)
    desk = Desk(
        database=database,
        slack=slack,
        library=cast(Library, library),
        durable=cast(Durable, durable),
        people=cast(People, StubPeople()),
        workflows=(),
        router=cast(Router, StubRouter()),
        triage=triage,
        settings=BotSettings(triage_channel=TRIAGE),
        files=files,
        now=clock,
    )
    triage.durable(desk.durable)
    app = bolt_app(SlackSettings(bot_token=SecretStr("xoxb-stub"), signing_secret=SecretStr("s")), client)
    turns = Turns(desk)
    listeners.register(app, desk, turns)
    return Office(database, client, desk, app, library, turns)
