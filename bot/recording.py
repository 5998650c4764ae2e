"""How a message is recorded: its conversation, and the turn that it begins. SQL only."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.message import Message
from bot.records import Conversation, Turn

LATE = timedelta(minutes=10)
"""Slack delivers what it couldn't deliver for some six minutes; an edit may be there before what it edits."""


def record(session: Session, message: Message, *, surface: str | None, now: datetime) -> tuple[int, str] | None:
    """Conversation and key of the turn that the message begins, or began; None if it isn't the desk's business.

    Delivered again, it changes nothing.
    """
    conversation = session.scalar(
        select(Conversation).where(
            Conversation.team == message.team,
            Conversation.channel == message.channel,
            Conversation.thread_ts == message.root_ts,
        )
    )
    known = session.scalar(select(Turn).where(Turn.key == message.key))
    if known is not None:
        return known.conversation_id, known.key
    if (
        not message.direct
        and not message.mention
        and (conversation is None or not speaks_here(session, conversation, message.user))
    ):
        return None
    versions = session.scalars(
        select(Turn)
        .where(Turn.conversation_id == (conversation.id if conversation else 0), Turn.ts == message.ts)
        .order_by(Turn.id)
        .with_for_update()
    ).all()
    newer = next((turn for turn in versions if (turn.edited_ts or "") > (message.edited_ts or "")), None)
    if newer is not None:  # Slack keeps no order
        return newer.conversation_id, newer.key
    if message.edited_ts is not None:
        if not versions and (not message.direct or now - moment_of(message.ts) > LATE):
            return None  # of something that wasn't for the desk, or from before it was there
        if versions and versions[0].state == "received":
            versions[0].text = message.text
            return versions[0].conversation_id, versions[0].key
    if conversation is None:
        conversation = Conversation(
            team=message.team,
            channel=message.channel,
            thread_ts=message.root_ts,
            employee=message.user,
            surface=surface or ("im" if message.direct else "channel"),
            created_at=now,
            last_turn_at=now,
        )
        session.add(conversation)
        session.flush()
    conversation.last_turn_at = now
    session.add(
        Turn(
            key=message.key,
            conversation_id=conversation.id,
            ts=message.ts,
            edited_ts=message.edited_ts,
            user=message.user,
            user_team=message.user_team,
            text=message.text,
            files=[asdict(file) for file in message.files],
            state="received",
            received_at=now,
        )
    )
    return conversation.id, message.key


def moment_of(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)


def speaks_here(session: Session, conversation: Conversation, user: str) -> bool:
    """Whether a person has talked with the desk in this thread before."""
    said = select(Turn.id).where(Turn.conversation_id == conversation.id, Turn.user == user).limit(1)
    return conversation.employee == user or session.scalar(said) is not None
