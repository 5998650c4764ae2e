"""The built-in directory: accounts in Deskmate's own database, for trying it out and for tests."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.orm import Session

from bot.directory.directory import Ability, DirectoryUnavailable, Group, PasswordRefused, Person
from bot.directory.feed import PersonFeed
from bot.directory.records import DemoAccount, DemoGroup, demo_account, demo_group
from store import Database, utc_now

SHORTEST_PASSWORD = 12
CHEAP = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
"""Argon2id with the smaller of OWASP's settings (19 MiB, two passes): a few tens of milliseconds on a laptop."""


class DemoDirectory:
    """Satisfies `Directory`. Groups don't nest here."""

    abilities = frozenset(Ability)

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
            locked = held.locked
        return enabled and not locked and _matches(hashed, password)

    def password_marker(self, directory_id: str) -> str:
        with self._database.reading() as session:
            return str(self._held(session.get(DemoAccount, directory_id)).password_version)

    def disable(self, directory_id: str) -> None:
        with self._database.transaction() as session:
            self._held(session.get(DemoAccount, directory_id, with_for_update=True)).enabled = False

    def is_locked(self, directory_id: str) -> bool:
        with self._database.reading() as session:
            held = self._held(session.get(DemoAccount, directory_id))
            return held.locked and held.enabled

    def unlock(self, directory_id: str) -> None:
        with self._database.transaction() as session:
            self._held(session.get(DemoAccount, directory_id, with_for_update=True)).locked = False

    def lock(self, directory_id: str) -> None:
        """As too many wrong passwords would; for trying it out."""
        with self._database.transaction() as session:
            self._held(session.get(DemoAccount, directory_id, with_for_update=True)).locked = True

    def end_sessions(self, directory_id: str) -> None:
        with self._database.transaction() as session:
            self._held(session.get(DemoAccount, directory_id, with_for_update=True)).sessions_ended_at = utc_now()

    def sessions_ended_at(self, directory_id: str) -> datetime | None:
        with self._database.reading() as session:
            return self._held(session.get(DemoAccount, directory_id)).sessions_ended_at

    def group(self, name: str) -> Group | None:
        with self._database.reading() as session:
            found = demo_group(session, name)
            if found is None:
                return None
            return Group(
                group_id=found.group_id,
                name=found.name,
                description=found.description,
                owners=tuple(found.owners),
                privileged=found.folded in self._privileged,
            )

    def is_member(self, directory_id: str, group_id: str) -> bool:
        with self._database.reading() as session:
            held = self._held(session.get(DemoAccount, directory_id))
            return _name(session.get(DemoGroup, group_id)) in held.groups

    def add_member(self, directory_id: str, group_id: str) -> None:
        with self._database.transaction() as session:
            held = self._held(session.get(DemoAccount, directory_id, with_for_update=True))
            name = _name(session.get(DemoGroup, group_id))
            if name not in held.groups:
                held.groups = [*held.groups, name]

    def remove_member(self, directory_id: str, group_id: str) -> None:
        with self._database.transaction() as session:
            held = self._held(session.get(DemoAccount, directory_id, with_for_update=True))
            name = _name(session.get(DemoGroup, group_id))
            held.groups = [group for group in held.groups if group != name]

    def take_group(self, name: str, *, description: str = "", owners: Sequence[str] = ()) -> str:
        """Create or update a group; its id."""
        with self._database.transaction() as session:
            held = demo_group(session, name)
            if held is None:
                held = DemoGroup(group_id=str(uuid.uuid4()), name=name, folded=name.casefold())
                session.add(held)
            held.description, held.owners = description, list(owners)
            return held.group_id

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
                    directory_id=str(uuid.uuid4()),
                    account=entry.account,
                    enabled=True,
                    locked=False,
                    groups=[],
                    given_groups=[],
                    password_version=0,
                )
                session.add(held)
            held.name, held.manager, held.emails = entry.name, entry.manager, list(entry.emails)
            if held.given_groups != list(entry.groups):
                held.groups = held.given_groups = [_known(session, group) for group in entry.groups]
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


def _name(found: DemoGroup | None) -> str:
    if found is None:
        raise DirectoryUnavailable("The directory doesn't know this group any more.")
    return found.name


def _known(session: Session, group: str) -> str:
    """The group's name; a group that a feed names and nobody has described is made."""
    found = demo_group(session, group)
    if found is None:
        found = DemoGroup(group_id=str(uuid.uuid4()), name=group, folded=group.casefold(), description="", owners=[])
        session.add(found)
        session.flush()
    return found.name


def _matches(hashed: str | None, password: str) -> bool:
    try:
        return hashed is not None and CHEAP.verify(hashed, password)
    except VerifyMismatchError:
        return False
