"""Traces in SQL: one a turn, written with its outcome, forgotten after a while."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.records import TurnTrace
from bot.why import Why, from_json, to_json
from store import Database

KEPT = timedelta(days=90)


def keep(session: Session, key: str, why: Why, now: datetime) -> None:
    """The turn's one trace. Kept again, the later one counts."""
    session.merge(TurnTrace(turn_key=key, trace=to_json(why), created_at=now))
    session.flush()


def kept(session: Session, key: str) -> Why | None:
    record = session.get(TurnTrace, key)
    return from_json(record.trace) if record else None


def forget(database: Database, now: datetime) -> None:
    """Delete what is older than `KEPT`."""
    with database.transaction() as session:
        session.execute(delete(TurnTrace).where(TurnTrace.created_at < now - KEPT))
