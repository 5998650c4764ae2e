"""How many tokens a day may cost: kept in SQL, so that it holds over restarts and over processes."""

from collections.abc import Callable
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from knowledge.records import TokensOfDay
from store import Database, utc_now


class TokenBudget:
    """`reserve` before a call, `settle` after it. A process that dies in between leaves its reservation spent: the
    cap is a cap."""

    def __init__(self, database: Database, per_day: int, *, now: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._per_day = per_day
        self._now = now

    def reserve(self, tokens: int) -> date | None:
        """Take this many from what is left of today, which is returned; None, and nothing is taken, if there aren't so
        many."""
        today = self._now().date()
        with self._database.transaction() as session:
            if session.get(TokensOfDay, today) is None:
                try:
                    with session.begin_nested():
                        session.add(TokensOfDay(day=today, tokens=0))
                except IntegrityError:  # another process was first
                    pass
            taken = session.execute(
                update(TokensOfDay)
                .where(TokensOfDay.day == today, TokensOfDay.tokens + tokens <= self._per_day)
                .values(tokens=TokensOfDay.tokens + tokens)
                .returning(TokensOfDay.tokens)
            ).scalar()
        return today if taken is not None else None

    def settle(self, day: date, reserved: int, spent: int) -> None:
        """Put back what was reserved on a day and not spent (or take what was spent beyond it)."""
        with self._database.transaction() as session:
            session.execute(
                update(TokensOfDay).where(TokensOfDay.day == day).values(tokens=TokensOfDay.tokens + spent - reserved)
            )

    def spent_today(self) -> int:
        with self._database.reading() as session:
            return session.scalar(select(TokensOfDay.tokens).where(TokensOfDay.day == self._now().date())) or 0
