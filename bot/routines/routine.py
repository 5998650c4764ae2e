"""What a routine request declares. Each is one class in a file of its own, and one line in the register."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel

from bot.directory.directory import Ability, Directory
from bot.routines.offers import Offers
from store import Database


class Risk(StrEnum):
    READ = "read"
    LOW = "low-impact write"
    APPROVAL = "approval required"


class Level(StrEnum):
    """How sure it must be who asks (an assurance ladder): a bound Slack identity, checked afresh (`L1`); in addition
    a second factor now (`L2`); without one, several people who make sure of it, each in another way (`L3`)."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"


@dataclass(frozen=True)
class Subject:
    """Whom it is for: always the one who asked, as the directory knew them at that moment."""

    account: str
    directory_id: str
    name: str


@dataclass(frozen=True)
class Errand:
    """One request on its way; `now` is when this is looked at."""

    subject: Subject
    directory: Directory
    offers: Offers
    now: datetime
    database: Database
    """For what the desk keeps itself."""
    request: str = ""
    """Its id; none where it is only tried."""


class CannotBeDone(Exception):
    """What was asked for can't be done; the text is plain and says why."""


class Step(Protocol):
    """One change outside the desk, which can be read back. Errors of all: those of `Directory`, and `CannotBeDone`."""

    @property
    def name(self) -> str:
        """As the plan shows it: `put you into the group design-tools`."""

    @property
    def undoing(self) -> str | None:
        """How it is undone: `take you out of the group design-tools`; None for what can't be, and needn't."""

    @property
    def needs(self) -> frozenset[Ability]:
        """What the directory must be able to do."""

    def check(self, errand: Errand) -> None:
        """The precondition: raises `CannotBeDone`."""

    def do(self, errand: Errand) -> None:
        """Twice is once."""

    def is_done(self, errand: Errand) -> bool | None:
        """The post-condition, read back; None where the directory can't tell, so that it may be done twice."""

    def undo(self, errand: Errand) -> None:
        """Twice is once."""


@dataclass(frozen=True)
class Task:
    """What people do for a request, and tick off in the triage channel; plain, as in `Order a screen`."""

    text: str
    due: date | None = None
    proof: bool = False
    """That it's them who ask, and security hangs on it: each proof of a request is somebody else's, who neither asked
    for it nor approved it."""


@dataclass(frozen=True)
class Stage:
    """Who may approve: any one of these accounts. `why` names the rule, as in `your manager`."""

    why: str
    accounts: tuple[str, ...]


W = TypeVar("W", bound=BaseModel)


class Routine(ABC, Generic[W]):
    """Declares a request; whatever runs it is in `bot.routines.carrying`. Texts are plain."""

    name: ClassVar[str]
    title: ClassVar[str]
    """What it does, for people: `Join a group`."""
    examples: ClassVar[tuple[str, ...]]
    risk: ClassVar[Risk]
    level: ClassVar[Level] = Level.L1
    approver: ClassVar[str] = "nobody"
    """Who approves, in words, for the table of requests."""
    needs: ClassVar[frozenset[Ability]]
    """What the directory must be able to do, for the table of requests; each step says for itself what it needs."""
    undone_by: ClassVar[str]
    """How it is undone, in words."""
    rest: ClassVar[timedelta] = timedelta()
    """How long after the people's tasks were given out the desk's own steps begin at the earliest."""
    Wish: type[W]
    """What is asked for; the form is made from it (`bot.routines.forms`)."""

    @abstractmethod
    def asks(self, wish: W, whom: str = "you") -> str:
        """What is asked for, as the cards say it: `Put you into the group design-tools until 4 December`. To everybody
        but the one who asks, `whom` is their name."""

    @abstractmethod
    def steps(self, wish: W, offers: Offers) -> Sequence[Step]:
        """What is to be done, in order. Errors: `CannotBeDone`, when it isn't on offer any more."""

    def tasks(self, wish: W, offers: Offers) -> Sequence[Task]:
        """What people do once it is approved, before the steps. Errors: `CannotBeDone`, when it isn't on offer."""
        return ()

    def hands_over(self, wish: W, errand: Errand) -> str | None:
        """What the employee gets to read beside that it's done: a code that is theirs now."""
        return None

    def approval(self, wish: W, errand: Errand) -> Sequence[Stage]:
        """Who has to approve, one stage after the other; none for what needs no approval.

        Errors: those of `Directory`, `CannotBeDone`."""
        return ()

    def flaws(self, wish: W, errand: Errand) -> dict[str, str]:
        """What is wrong with a wish beyond its types, by field. Errors: those of `Directory`."""
        return {}

    def ends_at(self, wish: W, since: datetime) -> datetime | None:
        """When what was done at `since` is undone by itself."""
        return None
