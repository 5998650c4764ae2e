"""What is done to the account itself: unlocked, or signed out everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from bot.directory.directory import Ability
from bot.routines.offers import Offers
from bot.routines.routine import CannotBeDone, Errand, Level, Risk, Routine


class Nothing(BaseModel):
    """There is nothing to say but that it's wanted."""


@dataclass(frozen=True)
class Unlocked:
    """Satisfies `Step`: wrong passwords don't keep the account from signing in any more."""

    name = "unlock your account"
    undoing = None
    needs = frozenset({Ability.UNLOCK})

    def check(self, errand: Errand) -> None:
        person = errand.directory.get(errand.subject.directory_id)
        if person is None or not person.enabled:
            raise CannotBeDone("Your account is disabled, which only people can change.")

    def do(self, errand: Errand) -> None:
        errand.directory.unlock(errand.subject.directory_id)

    def is_done(self, errand: Errand) -> bool:
        return not errand.directory.is_locked(errand.subject.directory_id)

    def undo(self, errand: Errand) -> None:
        """Never called."""


class UnlockAccount(Routine[Nothing]):
    name = "account_unlock"
    title = "Unlock your account"
    examples = (
        "unlock my account",
        "my account is locked, please unlock it",
        "I typed my password wrong too often and now I'm locked out",
        "can you unlock my account",
        "my account was locked after too many attempts",
        "I am locked out of my account",
        "too many wrong passwords, my login is locked",
    )
    risk = Risk.LOW
    level = Level.L2
    needs = frozenset({Ability.UNLOCK})
    undone_by = "nothing to undo: wrong passwords lock it again; “this wasn't me” in each notice disables the account"
    Wish = Nothing

    def asks(self, wish: Nothing, whom: str = "you") -> str:
        return "Unlock your account" if whom == "you" else f"Unlock the account of {whom}"

    def steps(self, wish: Nothing, offers: Offers) -> Sequence[Unlocked]:
        return [Unlocked()]

    def flaws(self, wish: Nothing, errand: Errand) -> dict[str, str]:
        if errand.directory.is_locked(errand.subject.directory_id):
            return {}
        return {"account": "Your account isn't locked. If you don't know your password: “reset my password”."}


@dataclass(frozen=True)
class SignedOut:
    """Satisfies `Step`. No directory tells whether somebody is signed in."""

    name = "sign you out everywhere"
    undoing = None
    needs = frozenset({Ability.SESSIONS})

    def check(self, errand: Errand) -> None:
        """Nothing stands against it."""

    def do(self, errand: Errand) -> None:
        errand.directory.end_sessions(errand.subject.directory_id)

    def is_done(self, errand: Errand) -> None:
        """It can't be told."""

    def undo(self, errand: Errand) -> None:
        """Never called."""


class SignOut(Routine[Nothing]):
    name = "sign_out"
    title = "Sign out everywhere"
    examples = (
        "sign me out everywhere",
        "log me out of all devices",
        "end all my sessions",
        "I forgot to log out on a shared computer, sign me out there",
        "I left myself logged in at another computer",
        "sign out of all my sessions please",
    )
    risk = Risk.LOW
    needs = frozenset({Ability.SESSIONS})
    undone_by = "signing in again"
    Wish = Nothing

    def asks(self, wish: Nothing, whom: str = "you") -> str:
        return f"Sign {whom} out everywhere"

    def steps(self, wish: Nothing, offers: Offers) -> Sequence[SignedOut]:
        return [SignedOut()]
