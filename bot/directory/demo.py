"""The built-in directory: accounts in Deskmate's own database, for trying it out and for tests."""

import uuid

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from bot.directory.directory import DirectoryUnavailable, PasswordRefused, Person
from bot.directory.feed import PersonFeed
from bot.directory.records import DemoAccount, demo_account
from store import Database

SHORTEST_PASSWORD = 12
CHEAP = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id with the smaller of OWASP's settings (19 MiB, two passes): a few tens of milliseconds on a laptop."""


class DemoDirectory:
    """Satisfies `Directory`. A group is a name on the account; groups don't nest here."""

    def __init__(self, database: Database, *, privileged_groups: frozenset[str]) -> None:
        self._database = database
        self._privileged = privileged_groups

    def find(self, account: str) -> Person | None:
        with self._database.reading() as session:
            found = demo_account(session, account)
            return self._person(found) if found else None

    def get(self, directory_id: str) -> Person | None:
        with self._database.reading() as session:
            found = session.get(DemoAccount, directory_id)
            return self._person(found) if found else None

    def set_password(self, directory_id: str, new: str) -> None:
        if len(new) < SHORTEST_PASSWORD:
            raise PasswordRefused(f"The directory wants at least {SHORTEST_PASSWORD} characters.")
        if self.check_password(directory_id, new):
            raise PasswordRefused("The directory doesn't take the password that you have already.")
        hashed = CHEAP.hash(new)
        with self._database.transaction() as session:
            held = self._held(session.get(DemoAccount, directory_id, with_for_update=True))
            held.password_hash = hashed
            held.password_version += 1

    def check_password(self, directory_id: str, password: str) -> bool:
        with self._database.reading() as session:
            held = self._held(session.get(DemoAccount, directory_id))
            hashed, enabled = held.password_hash, held.enabled
        return enabled and _matches(hashed, password)

    def password_marker(self, directory_id: str) -> str:
        with self._database.reading() as session:
            return str(self._held(session.get(DemoAccount, directory_id)).password_version)

    def disable(self, directory_id: str) -> None:
        with self._database.transaction() as session:
            self._held(session.get(DemoAccount, directory_id, with_for_update=True)).enabled = False

    def take(self, entry: PersonFeed) -> tuple[str, bool]:
        """Create or update the account that a feed describes; its id, and whether anything changed.

        A password is taken when the feed has one that it didn't have the last time.
        """
        with self._database.reading() as session:
            before = demo_account(session, entry.account)
        news = entry.password is not None and not (before and _matches(before.given_hash, entry.password))
        hashed = CHEAP.hash(entry.password) if news and entry.password is not None else None
        with self._database.transaction() as session:
            held = demo_account(session, entry.account)
            if held is None:
                held = DemoAccount(
                    directory_id=str(uuid.uuid4()), account=entry.account, enabled=True, password_version=0
                )
                session.add(held)
            held.name, held.manager = entry.name, entry.manager
            held.emails, held.groups = list(entry.emails), list(entry.groups)
            if hashed is not None:
                held.password_hash = held.given_hash = hashed
                held.password_version += 1
            changed = session.is_modified(held)
            return held.directory_id, changed

    def enable(self, directory_id: str) -> None:
        with self._database.transaction() as session:
            self._held(session.get(DemoAccount, directory_id, with_for_update=True)).enabled = True

    @staticmethod
    def _held(found: DemoAccount | None) -> DemoAccount:
        if found is None:
            raise DirectoryUnavailable("The directory doesn't know this account any more.")
        return found

    def _person(self, found: DemoAccount) -> Person:
        groups = frozenset(found.groups)
        return Person(
            directory_id=found.directory_id,
            account=found.account,
            name=found.name,
            emails=tuple(found.emails),
            groups=groups,
            manager=found.manager,
            enabled=found.enabled,
            privileged=any(group.casefold() in self._privileged for group in groups),
        )


def _matches(hashed: str | None, password: str) -> bool:
    try:
        return hashed is not None and CHEAP.verify(hashed, password)
    except VerifyMismatchError:
        return False
