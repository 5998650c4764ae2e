"""The steps of an approved request: done one by one, each read back; undone in reverse when one can't be done.

A step that the process died in is settled by reading back: what it brings about may be done twice and is once.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.directory.directory import Directory, DirectoryRefused, DirectoryUnavailable
from bot.routines.offers import Offers
from bot.routines.records import AT_WORK, RequestStep, RoutineRequest, held, steps_of
from bot.routines.routine import CannotBeDone, Errand, Routine, Step, Subject
from bot.routines.switches import OFF, Switches
from bot.workflows import audit
from store import Database

log = logging.getLogger(__name__)

POLICY = "1"
LOOKS, PAUSE_SECONDS = 6, 0.5
"""How often the effect is read back, and how long after each look: directories may show it a little later."""


class NotSeen(DirectoryUnavailable):
    """What was done doesn't show in the directory."""


@dataclass(frozen=True)
class CarryingOut:
    database: Database
    directory: Directory
    directory_name: str
    offers: Offers
    switches: Switches
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep

    def errand(self, request: RoutineRequest) -> Errand:
        subject = Subject(request.account or "", request.directory_id or "", request.name)
        return Errand(subject, self.directory, self.offers, self.now(), self.database, request.id)

    def do(self, routine: Routine[Any], request_id: str, number: int) -> str | None:
        """Do one step; why it can't be done, or None. Once it's done, again does nothing.

        Errors: `DirectoryUnavailable`, when it isn't known whether it is done.
        """
        request = self._read(request_id)
        if request.state not in AT_WORK:
            return f"The request is {request.state}."
        step = self.steps(routine, request)[number]
        if self.switches.off(routine.name, self.directory_name):
            return OFF
        errand = self.errand(request)
        try:
            self._can(step)
            step.check(errand)
            if not self._begin(request_id, number, step, was_so=bool(step.is_done(errand))):
                return "The request was stopped."
            if not step.is_done(errand):
                step.do(errand)
                self._seen(step, errand, wanted=True)
        except (CannotBeDone, DirectoryRefused) as error:
            return str(error)
        self._finish(request_id, number, "done")
        return None

    def undo(self, routine: Routine[Any], request_id: str, number: int) -> str | None:
        """Undo one step if it's ours to undo; why it can't be undone, or None. Errors: `DirectoryUnavailable`."""
        request = self._read(request_id)
        with self.database.reading() as session:
            kept = session.get(RequestStep, (request_id, number))
        if kept is None or kept.was_so or kept.state == "undone":
            return None
        if self.switches.off(routine.name, self.directory_name):
            return OFF
        errand = self.errand(request)
        try:
            step = self.steps(routine, request)[number]
            if step.undoing is not None and step.is_done(errand) is not False:
                step.undo(errand)
                self._seen(step, errand, wanted=False)
        except (CannotBeDone, DirectoryRefused) as error:
            return str(error)
        self._finish(request_id, number, "undone")
        return None

    def steps(self, routine: Routine[Any], request: RoutineRequest) -> Sequence[Step]:
        """Errors: `CannotBeDone`."""
        steps: Sequence[Step] = routine.steps(routine.Wish.model_validate(request.wish), self.offers)
        return steps

    def can_be_undone(self, routine: Routine[Any], request: RoutineRequest) -> bool:
        try:
            return any(step.undoing is not None for step in self.steps(routine, request))
        except CannotBeDone:
            return False

    def _can(self, step: Step) -> None:
        if not step.needs <= self.directory.abilities:
            raise CannotBeDone("Our directory doesn't let me do that.")

    def _begin(self, request_id: str, number: int, step: Step, *, was_so: bool) -> bool:
        """Record that the step is being done, before it is; False if the request was stopped."""
        with self.database.transaction() as session:
            request = held(session, request_id)
            if request.state not in AT_WORK:
                return False
            request.state, request.changed_at = "doing", self.now()
            if session.get(RequestStep, (request_id, number)) is None:
                session.add(
                    RequestStep(
                        request=request_id, number=number, name=step.name, state="doing", was_so=was_so, at=self.now()
                    )
                )
                note(session, request, f"step_{number}", "allowed", "approved", self.now())
        return True

    def _seen(self, step: Step, errand: Errand, *, wanted: bool) -> None:
        for _ in range(LOOKS):
            if step.is_done(errand) in (wanted, None):
                return
            self.sleep(PAUSE_SECONDS)
        raise NotSeen("The directory took the change, but doesn't show it.")

    def _finish(self, request_id: str, number: int, state: str) -> None:
        with self.database.transaction() as session:
            kept = session.get_one(RequestStep, (request_id, number), with_for_update=True)
            if kept.state != state:
                kept.state, kept.at = state, self.now()
                note(session, session.get_one(RoutineRequest, request_id), f"step_{number}", "done", state, self.now())

    def begun(self, request_id: str) -> list[int]:
        """The numbers of the steps that were begun, the last first."""
        with self.database.reading() as session:
            return [step.number for step in steps_of(session, request_id)][::-1]

    def _read(self, request_id: str) -> RoutineRequest:
        with self.database.reading() as session:
            return session.get_one(RoutineRequest, request_id)


def note(
    session: Session,
    request: RoutineRequest,
    event: str,
    decision: str,
    reason: str,
    at: datetime,
    actor: str | None = None,
) -> None:
    """A row of the audit trail on this request."""
    audit.record(
        session,
        at=at,
        workflow=request.workflow,
        subject=request.id,
        event=event,
        decision=decision,
        reason=reason,
        actor=actor or f"{request.team}:{request.slack_user}",
        target=request.directory_id,
        policy=POLICY,
    )
