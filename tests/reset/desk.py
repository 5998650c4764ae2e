"""A password reset with everything around it but Slack: a database, the durable runtime, the demo directory, mail."""

import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pyotp
from pydantic import SecretStr
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.directory.demo import DemoDirectory
from bot.directory.directory import Person
from bot.notices import Notices, NoticeSettings
from bot.once.page import OncePages
from bot.outcomes import Declined, InProgress
from bot.people import Employee, People, PersonFeed
from bot.records import Conversation
from bot.slack import Slack
from bot.workflows.key_registration import KeyRegistration
from bot.workflows.password_reset import PasswordReset
from bot.workflows.records import AuditRow, ResetRequest, audit_rows
from bot.workflows.workflow import Workflow
from store import Database
from store.durable import Durable

TEAM = "T0TEST"
SECRET = "a secret key for tests, long enough"
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
OLD_PASSWORD = "old rope and candles"
NEW_PASSWORD = "seven green lanterns at sea"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class StubWebClient(WebClient):
    """Slack's Web API in memory: people, direct messages, and every call that was made."""

    def __init__(self) -> None:
        super().__init__(token="xoxb-stub")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.users: dict[str, dict[str, Any]] = {}
        self.unreachable = False

    def api_call(self, api_method: str, **arguments: Any) -> Any:
        given: dict[str, Any] = {}
        for part in ("params", "data", "json"):
            given |= arguments.get(part) or {}
        self.calls.append((api_method, given))
        if self.unreachable:
            raise OSError("the network is down")
        match api_method:
            case "users.info":
                return {"ok": True, "user": self.users[given["user"]]}
            case "conversations.open":
                return {"ok": True, "channel": {"id": "D" + str(given["users"])}}
            case "chat.postMessage":
                return {"ok": True, "ts": f"{len(self.calls)}.000100"}
            case _:
                return {"ok": True}

    def add(self, user: str, *, email: str, name: str | None = None, **flags: Any) -> None:
        profile = {"display_name": name or user, "email": email}
        self.users[user] = {"id": user, "team_id": TEAM, "profile": profile, **flags}

    def posts(self) -> list[dict[str, Any]]:
        return [given for method, given in self.calls if method == "chat.postMessage"]


@dataclass
class Clock:
    at: datetime = START

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **units: float) -> None:
        self.at += timedelta(**units)


@dataclass
class Mailbox:
    """Every mail that was handed to the server."""

    received: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        for recipient in envelope.rcpt_tos:
            self.received.append((recipient, envelope.content))
        return "250 OK"

    def texts(self, recipient: str | None = None) -> list[str]:
        found = []
        for to, content in self.received:
            body = message_from_bytes(content, policy=policy.default).get_body()
            if body is not None and recipient in (None, to):
                found.append(str(body.get_content()))
        return found


class ResetDesk:
    def __init__(
        self,
        *,
        database: Database,
        durable: Durable,
        smtp_url: str | None,
        mailbox: Mailbox,
        public_url: str = "https://desk.example/",
    ) -> None:
        self.public_url = public_url
        self.database, self.durable, self.mailbox = database, durable, mailbox
        self.clock, self.client = Clock(), StubWebClient()
        self.alerts: list[tuple[str, str]] = []
        self.shown: list[str] = []
        self.agents: set[str] = set()
        self.directory = DemoDirectory(database, privileged_groups=frozenset({"admins"}))
        self.notices = Notices(NoticeSettings(smtp_url=SecretStr(smtp_url) if smtp_url else None))
        self.slack = Slack(self.client, database, now=self.clock)
        self.slack._posting.client = self.client
        self.people = People(
            database=database,
            slack=self.slack,
            directory=self.directory,
            secret_key=SECRET,
            now=self.clock,
            notices=self.notices,
            alert=self.alert,
        )
        self.reset = PasswordReset(
            database=database,
            slack=self.slack,
            people=self.people,
            directory=self.directory,
            notices=self.notices,
            secret_key=SECRET,
            public_url=public_url,
            alert=self.alert,
            show_card=self.shown.append,
            is_agent=lambda user: user in self.agents,
            directory_name="demo",
            now=self.clock,
        )
        self.keys = KeyRegistration(
            database=database,
            slack=self.slack,
            people=self.people,
            directory=self.directory,
            notices=self.notices,
            secret_key=SECRET,
            public_url=public_url,
            alert=self.alert,
            show_card=self.shown.append,
            is_agent=lambda user: user in self.agents,
            directory_name="demo",
            now=self.clock,
        )
        self.people.durable(durable)
        self.reset.durable(durable)
        self.keys.durable(durable)
        durable.launch()
        self.pages = Starlette(routes=[*self.reset.routes(), *self.keys.routes(), *OncePages().common_routes()])
        self.web = TestClient(self.pages, base_url="https://desk.example")
        self._asked = 0

    def alert(self, key: str, text: str) -> None:
        if key not in dict(self.alerts):
            self.alerts.append((key, text))

    # People

    def add(self, account: str, user: str, **fields: Any) -> None:
        """A person with everything a reset needs, known to the directory, the feed and Slack."""
        entry: dict[str, Any] = {
            "account": account,
            "name": account.title(),
            "emails": (f"{account}@harbour.example", f"{account}@home.example"),
            "groups": ("staff",),
            "team_id": TEAM,
            "slack_user_id": user,
            "bound_at": START - timedelta(days=30),
            "totp_secret": SEED,
            "password": OLD_PASSWORD,
        }
        self.people.import_feed([PersonFeed(**(entry | fields))])
        self.client.add(user, email=f"{account}@harbour.example")

    def person(self, account: str) -> Person:
        found = self.directory.find(account)
        assert found is not None
        return found

    def identify(self, user: str, **more: Any) -> Employee:
        return self.people.identify(team=TEAM, user=user, **({"max_age": 0} | more))

    def password_is(self, account: str, password: str) -> bool:
        return self.directory.check_password(self.person(account).directory_id, password)

    def code(self, ahead: int = 0) -> str:
        return pyotp.TOTP(SEED).at(int(self.clock().timestamp()) + 30 * ahead)

    # The way of a request

    def ask(self, user: str, **more: Any) -> InProgress | Declined:
        """A wish as the turn would start it: look, check, record."""
        employee = self.identify(user, **more)
        refusal = self.reset.check(employee)
        self._asked += 1
        return self.start(employee, refusal, key=f"{TEAM}:D{user}:{self._asked}.1")

    def start(
        self, employee: Employee, refusal: str | None, *, key: str, workflow: Workflow | None = None
    ) -> InProgress | Declined:
        ts = key.rpartition(":")[2]
        with self.database.transaction() as session:
            conversation = Conversation(
                team=TEAM,
                channel=f"D{employee.user}",
                thread_ts=f"{ts}.{time.monotonic_ns()}"[-30:],
                employee=employee.user,
                surface="im",
                created_at=self.clock(),
                last_turn_at=self.clock(),
            )
            session.add(conversation)
            session.flush()
            return (workflow or self.reset).start(
                session,
                key=key,
                employee=employee,
                conversation=conversation,
                refusal=refusal,
                given={},
                now=self.clock(),
            )

    def offered(self, user: str) -> str:
        """A request whose card is out; its id."""
        outcome = self.ask(user)
        assert isinstance(outcome, InProgress), outcome
        assert outcome.request is not None
        self.reset.announce(outcome.request)
        return outcome.request

    def click(self, user: str, request: str, action: str = "reset_continue", /, **changed: Any) -> None:
        """A click as Slack would sign it; its workflow has ended when this returns."""
        with self.database.reading() as session:
            from bot.records import Post

            card = session.get_one(Post, f"reset:{request}:card")
        self._asked += 1
        action_ts = f"{self._asked}.5"
        body: dict[str, Any] = {
            "type": "block_actions",
            "team": {"id": TEAM},
            "user": {"id": user, "team_id": TEAM},
            "container": {"type": "message", "channel_id": card.channel, "message_ts": card.ts},
            "actions": [{"action_id": action, "block_id": "reset", "action_ts": action_ts, "value": request}],
        }
        self.reset.clicked(body | changed)
        wish = action.removeprefix("reset_")
        for key in (f"reset:{request}:{wish}:{action_ts}",):
            if self.durable.status(key):
                self.durable.wait(key, 20)

    def linked(self, user: str) -> str:
        """A request whose page is open; its id."""
        request = self.offered(user)
        self.click(user, request)
        return request

    def wants_a_key(self, user: str) -> InProgress | Declined:
        """A wish to register a security key, as the turn would start it; what it brings is sent when this returns."""
        employee = self.identify(user)
        refusal = self.keys.check(employee)
        self._asked += 1
        outcome = self.start(employee, refusal, key=f"{TEAM}:D{user}:{self._asked}.1", workflow=self.keys)
        if isinstance(outcome, InProgress):
            assert outcome.request is not None
            self.keys.announce(outcome.request)
            self.durable.wait(f"key:{outcome.request}:requested", 40)
        return outcome

    def key_requested(self, user: str) -> str:
        """A request to register a security key whose page is open; its id."""
        outcome = self.wants_a_key(user)
        assert isinstance(outcome, InProgress), outcome
        return outcome.request or ""

    def link(self, request: str, purpose: str = "reset") -> str:
        base = re.escape(self.public_url.rstrip("/"))
        for post in self.client.posts():
            if found := re.search(rf"{base}(/once/{purpose}-{request}[0-9a-f]+)", str(post.get("text"))):
                return found[1]
        raise AssertionError("no link was posted")

    def submit(
        self, path: str, *, code: str | None = None, new: str = NEW_PASSWORD, again: str | None = None
    ) -> tuple[int, str]:
        fields = {"code": self.code() if code is None else code, "new": new, "again": new if again is None else again}
        response = self.web.post(path, data=fields)
        return response.status_code, response.text

    def finished(self, request: str, attempt: int = 1) -> None:
        self.durable.wait(f"reset:{request}:{attempt}", 40)

    # What is kept

    def request(self, request: str) -> ResetRequest:
        with self.database.reading() as session:
            return session.get_one(ResetRequest, request)

    def audit(self) -> list[AuditRow]:
        with self.database.reading() as session:
            return list(audit_rows(session))

    def reasons(self) -> list[str]:
        return [row.reason for row in self.audit()]

    def said(self) -> list[str]:
        return [str(post["text"]) for post in self.client.posts()]


def durable_store(database: Database, home: Path) -> Database:
    """Where the durable runtime of a test keeps its tables."""
    if database.engine.dialect.name == "sqlite":
        return Database.at(f"sqlite:///{home / 'durable.sqlite'}")
    return database
