"""Finding tickets, and their JSON for the command line."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from tickets.errors import TicketNotFound
from tickets.events import events_of
from tickets.numbers import understood
from tickets.records import Attachment, ConversationRef, EntryKind, Ticket, WorklogEntry
from tickets.states import OPEN


def find(session: Session, asked: str | int) -> Ticket:
    """The ticket called `42`, `#42`, `INC0000042` or `inc 42`; raises `TicketNotFound`, also if its kind is another."""
    return _found(session, asked, hold=False)


def held(session: Session, asked: str | int) -> Ticket:
    """Like `find`, and nobody else changes the ticket until this transaction ends."""
    return _found(session, asked, hold=True)


def tickets(session: Session, *, limit: int | None = None) -> list[Ticket]:
    """All tickets, the latest first."""
    return list(session.scalars(select(Ticket).order_by(Ticket.id.desc()).limit(limit)))


def open_ticket_in(session: Session, conversation: ConversationRef) -> Ticket | None:
    return session.scalar(select(Ticket).where(Ticket.open_conversation == conversation.key))


def latest_ticket_in(session: Session, conversation: ConversationRef) -> Ticket | None:
    """The last ticket that was opened in a conversation, in whatever state."""
    return session.scalar(
        select(Ticket)
        .where(
            Ticket.conversation_team == conversation.team,
            Ticket.conversation_channel == conversation.channel,
            Ticket.conversation_thread_ts == conversation.thread_ts,
        )
        .order_by(Ticket.id.desc())
        .limit(1)
    )


def open_tickets_of(session: Session, requester: str) -> list[Ticket]:
    """Tickets of a person, by Slack user id or account, that somebody still has to do something about; latest first."""
    return _open(session, or_(Ticket.requester == requester, Ticket.requester_account == requester))


def unassigned(session: Session) -> list[Ticket]:
    """Open tickets that nobody has claimed, the most pressing and oldest first."""
    return _open(session, Ticket.assignee.is_(None), pressing_first=True)


def assigned_to(session: Session, agent: str) -> list[Ticket]:
    """Open tickets of an agent, the most pressing and oldest first."""
    return _open(session, Ticket.assignee == agent, pressing_first=True)


def worklog_of(session: Session, ticket: Ticket, *, public_only: bool = False) -> list[WorklogEntry]:
    """What was said, oldest first; `public_only` is what the employee may read."""
    asked = select(WorklogEntry).where(WorklogEntry.ticket_id == ticket.id).order_by(WorklogEntry.id)
    if public_only:
        asked = asked.where(WorklogEntry.kind == EntryKind.REPLY)
    return list(session.scalars(asked))


def attachments_of(session: Session, ticket: Ticket) -> list[Attachment]:
    return list(session.scalars(select(Attachment).where(Attachment.ticket_id == ticket.id).order_by(Attachment.id)))


def listed(ticket: Ticket) -> dict[str, Any]:
    """One ticket as `deskmate tickets list --json` shows it."""
    conversation = ticket.conversation
    return {
        "number": ticket.number,
        "kind": ticket.kind.value,
        "state": ticket.state.value,
        "priority": ticket.priority_level.code,
        "title": ticket.title,
        "requester": ticket.requester,
        "assignee": ticket.assignee,
        "conversation": conversation
        and {"team": conversation.team, "channel": conversation.channel, "thread_ts": conversation.thread_ts},
        "created_at": _iso(ticket.created_at),
        "updated_at": _iso(ticket.updated_at),
    }


def shown(session: Session, ticket: Ticket) -> dict[str, Any]:
    """One ticket as `deskmate tickets show --json` shows it."""
    return listed(ticket) | {
        "worklog": [
            {"kind": entry.kind.value, "author": entry.author, "text": entry.text, "at": _iso(entry.at)}
            for entry in worklog_of(session, ticket)
        ],
        "events": [
            {
                "seq": event.seq,
                "at": _iso(event.at),
                "actor": event.actor,
                "type": event.type.value,
                "data": event.data,
            }
            for event in events_of(session, ticket)
        ],
    }


def _found(session: Session, asked: str | int, *, hold: bool) -> Ticket:
    meant = understood(str(asked))
    if meant is None:
        raise TicketNotFound(str(asked))
    number, kind = meant
    statement = select(Ticket).where(Ticket.id == number)
    if hold:
        # SQLite has no row locks and needs none: a writing transaction there is alone from its beginning.
        statement = statement.with_for_update().execution_options(populate_existing=True)
    ticket = session.scalar(statement)
    if ticket is None or (kind is not None and ticket.kind is not kind):
        raise TicketNotFound(str(asked))
    return ticket


def _open(session: Session, condition: ColumnElement[bool], *, pressing_first: bool = False) -> list[Ticket]:
    order: Sequence[ColumnElement[Any]] = (Ticket.id.desc(),)
    if pressing_first:
        order = (Ticket.priority.asc(), Ticket.id.asc())
    return list(session.scalars(select(Ticket).where(Ticket.state.in_(OPEN), condition).order_by(*order)))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()
