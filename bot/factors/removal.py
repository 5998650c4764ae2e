"""What an account could prove itself by, taken off it."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.directory.records import PersonRecord
from bot.factors.records import WebAuthnCredential, count_credentials


def factors_of(session: Session, account: str) -> int:
    """How many there are, those of an earlier account of this name too."""
    person = session.get(PersonRecord, account)
    codes = person is not None and person.factor_seed is not None
    return count_credentials(session, account) + codes


def remove_factors(session: Session, account: str, now: datetime) -> None:
    """Remove all of them. The feed may bring another authenticator app, never the same again; holds count from now."""
    session.execute(delete(WebAuthnCredential).where(WebAuthnCredential.account == account))
    person = session.get(PersonRecord, account, with_for_update=True)
    if person is not None:
        person.lost_seed, person.factor_seed = person.factor_seed or person.lost_seed, None
        person.recovery_changed_at = now
