"""What is said about a ticket: public replies, internal notes, files."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tickets.events import record
from tickets.queries import held
from tickets.records import Attachment, EntryKind, EventType, Ticket, WorklogEntry
from tickets.states import State
from tickets.texts import required, storable


def reply(
    session: Session,
    number: str | int,
    *,
    author: str,
    text: str,
    now: datetime,
    by_agent: bool = False,
    key: str | None = None,
) -> WorklogEntry:
    """Add a reply that both sides read. With a `key` (the message's own) the same reply is added once.

    An agent's reply sets work going on a new or assigned ticket, an employee's on one that was waiting for them.
    """
    ticket = held(session, number)
    begins = ticket.state in (State.NEW, State.ASSIGNED) if by_agent else ticket.state is State.PENDING
    changes = {"state": State.IN_PROGRESS} if begins else {}
    return add_entry(session, ticket, EntryKind.REPLY, EventType.REPLIED, author, text, now, key, changes)


def note(
    session: Session, number: str | int, *, author: str, text: str, now: datetime, key: str | None = None
) -> WorklogEntry:
    """Add a note that only agents read. With a `key` the same note is added once."""
    return add_entry(session, held(session, number), EntryKind.NOTE, EventType.NOTED, author, text, now, key, {})


def add_entry(
    session: Session,
    ticket: Ticket,
    kind: EntryKind,
    type_: EventType,
    author: str,
    text: str,
    now: datetime,
    key: str | None,
    changes: dict[str, State],
) -> WorklogEntry:
    """Add an entry to a ticket that the caller holds, unless one with this key is there already."""
    if key is not None:
        known = session.scalar(select(WorklogEntry).where(WorklogEntry.ticket_id == ticket.id, WorklogEntry.key == key))
        if known is not None:
            return known
    entry = WorklogEntry(
        ticket_id=ticket.id, kind=kind, author=author, text=required(text, kind.value), at=now, key=key
    )
    session.add(entry)
    session.flush()
    record(session, ticket, type_, actor=author, now=now, changes=changes, entry=entry.id)
    return entry


def attach(
    session: Session,
    number: str | int,
    *,
    file_id: str,
    name: str,
    mimetype: str,
    size: int,
    path: str,
    actor: str,
    now: datetime,
) -> Attachment:
    """Note a file (its size in bytes, its bytes already at `path`) on a ticket, once per `file_id`."""
    ticket = held(session, number)
    known = session.scalar(select(Attachment).where(Attachment.ticket_id == ticket.id, Attachment.file_id == file_id))
    if known is not None:
        return known
    attachment = Attachment(
        ticket_id=ticket.id,
        file_id=file_id,
        name=storable(name)[:255],
        mimetype=storable(mimetype)[:255],
        size=size,
        path=path,
        added_at=now,
    )
    session.add(attachment)
    record(session, ticket, EventType.ATTACHED, actor=actor, now=now, file=file_id)
    return attachment
