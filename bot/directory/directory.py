"""What the desk needs of a directory, whatever it is made of."""

from dataclasses import dataclass
from typing import Protocol

from bot.errors import BotError


class DirectoryUnavailable(BotError):
    """The directory didn't answer, or not in a way that can be trusted."""


class PasswordRefused(BotError):
    """The directory doesn't take this password; the text says why and is safe to show."""


@dataclass(frozen=True)
class Person:
    """An account as the directory knows it at this moment."""

    directory_id: str
    """Immutable, never given to a second account: a demo account's UUID, LDAP's entryUUID."""
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


class Directory(Protocol):
    """Errors of every method: `DirectoryUnavailable`. Each call asks the directory anew; nothing is remembered."""

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
        """Keep the account from signing in; disabling twice is disabling once."""
