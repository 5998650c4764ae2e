"""The whole desk in this process with its sample people, groups and offers, and a clock that can be moved on."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from sqlalchemy import select

from bot.directory.demo import DemoDirectory
from bot.routines.offers import OfferSettings
from bot.routines.records import RoutineRequest, add_codes
from deskmate.open_desk import open_desk
from deskmate.running import closed
from deskmate.running import opened as opened_line
from deskmate.up import load_groups
from deskmate.wiring import open_database, open_library
from sandbox import Sandbox
from sandbox.objects import Message
from store import utc_now
from tests.bot.conftest import ALICE, Place, sandbox
from tests.filled import SAMPLE, filled

__all__ = ["sandbox"]

DANA = "U0DANA"


@dataclass
class Office(Place):
    """A place where routine requests are carried out."""

    def request(self) -> RoutineRequest:
        """The newest one."""
        (found, *_) = self.requests()
        return found

    def requests(self) -> list[RoutineRequest]:
        with self.desk.database.reading() as session:
            return list(session.scalars(select(RoutineRequest).order_by(RoutineRequest.created_at.desc())))

    def until_state(self, state: str) -> RoutineRequest:
        self.until(lambda: [request.state for request in self.requests()[:1]] == [state])
        return self.request()

    def groups(self, account: str) -> frozenset[str]:
        found = self.directory.find(account)
        assert found is not None
        return found.groups

    @property
    def directory(self) -> DemoDirectory:
        return DemoDirectory(self.desk.database, privileged_groups=self.settings.directory.privileged_groups)

    def card(self, user: str = ALICE, *, purpose: str = "Ask") -> Message:  # type: ignore[override]  # another card
        """The last message with buttons in the person's direct messages."""

        def cards() -> list[Message]:
            found = self.sandbox.workspace.messages(self.dm(user), user)
            threads = [self.thread(self.dm(user), message.ts, viewer=user) for message in found]
            said = [message for thread in threads for message in thread if message.bot_id]
            return [message for message in said if any(block["type"] == "actions" for block in message.blocks)]

        self.until(cards)
        return max(cards(), key=lambda message: float(message.ts))

    def press_own(self, action: str) -> None:
        """Alice's click on a button of her card, once it is there: cards follow what is decided."""
        self.until(lambda: action in str(self.card().blocks))
        self.press(ALICE, self.card(), action)

    def fill_in(self, card: Message, user: str = ALICE, **values: Any) -> Any:
        """Open the form behind a card's button, fill it in and send it; Slack's answer."""
        self.press(user, card, f"{self.request().workflow}_fill_in")
        workspace = self.sandbox.workspace
        self.until(lambda: workspace.views.get(user))
        return workspace.submit(user, workspace.views[user][-1].id, values)

    def stock(self, offer: str, codes: list[str]) -> None:
        with self.desk.database.transaction() as session:
            add_codes(session, offer, codes)

    def advance(self, hours: float) -> None:
        self.sandbox.workspace.advance(hours)
        for workflow in self.desk.workflows:
            workflow.tick()


@pytest.fixture
def office(sandbox: Sandbox, tmp_path: Path, database_url: str) -> Iterator[Office]:
    settings = filled(sandbox, tmp_path, database_url)
    settings = replace(settings, offers=OfferSettings(offers=SAMPLE / "offers.json"))
    with ExitStack() as stack:
        database = stack.enter_context(open_database(settings))
        library = stack.enter_context(open_library(database, settings))
        load_groups(settings, database)

        def now() -> Any:
            return utc_now() + sandbox.workspace.advanced

        opened = stack.enter_context(open_desk(settings, database, library, now=now))
        handler = SocketModeHandler(opened.app, sandbox.app_token, web_client=opened.client, concurrency=16)
        stack.callback(closed, handler.client)
        assert opened_line(handler.client, 10)
        assert sandbox.wait_for_app(10)
        yield Office(sandbox, opened, settings)
