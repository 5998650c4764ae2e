"""Who may approve, by rule; and that nobody approves their own request, in whatever disguise."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.directory.directory import Person
from bot.directory.records import PersonRecord
from bot.routines.routine import CannotBeDone, Errand, Stage

MANAGER, OWNER = "manager", "owner"


def stages(rules: Sequence[str], errand: Errand, owners: Sequence[str] = ()) -> list[Stage]:
    """Of rules as `bot.routines.offers` has them. Errors: those of `Directory`; `CannotBeDone` when a rule names
    nobody."""
    return [_stage(rule, errand, owners) for rule in rules]


def _stage(rule: str, errand: Errand, owners: Sequence[str]) -> Stage:
    if rule == MANAGER:
        person = errand.directory.get(errand.subject.directory_id)
        if person is None or not person.manager:
            raise CannotBeDone("The directory doesn't say who your manager is.")
        return Stage("your manager", (person.manager,))
    if rule == OWNER:
        if not owners:
            raise CannotBeDone("The directory doesn't say who owns this group.")
        return Stage("the group's owner", tuple(owners))
    accounts = tuple(name.strip() for name in rule.split(",") if name.strip())
    if not accounts:
        raise CannotBeDone("Nobody is named who could approve this.")
    return Stage("who looks after it", accounts)


def independent(session: Session, subject: Person, people: Iterable[Person]) -> list[Person]:
    """Of these people those who may approve for this subject: another account, another person by every sign that
    there is (the immutable id, the account, and the mail addresses of either), and enabled."""
    own = _addresses(session, subject)
    return [
        person
        for person in people
        if person.enabled
        and person.directory_id != subject.directory_id
        and person.account.casefold() != subject.account.casefold()
        and own.isdisjoint(_addresses(session, person))
    ]


def _addresses(session: Session, person: Person) -> set[str]:
    """By the directory and by the last feed."""
    fed = session.scalar(select(PersonRecord.emails).where(PersonRecord.account == person.account.casefold()))
    return {str(address).casefold() for address in (*person.emails, *(fed or ()))}
