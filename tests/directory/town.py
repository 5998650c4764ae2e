"""A small town that every directory is filled with, so that all of them can be asked the same."""

from typing import Protocol

from bot.directory.directory import Directory

OLD, NEW = "old rope and candles", "seven green lanterns"
DESIGN_TOOLS = "Drawing programs and their fonts"


class Town(Protocol):
    """A directory with Alice, whose manager is Victor, in `staff`; Victor in `staff` and `design-tools`, which he owns;
    Adam in `staff` and `admins`; and Nina in `staff` and in `night-shift`, which is inside `inner`, which is inside
    `admins`, where groups nest. All have the password `OLD` and one address, `ACCOUNT@harbour.example`."""

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


def id_of(town: Town, account: str) -> str:
    found = town.directory.find(account)
    assert found is not None
    return found.directory_id


def group_of(town: Town, name: str) -> str:
    found = town.directory.group(name)
    assert found is not None
    return found.group_id
