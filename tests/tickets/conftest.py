"""A short way to a ticket."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tickets.numbers import Kind
from tickets.opening import open_ticket
from tickets.records import ConversationRef, Ticket

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
THREAD = ConversationRef("T1", "C1", "1700000000.000100")


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def thread() -> ConversationRef:
    return THREAD


@pytest.fixture
def minute() -> Callable[[int], datetime]:
    return lambda minutes: NOON + timedelta(minutes=minutes)


@pytest.fixture
def opened() -> Callable[..., Ticket]:
    """Opens a ticket of Alice's in the usual thread, at noon."""

    def make(session: Session, **other: Any) -> Ticket:
        wanted: dict[str, Any] = {
            "kind": Kind.INCIDENT,
            "title": "My badge stopped working",
            "description": "Since this morning",
            "requester": "U1",
            "conversation": THREAD,
            "actor": "U1",
            "now": NOON,
        }
        return open_ticket(session, **(wanted | other))

    return make
