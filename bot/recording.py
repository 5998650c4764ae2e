"""How a message is recorded: its conversation, and the turn that it begins. SQL only."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.message import Message
from bot.records import Conversation, Turn


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
    if message.edited_ts is not None:
        original = session.scalar(
            select(Turn)
            .where(Turn.conversation_id == (conversation.id if conversation else 0), Turn.ts == message.ts)
            .order_by(Turn.id)
        )
        if original is None:
            return None
        if original.state == "received":
            original.text = message.text
            return original.conversation_id, original.key
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


def speaks_here(session: Session, conversation: Conversation, user: str) -> bool:
    """Whether a person has talked with the desk in this thread before."""
    said = select(Turn.id).where(Turn.conversation_id == conversation.id, Turn.user == user).limit(1)
    return conversation.employee == user or session.scalar(said) is not None
