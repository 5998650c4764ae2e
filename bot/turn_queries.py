"""Which turns there are: the next one of a conversation, those before it, the one that an edit replaces."""

import re
from datetime import timedelta

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from bot.message import plain
from bot.records import Conversation, Post, Turn
from bot.routing import WANTS_HUMAN

CONTEXT = timedelta(minutes=30)
"""How long a new top-level direct message may still belong to what was said before it."""
GOES_ON = re.compile(
    r"^\W*(?:and|but|or|also|then|ok but|what about|how about|what if|the same|same|it|its|it's|that|that's|this|these"
    r"|those|they|them|still|again|neither|yes|no|nope|did(?:n'?t| not)|does(?:n'?t| not))\b",
    re.IGNORECASE,
)


def oldest_unfinished(session: Session, key: str) -> tuple[Conversation, Turn | None]:
    """The conversation of the turn `key`, and which of its turns is next."""
    conversation = session.scalars(
        select(Conversation).join(Turn, Turn.conversation_id == Conversation.id).where(Turn.key == key)
    ).one()
    turn = session.scalar(
        select(Turn)
        .where(Turn.conversation_id == conversation.id, Turn.state.in_(("received", "decided")))
        .order_by(func.coalesce(Turn.edited_ts, Turn.ts), Turn.id)
        .limit(1)
    )
    return conversation, turn


def turns_before(session: Session, conversation: Conversation, turn: Turn) -> list[Turn]:
    """The finished turns that this one continues, oldest first, at most six; of an edited message the last version."""
    newer = aliased(Turn)
    edited_later = exists().where(
        newer.conversation_id == Turn.conversation_id, newer.ts == Turn.ts, newer.id > Turn.id
    )
    query = select(Turn).where(Turn.id != turn.id, Turn.state == "done", Turn.ts < turn.ts, ~edited_later)
    same_thread = query.where(Turn.conversation_id == conversation.id)
    found = list(session.scalars(same_thread.order_by(Turn.ts.desc()).limit(6)))
    begins = conversation.surface == "im" and turn.ts == conversation.thread_ts
    if not found and begins and leans_on_earlier(plain(turn.text)):
        recent = query.join(Conversation, Conversation.id == Turn.conversation_id).where(
            Conversation.team == conversation.team,
            Conversation.channel == conversation.channel,
            Conversation.employee == turn.user,
            Turn.received_at > turn.received_at - CONTEXT,
        )
        found = list(session.scalars(recent.order_by(Turn.ts.desc()).limit(2)))
    return found[::-1]


def leans_on_earlier(text: str) -> bool:
    """Whether a message that begins a thread makes sense only with what was said before it. Anything else is a matter
    of its own, and what was said before neither helps to find an answer nor is for the agents to read."""
    return GOES_ON.search(text) is not None or WANTS_HUMAN.search(text) is not None


def reply_to_original(session: Session, turn: Turn) -> Post | None:
    """For an edited message, the reply that its first version got."""
    if turn.edited_ts is None:
        return None
    keys = select(Turn.key).where(Turn.conversation_id == turn.conversation_id, Turn.ts == turn.ts, Turn.id != turn.id)
    return session.scalar(select(Post).where(Post.key.in_(keys), Post.purpose == "reply").limit(1))
