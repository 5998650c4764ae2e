"""Which turn somebody means: by its key, by a message's link or time, or by `last`."""

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.errors import BotError
from bot.records import Conversation, Post, Turn

LINK = re.compile(r"/archives/(?P<channel>[A-Z0-9]+)/p(?P<seconds>\d{10,})(?P<micros>\d{6})\b")
TIME = re.compile(r"\d{6,}\.\d{1,6}")
MOST_SHOWN = 60


class TurnUnknown(BotError):
    """The text says what to do."""


def turn_named(session: Session, name: str) -> Turn:
    """Of an edited message, its latest version. Errors: `TurnUnknown`."""
    name = name.strip()
    found = None
    if name == "last":
        found = session.scalar(select(Turn).order_by(Turn.id.desc()).limit(1))
        if found is None:
            raise TurnUnknown("There are no turns yet: nobody has written to the desk.")
    elif link := LINK.search(name):
        found = turn_at(session, f"{link['seconds']}.{link['micros']}", link["channel"])
    elif TIME.fullmatch(name):
        found = turn_at(session, name, None)
    else:
        found = session.scalar(select(Turn).where(Turn.key == name))
    if found is None:
        shown = "".join(character for character in name if character.isprintable())[:MOST_SHOWN]
        raise TurnUnknown(
            f"There is no turn {shown or '(empty)'}. Give the link or the ts of the employee's message or of the reply"
            " to it, a key as `deskmate why --list` shows them, or `last`."
        )
    return found


def turn_at(session: Session, ts: str, channel: str | None) -> Turn | None:
    """The turn of the employee's message at this time, or the one that the bot's message there is about.

    Errors: `TurnUnknown` when it happened in several channels at once.
    """
    own = select(Turn).where(Turn.ts == ts)
    replies = select(Turn).join(Post, Post.ref == Turn.key).where(Post.ts == ts)
    if channel is not None:
        own = own.join(Conversation, Conversation.id == Turn.conversation_id).where(Conversation.channel == channel)
        replies = replies.where(Post.channel == channel)
    for query in (own, replies):
        found = session.scalars(query.order_by(Turn.id.desc())).all()
        if len({turn.conversation_id for turn in found}) > 1:
            keys = ", ".join(turn.key for turn in found[:4])
            raise TurnUnknown(f"Several messages were written at {ts}. Say which by its key: {keys}.")
        if found:
            return found[0]
    return None
