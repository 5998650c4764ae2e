"""Fixtures that the tests of the password reset and of its security share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from store import Database
from store.durable import Durable
from tests.conftest import free_port
from tests.reset.desk import Mailbox, ResetDesk


@pytest.fixture
def mail_server() -> Iterator[tuple[str, Mailbox]]:
    """An SMTP server of our own; its URL, and what it received."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield f"smtp://127.0.0.1:{controller.port}", mailbox
    controller.stop()


@pytest.fixture
def desk(
    database: Database, database_url: str, tmp_path: Path, mail_server: tuple[str, Mailbox]
) -> Iterator[ResetDesk]:
    """Alice, who may reset her password, and Victor, whom somebody might want to be."""
    durable = Durable(database_url=database_url, home=tmp_path, executor_id="tester")
    desk = ResetDesk(database=database, durable=durable, smtp_url=mail_server[0], mailbox=mail_server[1])
    desk.add("alice", "U0ALICE", manager="victor")
    desk.add("victor", "U0VICTOR")
    with desk.web:
        yield desk
    durable.close()
