"""How often and how soon: holds and cool-downs of actions on people's accounts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.directory.records import Binding, PersonRecord
from bot.workflows.records import FactorState, count_changes, count_requests, last_change, last_unlock

A_PERSON = "If you can't wait, ask me for a human."


class Refusal(str):
    """Why something isn't done, in words for the person, and the reason's name for the audit trail."""

    code: str

    def __new__(cls, code: str, text: str) -> "Refusal":
        made = super().__new__(cls, text)
        made.code = code
        return made


@dataclass(frozen=True)
class Limits:
    """The defaults are ServiceNow's (attempts, windows) and, for holds and the breaker, our own."""

    hold: timedelta = timedelta(hours=72)
    """After a person was bound to a Slack user, and after an address or a second factor changed."""
    wrong_codes: int = 3
    lock: timedelta = timedelta(minutes=1440)
    between_changes: timedelta = timedelta(hours=24)
    requests: int = 5
    """Of one person within an hour: each sends mails."""
    breaker: int = 5
    """Changes of all people within an hour; beyond it, and three times the usual, only people do it."""
    breaker_factor: float = 3.0
    baseline: timedelta = timedelta(days=28)

    def refuse(self, session: Session, *, binding: Binding, person: PersonRecord, now: datetime) -> Refusal | None:
        """What speaks against a change now."""
        held_since = max(moment for moment in (binding.bound_at, person.recovery_changed_at) if moment is not None)
        if now < held_since + self.hold:
            until = moment_text(held_since + self.hold)
            return Refusal(
                "hold",
                "Your Slack account, an address or your second factor was linked only lately. "
                f"I can do that from {until} on. {A_PERSON}",
            )
        if refusal := self.refuse_locked(session, person.account, now):
            return refusal
        for done, at in (
            ("reset your password", last_change(session, person.account)),
            ("unlocked your account", last_unlock(session, person.account)),
        ):
            if at is not None and now < at + self.between_changes:
                until = moment_text(at + self.between_changes)
                return Refusal("cooldown", f"I {done} less than a day ago. I can do that from {until} on. {A_PERSON}")
        return self._breaker(session, now)

    def refuse_locked(self, session: Session, account: str, now: datetime) -> Refusal | None:
        """What too many wrong proofs of a second factor have brought about."""
        state = session.get(FactorState, account)
        if state is not None and state.locked_until is not None and now < state.locked_until:
            return locked(state.locked_until)
        return None

    def refuse_request(self, session: Session, account: str, now: datetime) -> Refusal | None:
        """What speaks against one more request."""
        if count_requests(session, account, now - timedelta(hours=1)) >= self.requests:
            return Refusal("requests", f"You have asked for this several times already. Wait an hour. {A_PERSON}")
        return None

    def _breaker(self, session: Session, now: datetime) -> Refusal | None:
        lately = now - timedelta(hours=1)
        usual = count_changes(session, lately - self.baseline, lately) / (self.baseline / timedelta(hours=1))
        if count_changes(session, lately, now) >= max(self.breaker, self.breaker_factor * usual):
            return Refusal(
                "breaker",
                "Unusually many passwords were reset within the last hour, so for now only people do it. "
                "Ask me for a human.",
            )
        return None


def locked(until: datetime) -> Refusal:
    return Refusal("locked", f"Too many wrong codes. You can try again from {moment_text(until)} on. {A_PERSON}")


def moment_text(moment: datetime) -> str:
    return moment.strftime("%-d %B, %H:%M UTC")
