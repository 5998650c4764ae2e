"""Facts about tickets: the only way a ticket changes, and what its row can be computed from."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tickets.records import EventType, Ticket, TicketEvent

TRACKED = tuple(column.key for column in Ticket.__table__.columns if column.key != "id")


def record(
    session: Session,
    ticket: Ticket,
    type_: EventType,
    *,
    actor: str,
    now: datetime,
    changes: Mapping[str, Any] | None = None,
    **facts: str | int | None,
) -> TicketEvent:
    """Change the ticket's row and append the event that says so, in the caller's transaction.

    The caller holds the ticket's row (`queries.held`, or has just inserted it), so that `seq` has no rival.
    """
    changed = dict(changes or {})
    for column, value in changed.items():
        setattr(ticket, column, value)
    ticket.updated_at = now
    last = session.scalar(select(func.max(TicketEvent.seq)).where(TicketEvent.ticket_id == ticket.id)) or 0
    event = TicketEvent(
        ticket_id=ticket.id,
        seq=last + 1,
        at=now,
        actor=actor,
        type=type_,
        data={**facts, "changes": {column: _plain(value) for column, value in changed.items()}},
    )
    session.add(event)
    session.flush()
    return event


def recompute(events: Iterable[TicketEvent]) -> dict[str, Any]:
    """The row that a ticket's events, in order of `seq`, add up to, in the form of `row_of`."""
    row: dict[str, Any] = dict.fromkeys(TRACKED)
    for event in events:
        row.update(event.data["changes"])
        row["updated_at"] = _plain(event.at)
    return row


def row_of(ticket: Ticket) -> dict[str, Any]:
    """A ticket's columns as JSON values, moments as ISO 8601 in UTC."""
    return {column: _plain(getattr(ticket, column)) for column in TRACKED}


def events_of(session: Session, ticket: Ticket) -> list[TicketEvent]:
    found = session.scalars(select(TicketEvent).where(TicketEvent.ticket_id == ticket.id).order_by(TicketEvent.seq))
    return list(found)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.value if isinstance(value, Enum) else value
