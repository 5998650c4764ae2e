"""Routine requests tried: what they would change and who would approve them, with nothing done and nothing kept."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select

from bot.directory.directory import Directory
from bot.routines.approval_rules import independent
from bot.routines.forms import wish_of
from bot.routines.offers import Offers
from bot.routines.records import RoutineRequest
from bot.routines.routine import CannotBeDone, Errand, Level, Routine, Subject
from bot.routines.switches import OFF, Switches
from bot.workflows.register import DECLARED
from deskmate.errors import RoofError
from store import Database


@dataclass(frozen=True)
class Plan:
    """`refusal` says why nothing would be done; otherwise what would, in order."""

    request: str
    refusal: str | None
    steps: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    """What people would do before."""
    undone_by: tuple[str, ...] = ()
    proof: bool = False
    """Whether whoever asks has to prove that it's them, by a second factor."""
    approvers: tuple[str, ...] = ()
    """A line per stage."""
    ends_at: str | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        if self.refusal is not None:
            return f"{self.request}: refused. {self.refusal}"
        lines = [f"{self.request}:", *(f"  people would: {task}" for task in self.tasks)]
        lines += [f"  would {step}" for step in self.steps]
        lines += ["  after a proof that it's them"] if self.proof else []
        lines += [f"  after the approval of {approver}" for approver in self.approvers] or ["  without an approval"]
        if self.ends_at:
            lines.append(f"  and at {self.ends_at} {', '.join(self.undone_by)}")
        return "\n".join([*lines, "Nothing was done."])


@dataclass(frozen=True)
class Replay:
    """A past request, and how the same one would go with the directory and the offers of today."""

    request: str
    at: str
    account: str
    was: str
    """The state in which it ended, or is."""
    plan: Plan

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.at} {self.account}, {self.was} then. {self.plan}"


def replayed(
    name: str | None,
    *,
    database: Database,
    directory: Directory,
    directory_name: str,
    offers: Offers,
) -> list[Replay]:
    """All past requests, or those of one kind, the oldest first; each as of the day on which it was made.

    Errors: those of `Directory`.
    """
    with database.reading() as session:
        found = session.scalars(select(RoutineRequest).order_by(RoutineRequest.created_at)).all()
    told = []
    for request in found:
        if name in (None, request.workflow) and request.account is not None:
            try:
                plan = tried(
                    request.workflow,
                    request.account,
                    request.wish,
                    database=database,
                    directory=directory,
                    directory_name=directory_name,
                    offers=offers,
                    now=lambda at=request.created_at: at,  # type: ignore[misc]  # a lambda's default isn't inferred
                )
            except RoofError as error:
                plan = Plan(request.workflow, str(error))
            at = request.created_at.isoformat(timespec="minutes")
            told.append(Replay(request.id, at, request.account, request.state, plan))
    return told


def tried(
    name: str,
    account: str,
    given: Mapping[str, Any],
    *,
    database: Database,
    directory: Directory,
    directory_name: str,
    offers: Offers,
    now: Callable[[], datetime],
) -> Plan:
    """Errors: `RoofError` for a name or an account that isn't there; those of `Directory`."""
    routine = next((declared() for declared in DECLARED if declared.name == name), None)
    if routine is None:
        raise RoofError(f"There is no request {name}; there are {', '.join(each.name for each in DECLARED)}.")
    person = directory.find(account)
    if person is None:
        raise RoofError(f"The directory has no account {account}.")
    wish = wish_of(routine.Wish, given)
    if not isinstance(wish, BaseModel):
        raise RoofError("; ".join(f"{field}: {flaw}" for field, flaw in wish.items()))
    errand = Errand(Subject(person.account, person.directory_id, person.name), directory, offers, now(), database)
    what = routine.asks(wish)
    if not person.enabled:
        return Plan(what, "The account is disabled.")
    if Switches(database).off(name, directory_name):
        return Plan(what, OFF)
    try:
        return _planned(routine, wish, errand, database, what)
    except CannotBeDone as error:
        return Plan(what, str(error))


def _planned(routine: Routine[Any], wish: BaseModel, errand: Errand, database: Database, what: str) -> Plan:
    if flaws := routine.flaws(wish, errand):
        return Plan(what, " ".join(flaws.values()))
    subject = errand.directory.get(errand.subject.directory_id)
    assert subject is not None
    approvers = []
    for stage in routine.approval(wish, errand):
        people = [person for account in stage.accounts if (person := errand.directory.find(account)) is not None]
        with database.reading() as session:
            able = independent(session, subject, people)
        if not able:
            return Plan(what, f"Nobody could approve it as {stage.why}.")
        approvers.append(f"{stage.why}: {' or '.join(person.account for person in able)}")
    steps = routine.steps(wish, errand.offers)
    for step in steps:
        if not step.needs <= errand.directory.abilities:
            return Plan(what, "Our directory doesn't let me do that.")
        step.check(errand)
    ends_at = routine.ends_at(wish, errand.now)
    return Plan(
        what,
        None,
        tuple(step.name for step in steps),
        tuple(task.text for task in routine.tasks(wish, errand.offers)),
        tuple(step.undoing for step in reversed(steps) if step.undoing),
        routine.level is Level.L2,
        tuple(approvers),
        ends_at.isoformat(timespec="minutes") if ends_at else None,
    )
