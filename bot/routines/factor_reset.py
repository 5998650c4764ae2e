"""A lost second factor is taken off an account: people make sure who asks, and the desk prepares, records and does it.

What NIST SP 800-63B-4 calls account recovery. Two people, each in another way, then a day in which it can be stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from pydantic import BaseModel, Field

from bot.directory.directory import Ability
from bot.factors.removal import factors_of, remove_factors
from bot.routines.approval_rules import MANAGER, stages
from bot.routines.offers import Offers
from bot.routines.routine import Errand, Level, Risk, Routine, Stage, Task

PROOFS = (
    "Call them back, at the number that HR has and at no other, and have them tell what only they and HR know",
    "See them, at the desk or in a video call, and compare them and an identity document with HR's picture",
)


@dataclass(frozen=True)
class NoFactor:
    """Satisfies `Step`: no code and no key of the account is good for anything here any more."""

    name = "take the second factors off your account"
    undoing = None
    needs: ClassVar[frozenset[Ability]] = frozenset()

    def check(self, errand: Errand) -> None:
        """Nothing stands against it."""

    def do(self, errand: Errand) -> None:
        with errand.database.transaction() as session:
            remove_factors(session, errand.subject.account, errand.now)

    def is_done(self, errand: Errand) -> bool:
        with errand.database.reading() as session:
            return not factors_of(session, errand.subject.account)

    def undo(self, errand: Errand) -> None:
        """Never called."""


class LostFactor(BaseModel):
    reason: str = Field(title="What happened", min_length=3, max_length=500)


class FactorReset(Routine[LostFactor]):
    name = "factor_reset"
    title = "Reset a lost second factor"
    examples = (
        "I lost the phone with my authenticator app",
        "my authenticator app is gone, I have a new phone",
        "reset my MFA",
        "please reset my two-factor authentication",
        "I can't get codes any more since my phone was stolen",
        "my second factor is lost with my phone, take it off please",
        "I lost my security key and need a new one",
    )
    risk = Risk.APPROVAL
    level = Level.L3
    approver = "manager; then two agents make sure that it's them"
    needs: ClassVar[frozenset[Ability]] = frozenset()
    undone_by = "a new factor, by the feed of people; until a day is over it can be stopped"
    rest = timedelta(hours=24)
    Wish = LostFactor

    def asks(self, wish: LostFactor, whom: str = "you") -> str:
        return "Take your lost second factor off" if whom == "you" else f"Take the lost second factor off {whom}"

    def steps(self, wish: LostFactor, offers: Offers) -> Sequence[NoFactor]:
        return [NoFactor()]

    def tasks(self, wish: LostFactor, offers: Offers) -> Sequence[Task]:
        return [Task(text, proof=True) for text in PROOFS]

    def approval(self, wish: LostFactor, errand: Errand) -> Sequence[Stage]:
        return stages((MANAGER,), errand)
