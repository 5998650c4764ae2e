"""Codes of authenticator apps (RFC 6238): each used once, and three wrong ones in a row close the door for a day."""

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.directory.records import PersonRecord
from bot.directory.seeds import Seeds
from bot.workflows.limits import Limits
from bot.workflows.records import FactorState
from store import Database

STEP_SECONDS = 30
WINDOW = (0, -1, 1)
"""Steps before and after the present one that are taken, for clocks that go wrong."""


@dataclass(frozen=True)
class Verdict:
    kind: Literal["right", "wrong", "locked"]
    step: int = 0
    """The time step of a right code, to be used up with `use`."""
    left: int = 0
    """How many wrong codes are left."""
    locked_until: datetime | None = None


class SecondFactor:
    def __init__(self, *, database: Database, secret_key: str, limits: Limits, now: Callable[[], datetime]) -> None:
        self._database = database
        self._seeds = Seeds(secret_key)
        self._limits = limits
        self._now = now

    def verify(self, account: str, code: str, audit: Callable[[Session, Verdict], None]) -> Verdict:
        """Whether the code is right now. A wrong one is counted, and `audit` is called in the same transaction.

        Attempts of one account wait for each other, so that many at once are no more than three either.
        A right code is used up only by `use`.
        """
        with self._database.reading() as session:
            person = session.get(PersonRecord, account)
            sealed = person.factor_seed if person else None
        steps = self._matching(self._seeds.open(sealed), code) if sealed else []
        with self._database.transaction() as session:
            state = _held(session, account)
            now = self._now()
            if state.locked_until is not None and now < state.locked_until:
                verdict = Verdict("locked", locked_until=state.locked_until)
            elif fresh := [step for step in steps if step > state.last_step]:
                return Verdict("right", step=fresh[0])
            else:
                verdict = self._count(state, now)
            audit(session, verdict)
            return verdict

    def use(self, session: Session, account: str, step: int) -> bool:
        """Use up the code of a time step; False if it, or a later one, was used before."""
        state = _held(session, account)
        if step <= state.last_step:
            return False
        state.last_step, state.failures, state.first_failed_at = step, 0, None
        return True

    def give_back(self, session: Session, account: str, step: int) -> None:
        """Make a code good again that was used for nothing: the directory refused what it was used for."""
        state = _held(session, account)
        if state.last_step == step:
            state.last_step = step - 1

    def _matching(self, seed: str, code: str) -> list[int]:
        present = int(self._now().timestamp()) // STEP_SECONDS
        steps = [present + offset for offset in WINDOW]
        return [step for step in steps if hmac.compare_digest(code_at(seed, step), code)]

    def _count(self, state: FactorState, now: datetime) -> Verdict:
        if state.first_failed_at is None or now - state.first_failed_at > self._limits.lock:
            state.failures, state.first_failed_at = 0, now
        state.failures += 1
        left = self._limits.wrong_codes - state.failures
        if left > 0:
            return Verdict("wrong", left=left)
        state.failures, state.first_failed_at = 0, None
        state.locked_until = now + self._limits.lock
        return Verdict("locked", locked_until=state.locked_until)


def _held(session: Session, account: str) -> FactorState:
    """The account's row, locked until the transaction ends."""
    state = session.get(FactorState, account, with_for_update=True)
    if state is not None:
        return state
    try:
        with session.begin_nested():
            session.add(FactorState(account=account, last_step=0, failures=0))
    except IntegrityError:
        session.expire_all()  # another request made it at this moment
    return session.get_one(FactorState, account, with_for_update=True)


def code_at(seed: str, step: int) -> str:
    """The six digits of a time step (RFC 4226, 5.3).

    Computed here since pyotp takes no seed below 112 bits, and many that are in use have 80.
    """
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    digest = hmac.digest(key, step.to_bytes(8), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4]) & 0x7FFF_FFFF
    return f"{number % 1_000_000:06d}"
