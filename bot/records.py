"""What the bot keeps: conversations, turns, what was posted, handoffs, feedback."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from store import Base


class Conversation(Base):
    """One Slack thread with one employee."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("team", "channel", "thread_ts"),
        Index("ix_conversations_employee", "team", "channel", "employee"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    team: Mapped[str] = mapped_column(String(32))
    channel: Mapped[str] = mapped_column(String(32))
    thread_ts: Mapped[str] = mapped_column(String(32))
    employee: Mapped[str] = mapped_column(String(32))
    """Slack user id."""
    surface: Mapped[str] = mapped_column(String(16))
    """`im`, `assistant`, `channel`, `command`."""
    created_at: Mapped[datetime]
    last_turn_at: Mapped[datetime]


class Turn(Base):
    """One message of the employee and what came of it."""

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_waiting", "conversation_id", "state", "ts"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    ts: Mapped[str] = mapped_column(String(32))
    edited_ts: Mapped[str | None] = mapped_column(String(32))
    user: Mapped[str] = mapped_column(String(32))
    user_team: Mapped[str | None] = mapped_column(String(32))
    text: Mapped[str]
    """As Slack sent it."""
    files: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(String(16))
    """`received`, `decided` (outcome kept, reply may be on its way), `done`; `failed`: Slack never took the reply."""
    outcome_kind: Mapped[str | None] = mapped_column(String(16))
    outcome: Mapped[dict[str, Any] | None]
    received_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


class TurnTrace(Base):
    """Why a turn ended as it did (`bot.why`); apart from the turn, which is read often."""

    __tablename__ = "turn_traces"

    turn_key: Mapped[str] = mapped_column(ForeignKey("turns.key"), primary_key=True)
    trace: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(index=True)


class Post(Base):
    """One message that the bot sends; `key` makes it one however often the sending is tried."""

    __tablename__ = "posts"
    __table_args__ = (Index("ix_posts_message", "channel", "ts"),)

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32))
    """`reply`, `relay`, `triage_card`, `rating`, `reset_card`, …: what a click on it is about."""
    ref: Mapped[str | None] = mapped_column(String(128))
    """The object that the message is about: a turn's key, a ticket's number, a request's id."""
    channel: Mapped[str] = mapped_column(String(32))
    thread_ts: Mapped[str | None] = mapped_column(String(32))
    ts: Mapped[str | None] = mapped_column(String(32))
    """Empty while Slack's answer is outstanding."""
    streaming: Mapped[bool] = mapped_column(default=False, server_default=false())
    """It was begun as a stream, and isn't known to be whole yet."""
    created_at: Mapped[datetime]


class HandoffRecord(Base):
    """A ticket that humans work on in the triage channel."""

    __tablename__ = "handoffs"
    __table_args__ = (UniqueConstraint("triage_channel", "triage_ts"),)

    ticket: Mapped[str] = mapped_column(String(16), primary_key=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    """None for what the desk itself has found: nobody in Slack is to read along."""
    reason: Mapped[str] = mapped_column(String(32))
    handoff: Mapped[dict[str, Any]]
    triage_channel: Mapped[str | None] = mapped_column(String(32))
    triage_ts: Mapped[str | None] = mapped_column(String(32))
    claimed_by: Mapped[str | None] = mapped_column(String(32))
    """Slack user id of the agent; the ticket's assignee is the truth, this is for the relay's look-up."""
    created_at: Mapped[datetime]


class Feedback(Base):
    """What an employee thought of an answer."""

    __tablename__ = "feedback"

    turn_key: Mapped[str] = mapped_column(String(128), primary_key=True)
    user: Mapped[str] = mapped_column(String(32), primary_key=True)
    helpful: Mapped[bool]
    wrong: Mapped[str | None]
    """What was wrong, in the employee's words."""
    at: Mapped[datetime]


class OpenView(Base):
    """A modal that the bot opened: what it is about is kept here, not in the view, so that nobody can change it."""

    __tablename__ = "open_views"

    view_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    purpose: Mapped[str] = mapped_column(String(32))
    """`resolve`, `feedback`."""
    ref: Mapped[str] = mapped_column(String(128))
    """A ticket's number, a turn's key."""
    user: Mapped[str] = mapped_column(String(32))
    opened_at: Mapped[datetime]


class AgentMessage(Base):
    """What an agent wrote in a ticket's triage thread, kept until it is relayed or noted."""

    __tablename__ = "agent_messages"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    ticket: Mapped[str] = mapped_column(String(16))
    channel: Mapped[str] = mapped_column(String(32))
    ts: Mapped[str] = mapped_column(String(32))
    user: Mapped[str] = mapped_column(String(32))
    text: Mapped[str]
    """As Slack sent it."""
    at: Mapped[datetime]
