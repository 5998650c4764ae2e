"""Tickets, their events, worklog and attachments, as tables."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Enum, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store import Base
from tickets.numbers import Kind, written
from tickets.priority import Priority
from tickets.states import State


class EventType(StrEnum):
    OPENED = "opened"
    REPORTED_AGAIN = "reported_again"
    CLAIMED = "claimed"
    ASSIGNED = "assigned"
    RELEASED = "released"
    STARTED = "started"
    HELD = "held"
    REPLIED = "replied"
    NOTED = "noted"
    ATTACHED = "attached"
    PRIORITISED = "prioritised"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    RATED = "rated"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class EntryKind(StrEnum):
    """A reply is for the employee to read, a note for agents only."""

    REPLY = "reply"
    NOTE = "note"


def as_text(words: type[StrEnum]) -> Enum:
    """A column of a closed set of words, stored as text, so that a new word needs no change of the table."""
    return Enum(words, native_enum=False, length=32, values_callable=lambda kind: [word.value for word in kind])


@dataclass(frozen=True)
class ConversationRef:
    """Where a ticket's conversation takes place: one Slack thread."""

    team: str
    channel: str
    thread_ts: str

    @property
    def key(self) -> str:
        return f"{self.team}:{self.channel}:{self.thread_ts}"


class Ticket(Base):
    """The current state of a ticket. Only `tickets.events.record` changes it, so that events tell all of it."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_conversation", "conversation_team", "conversation_channel", "conversation_thread_ts"),
        {"sqlite_autoincrement": True},  # a number is never given twice
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[Kind] = mapped_column(as_text(Kind))
    state: Mapped[State] = mapped_column(as_text(State), index=True)
    impact: Mapped[int]
    urgency: Mapped[int]
    priority: Mapped[int]
    category: Mapped[str | None] = mapped_column(String(100))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)
    requester: Mapped[str] = mapped_column(String(255), index=True)
    requester_account: Mapped[str | None] = mapped_column(String(255), index=True)
    assignment_group: Mapped[str | None] = mapped_column(String(255), index=True)
    assignee: Mapped[str | None] = mapped_column(String(255), index=True)
    conversation_team: Mapped[str | None] = mapped_column(String(64))
    conversation_channel: Mapped[str | None] = mapped_column(String(64))
    conversation_thread_ts: Mapped[str | None] = mapped_column(String(64))
    open_conversation: Mapped[str | None] = mapped_column(String(255), unique=True)
    """The conversation's key while the ticket is open: a conversation has one open ticket at most."""
    opening_key: Mapped[str | None] = mapped_column(String(512), unique=True)
    """What asked for the ticket (a message, a workflow's run), so that asking again opens no second one."""
    created_at: Mapped[datetime] = mapped_column(index=True)
    updated_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    resolution: Mapped[str | None] = mapped_column(Text)
    rating: Mapped[int | None]

    @property
    def number(self) -> str:
        """`INC0000042`, as people see it."""
        return written(self.kind, self.id)

    @property
    def conversation(self) -> ConversationRef | None:
        team, channel, thread_ts = self.conversation_team, self.conversation_channel, self.conversation_thread_ts
        if team is None or channel is None or thread_ts is None:
            return None
        return ConversationRef(team, channel, thread_ts)

    @property
    def priority_level(self) -> Priority:
        return Priority(self.priority)


class TicketEvent(Base):
    """An append-only fact about a ticket; `seq` counts from 1 within a ticket, without gaps."""

    __tablename__ = "ticket_event"
    __table_args__ = (UniqueConstraint("ticket_id", "seq"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    seq: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(255))
    type: Mapped[EventType] = mapped_column(as_text(EventType))
    data: Mapped[dict[str, Any]]


class WorklogEntry(Base):
    """What was said about a ticket."""

    __tablename__ = "ticket_worklog"
    __table_args__ = (UniqueConstraint("ticket_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[EntryKind] = mapped_column(as_text(EntryKind))
    author: Mapped[str] = mapped_column(String(255))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]
    key: Mapped[str | None] = mapped_column(String(512))


class Attachment(Base):
    """A file of the conversation that belongs to a ticket; its bytes lie at `path`."""

    __tablename__ = "ticket_attachment"
    __table_args__ = (UniqueConstraint("ticket_id", "file_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"))
    file_id: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(255))
    mimetype: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    path: Mapped[str] = mapped_column(Text)
    added_at: Mapped[datetime]
