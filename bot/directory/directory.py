"""What the desk needs of a directory, whatever it is made of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bot.errors import BotError


class DirectoryUnavailable(BotError):
    """The directory didn't answer, or not in a way that can be trusted: it isn't known whether it has done it."""


class DirectoryRefused(BotError):
    """The directory doesn't let the desk do this, and nothing has changed; the text says why and is safe to show."""


class PasswordRefused(DirectoryRefused):
    """The directory doesn't take this password."""


class Ability(StrEnum):
    """What not every directory can do. Whoever calls without it gets `DirectoryRefused`."""

    PASSWORD = "password"  # noqa: S105 (a name)
    """Set a password, and say when it last changed."""
    SIGN_IN = "sign_in"
    """Try a password."""
    UNLOCK = "unlock"
    SESSIONS = "sessions"
    """End all sign-ins of an account."""
    GROUPS = "groups"
    """Put an account into a group and take it out."""


@dataclass(frozen=True)
class Person:
    """An account as the directory knows it at this moment."""

    directory_id: str
    """Immutable, never given to a second account: a demo account's UUID, LDAP's entryUUID, Okta's id."""
    account: str
    name: str
    emails: tuple[str, ...]
    groups: frozenset[str]
    """Names, also of groups that are reached through other groups."""
    manager: str | None
    """Account of the manager."""
    enabled: bool
    privileged: bool
    """True also when the look-up of the groups failed: the desk keeps away from whom it can't judge."""


@dataclass(frozen=True)
class Group:
    """A group as the directory knows it at this moment."""

    group_id: str
    """Immutable, as a person's."""
    name: str
    description: str
    owners: tuple[str, ...]
    """Accounts, in the directory's order; none where the directory keeps no owners."""
    privileged: bool
    """Whoever is in it has special rights. True also when that can't be told."""


class Directory(Protocol):
    """Errors of every method: `DirectoryUnavailable`. Each call asks the directory anew; nothing is remembered.

    What changes something may be called again when it isn't known whether it was done: twice is once.
    """

    @property
    def abilities(self) -> frozenset[Ability]: ...

    def find(self, account: str) -> Person | None:
        """The person with this account name."""

    def get(self, directory_id: str) -> Person | None:
        """The person with this immutable id; a later account of the same name has another id."""

    def set_password(self, directory_id: str, new: str) -> None:
        """Give the account a new password under the directory's own policy.

        Errors: `PasswordRefused`, and nothing has changed; `DirectoryUnavailable`, and it isn't known whether it has.
        """

    def check_password(self, directory_id: str, password: str) -> bool:
        """Whether the account could sign in with this password now."""

    def password_marker(self, directory_id: str) -> str:
        """An opaque text that changes exactly when the account's password does."""

    def disable(self, directory_id: str) -> None:
        """Keep the account from signing in."""

    def is_locked(self, directory_id: str) -> bool:
        """Whether too many wrong passwords keep the account from signing in; a disabled one isn't locked."""

    def unlock(self, directory_id: str) -> None:
        """Let the account sign in again with the password that it has; a disabled one stays disabled."""

    def end_sessions(self, directory_id: str) -> None:
        """End all sign-ins of the account: whoever goes on has to sign in anew."""

    def group(self, name: str) -> Group | None:
        """The group with this name, in whatever case."""

    def is_member(self, directory_id: str, group_id: str) -> bool:
        """Whether the account itself is in the group, not through another group."""

    def add_member(self, directory_id: str, group_id: str) -> None:
        """Put the account into the group."""

    def remove_member(self, directory_id: str, group_id: str) -> None:
        """Take the account itself out of the group."""
