"""To which mail addresses notices about somebody's account go."""

from bot.directory.records import PersonRecord
from store import Database


def addresses_of(database: Database, account: str | None) -> list[str]:
    with database.reading() as session:
        person = session.get(PersonRecord, account) if account else None
        return [str(address) for address in person.emails] if person else []


def addresses_of_manager(database: Database, account: str | None) -> list[str]:
    with database.reading() as session:
        person = session.get(PersonRecord, account) if account else None
        manager = person.manager if person else None
    return addresses_of(database, manager)
