"""A small town that every directory is filled with, so that all of them can be asked the same."""

from typing import Protocol

from bot.directory.directory import Directory, Person

OLD, NEW = "old rope and candles", "seven green lanterns"
DESIGN_TOOLS = "Drawing programs and their fonts"
DOMAIN = "@harbour.example"


class Town(Protocol):
    """A directory with Alice, whose manager is Victor, in `staff`; Victor in `staff` and `design-tools`, which he owns;
    Adam in `staff` and `admins`; and Nina in `staff` and in `night-shift`, which is inside `inner`, which is inside
    `admins`, where groups nest. All have the password `OLD` and one address, `ACCOUNT@harbour.example`, which is also
    the account where the directory wants addresses."""

    @property
    def directory(self) -> Directory: ...

    def recreate(self, account: str) -> None:
        """Delete the account and make one of the same name."""

    def lock(self, account: str) -> None:
        """As too many wrong passwords do."""

    def signs_in(self, account: str, password: str) -> bool:
        """Whether the account can sign in with this password, by the directory's own word."""

    def sessions(self, account: str) -> int:
        """How many sign-ins of the account are alive; one to begin with, where the directory keeps any."""


class KeepsNoOwners:
    """A town whose directory keeps neither who owns a group nor a description of it."""


class TakesTheOldPassword:
    """A town whose directory, told to set a password anew, also takes the one that is set."""


def person_of(town: Town, account: str) -> Person:
    found = town.directory.find(account) or town.directory.find(f"{account}{DOMAIN}")
    assert found is not None
    return found


def id_of(town: Town, account: str) -> str:
    return person_of(town, account).directory_id


def name_of(account: str | None) -> str | None:
    """The account, without the domain that it has in some directories."""
    return account.removesuffix(DOMAIN) if account else None


def group_of(town: Town, name: str) -> str:
    found = town.directory.group(name)
    assert found is not None
    return found.group_id
