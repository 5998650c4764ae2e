"""The whole desk in this process, against the local Slack workspace."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from sqlalchemy import select

from bot.records import Turn
from deskmate.open_desk import OpenDesk, open_desk
from deskmate.running import closed
from deskmate.running import opened as opened_line
from deskmate.settings import Settings
from deskmate.wiring import open_database, open_library
from sandbox import Sandbox
from sandbox.objects import Message
from tests.filled import SAMPLE, filled
from tickets import queries

ALICE, BOB, CAROL, GUS = "U0ALICE", "U0BOB", "U0CAROL", "U0GUS"
WAIT = 240.0
"""Seconds; a bound for a test that hangs, not a claim of speed."""


@dataclass
class Place:
    """A desk and its workspace, and people who write in it."""

    sandbox: Sandbox
    open: OpenDesk
    settings: Settings

    @property
    def desk(self) -> Any:
        return self.open.desk

    def dm(self, user: str = ALICE) -> str:
        return self.sandbox.workspace.dm_of(user).id

    def says(
        self, user: str, text: str, *, channel: str | None = None, thread: str | None = None, files: Any = ()
    ) -> str:
        where = channel or self.dm(user)
        return self.sandbox.workspace.post(user, where, text, thread_ts=thread, files=files)

    def thread(self, channel: str, ts: str, *, viewer: str = ALICE) -> list[Message]:
        return self.sandbox.workspace.thread(channel, ts, viewer)

    def replies(self, channel: str, ts: str) -> list[Message]:
        """What the bot said in a thread."""
        return [message for message in self.thread(channel, ts) if message.bot_id and message.ephemeral_for is None]

    def until(self, condition: Callable[[], Any], *, seconds: float = WAIT) -> None:
        """What isn't in the workspace tells nobody that it has changed, so it is looked at now and then."""
        deadline = time.monotonic() + seconds
        while not self.sandbox.workspace.wait_until(lambda: bool(condition()), 0.2):
            assert time.monotonic() < deadline, "it didn't happen in time"

    def reply(self, ts: str, *, channel: str | None = None, number: int = 1) -> Message:
        """The bot's reply of this number in the thread of a message."""
        where = channel or self.dm()
        self.until(lambda: len(self.replies(where, ts)) >= number)
        return self.replies(where, ts)[number - 1]

    def ask(self, text: str, user: str = ALICE) -> Message:
        return self.reply(self.says(user, text), channel=self.dm(user))

    def press(self, user: str, message: Message, action: str, value: str | None = None) -> Any:
        """Click the button of a message whose action begins so."""
        for block in message.blocks:
            for element in [*block.get("elements", ()), block.get("accessory") or {}]:
                if str(element.get("action_id", "")).startswith(action):
                    return self.sandbox.workspace.click(
                        user,
                        message.channel,
                        message.ts,
                        block["block_id"],
                        element["action_id"],
                        value or element.get("value"),
                    )
        raise AssertionError(f"no button {action} in {message.blocks}")

    def whispers(self, user: str, channel: str) -> list[str]:
        messages = self.sandbox.workspace.history[channel].values()
        return [message.text for message in messages if message.ephemeral_for == user]

    def tickets(self) -> list[dict[str, Any]]:
        with self.desk.database.reading() as session:
            return [queries.listed(ticket) for ticket in queries.tickets(session)]

    def card(self, number: int = 1) -> Message:
        """The triage card of this number, in the order of opening."""

        def cards() -> list[Message]:
            found = self.sandbox.workspace.messages("C0TRIAGE", BOB)
            return [message for message in found if message.bot_id]

        self.until(lambda: len(cards()) >= number)
        return cards()[number - 1]

    def settled(self) -> None:
        """Wait until no turn is unfinished."""

        def unfinished() -> list[Turn]:
            with self.desk.database.reading() as session:
                return list(session.scalars(select(Turn).where(Turn.state.in_(("received", "decided")))))

        for _ in range(int(WAIT * 50)):
            if not unfinished():
                return
            time.sleep(0.02)
        raise AssertionError("turns are unfinished")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    box = Sandbox(port=0, people=SAMPLE / "people.json", redelivery_scale=0.02)
    box.start()
    yield box
    box.stop()


@pytest.fixture
def place(sandbox: Sandbox, tmp_path: Path, database_url: str) -> Iterator[Place]:
    settings = filled(sandbox, tmp_path, database_url)
    with ExitStack() as stack:
        database = stack.enter_context(open_database(settings))
        library = stack.enter_context(open_library(database, settings))
        opened = stack.enter_context(open_desk(settings, database, library))
        handler = SocketModeHandler(opened.app, sandbox.app_token, web_client=opened.client, concurrency=16)
        stack.callback(closed, handler.client)
        assert opened_line(handler.client, 10)
        assert sandbox.wait_for_app(10)
        yield Place(sandbox, opened, settings)
