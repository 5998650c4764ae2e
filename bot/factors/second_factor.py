"""Proofs of all factors: each used once, and three wrong ones in a row, of whichever, close the door for a day."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.factors.factor import Ask, Factor, Occasion, ProofMalformed
from bot.workflows.limits import Limits
from bot.workflows.records import FactorState
from store import Database


@dataclass(frozen=True)
class Verdict:
    kind: Literal["right", "wrong", "locked"]
    factor: str
    """The name of the factor that the proof was of."""
    mark: int = 0
    """What a right proof is used up by, with `use`: of a code, its time step."""
    left: int = 0
    """How many wrong proofs are left."""
    locked_until: datetime | None = None


class SecondFactor:
    """The one place where proofs are counted. `factors`: in the order in which a form is searched for a proof."""

    def __init__(
        self, *, database: Database, factors: Sequence[Factor], limits: Limits, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._factors = {factor.name: factor for factor in factors}
        self._limits = limits
        self._now = now

    def able(self, session: Session, account: str, directory_id: str) -> bool:
        """Whether the account can prove itself by any factor."""
        return any(factor.able(session, account, directory_id) for factor in self._factors.values())

    def asks(self, occasion: Occasion) -> tuple[Ask, ...]:
        """What the page asks for: any one of these is enough."""
        with self._database.reading() as session:
            return tuple(
                factor.ask(session, occasion)
                for factor in self._factors.values()
                if factor.able(session, occasion.account, occasion.directory_id)
            )

    def verify(
        self, occasion: Occasion, fields: Mapping[str, str], audit: Callable[[Session, Verdict], None]
    ) -> Verdict:
        """Whether the form proves it now. A wrong proof is counted, and `audit` is called in the same transaction.

        Attempts of one account wait for each other, so that many at once are no more than three either. A right proof
        is used up for its purpose by `use`. Errors: `ProofMalformed`.
        """
        factor, proof = self._given(fields)
        with self._database.transaction() as session:
            state = held_state(session, occasion.account)
            now = self._now()
            if state.locked_until is not None and now < state.locked_until:
                verdict = Verdict("locked", factor.name, locked_until=state.locked_until)
            elif (mark := factor.check(session, state, occasion, proof)) is not None:
                return Verdict("right", factor.name, mark)
            else:
                verdict = self._count(factor, state, now)
            audit(session, verdict)
            return verdict

    def use(self, session: Session, account: str, verdict: Verdict) -> bool:
        """Use up a right proof; False if it was used since, or a later one of its kind was."""
        state = held_state(session, account)
        if not self._factors[verdict.factor].use(state, verdict.mark):
            return False
        state.failures, state.first_failed_at = 0, None
        return True

    def give_back(self, session: Session, account: str, verdict: Verdict) -> None:
        """Make a proof good again that was used for nothing: the directory refused what it was used for."""
        self._factors[verdict.factor].give_back(held_state(session, account), verdict.mark)

    def refusal(self, verdict: Verdict) -> str:
        """What is said of a wrong proof."""
        tries = "one try" if verdict.left == 1 else f"{verdict.left} tries"
        return f"{self._factors[verdict.factor].refusal} You have {tries} left."

    def used(self, verdict: Verdict) -> str:
        """What is said when `use` came too late."""
        return self._factors[verdict.factor].used

    def _given(self, fields: Mapping[str, str]) -> tuple[Factor, str]:
        for factor in self._factors.values():
            if (proof := factor.proof(fields)) is not None:
                return factor, proof
        raise ProofMalformed("The form has no proof that it's you.")

    def _count(self, factor: Factor, state: FactorState, now: datetime) -> Verdict:
        if state.first_failed_at is None or now - state.first_failed_at > self._limits.lock:
            state.failures, state.first_failed_at = 0, now
        state.failures += 1
        left = self._limits.wrong_codes - state.failures
        if left > 0:
            return Verdict("wrong", factor.name, left=left)
        state.failures, state.first_failed_at = 0, None
        state.locked_until = now + self._limits.lock
        return Verdict("locked", factor.name, locked_until=state.locked_until)


def held_state(session: Session, account: str) -> FactorState:
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
