"""Approvals: who is asked, what they decide, and whether that still holds when it is acted upon."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.directory.directory import Directory, Person
from bot.directory.records import Binding, bindings_of_account
from bot.people import Employee, People
from bot.routines.approval_rules import MANAGER, independent, stages
from bot.routines.carrying_out import CarryingOut, note
from bot.routines.records import Approval, RoutineRequest, approvals_of, held, requests_in
from bot.routines.routine import CannotBeDone, Routine, Stage, Subject
from store import Database

DEPUTY = "the deputy of whoever didn't answer"
REMIND_AFTER, DEPUTY_AFTER, EXPIRES_AFTER = timedelta(hours=24), timedelta(hours=72), timedelta(days=7)
"""Since somebody was asked: they are reminded, their own manager is asked too; since the request: it expires."""


@dataclass(frozen=True)
class Asked:
    """Whom a stage asks."""

    why: str
    person: Person
    team: str
    slack_user: str


@dataclass(frozen=True)
class Approving:
    database: Database
    directory: Directory
    people: People
    carrying: CarryingOut
    now: Callable[[], datetime]

    def stages(self, routine: Routine[Any], request: RoutineRequest) -> Sequence[Stage]:
        """Errors: `CannotBeDone`, those of `Directory`."""
        return routine.approval(routine.Wish.model_validate(request.wish), self.carrying.errand(request))

    def whom_to_ask(self, request: RoutineRequest, stage: Stage) -> list[Asked]:
        """The stage's people who may approve this, and can be reached in Slack.

        Errors: `CannotBeDone` if there is nobody; those of `Directory`.
        """
        subject = self.directory.get(request.directory_id or "")
        if subject is None:
            raise CannotBeDone("The directory doesn't know your account any more.")
        found = [person for account in stage.accounts if (person := self.directory.find(account)) is not None]
        with self.database.reading() as session:
            able = independent(session, subject, found)
            bound = [(person, self._binding(session, request.team, person)) for person in able]
        asked = [
            Asked(stage.why, person, binding.team_id, binding.slack_user_id)
            for person, binding in bound
            if binding is not None and binding.slack_user_id != request.slack_user
        ]
        if not asked:
            raise CannotBeDone(f"This needs the approval of {stage.why}, and I can't reach anybody for that in Slack.")
        return asked

    @staticmethod
    def _binding(session: Session, team: str, person: Person) -> Binding | None:
        for binding in bindings_of_account(session, team, person.account.casefold()):
            if binding.suspended_at is None and binding.directory_id == person.directory_id:
                return binding
        return None

    def ask(self, session: Session, request: RoutineRequest, number: int, asked: Sequence[Asked]) -> None:
        """Record whom the stage asks; those who were asked already stay as they are."""
        known = {approval.account for approval in approvals_of(session, request.id, number)}
        for each in asked:
            if each.person.account.casefold() not in known:
                session.add(
                    Approval(
                        request=request.id,
                        stage=number,
                        why=each.why,
                        account=each.person.account.casefold(),
                        directory_id=each.person.directory_id,
                        team=each.team,
                        slack_user=each.slack_user,
                        state="waiting",
                        asked_at=self.now(),
                    )
                )
        session.flush()

    def decide(self, approval_id: int, *, team: str, user: str, verdict: str, reason: str | None = None) -> str | None:
        """`approved` or `denied`, by whoever clicked; why that doesn't count, or None.

        Of several decisions at once the first counts: they wait for each other at the request's row.
        """
        with self.database.reading() as session:
            asked = session.get(Approval, approval_id)
        if asked is None or (asked.team, asked.slack_user) != (team, user):
            return "This isn't yours to decide."
        who = self.people.identify(team=team, user=user, max_age=0)
        if refusal := self._not_who_was_asked(who, asked):
            return refusal
        with self.database.transaction() as session:
            request = held(session, asked.request)
            approval = session.get_one(Approval, approval_id, with_for_update=True)
            if approval.state != "waiting" or request.state != "asked" or request.stage != approval.stage:
                if approval.state == verdict:
                    return None  # the same click again
                return f"This was decided already: it is {request.state}."
            if verdict == "approved" and self.now() >= request.created_at + EXPIRES_AFTER:
                return "This request's time is over."
            approval.state, approval.reason, approval.decided_at = verdict, reason, self.now()
            for other in approvals_of(session, request.id, approval.stage):
                if other.id != approval.id and other.state == "waiting":
                    other.state, other.decided_at = "closed", self.now()
            request.changed_at = self.now()
            if verdict == "denied":
                request.state = "denied"
            else:
                request.stage += 1
            note(
                session,
                request,
                f"stage_{approval.stage}",
                "allowed" if verdict == "approved" else "denied",
                verdict,
                self.now(),
                f"{team}:{user}",
            )
        return None

    @staticmethod
    def _not_who_was_asked(who: Employee, asked: Approval) -> str | None:
        if who.refusal is not None:
            return who.refusal
        if who.directory_id != asked.directory_id or (who.account or "").casefold() != asked.account:
            return "Your Slack account is linked with another account than when you were asked."
        return None

    def still_holds(self, routine: Routine[Any], request: RoutineRequest) -> str | None:
        """Why the approvals don't count any more, or None: whoever approved must still be the one to ask, and there.

        Errors: those of `Directory`.
        """
        try:
            wanted = self.stages(routine, request)
        except CannotBeDone as error:
            return str(error)
        with self.database.reading() as session:
            given = [approval for approval in approvals_of(session, request.id) if approval.state == "approved"]
        if len(given) < len(wanted):
            return "Not everybody has approved it."
        subject = self.directory.get(request.directory_id or "")
        if subject is None or not subject.enabled:
            return "The directory doesn't know your account any more, or has disabled it."
        for approval in given:
            person = self.directory.get(approval.directory_id)
            if person is None or not person.enabled:
                return "Whoever approved it isn't there any more."
            with self.database.reading() as session:
                if not independent(session, subject, [person]):
                    return "Whoever approved it isn't somebody else than you."
        for number, stage in enumerate(wanted):
            names = {account.casefold() for account in stage.accounts}
            by = next((approval for approval in given if approval.stage == number), None)
            if by is None or (by.account not in names and by.why != DEPUTY):
                return f"It was approved by somebody who isn't {stage.why} any more."
        return None

    # As time goes by

    def due(self, workflow: str) -> tuple[list[int], list[int], list[str]]:
        """Of one workflow: approvals whose people are to be reminded, those whose deputies are to be asked, requests
        that expired."""
        remind, deputy, over = [], [], []
        with self.database.reading() as session:
            for request in requests_in(session, "drafted", "asked"):
                if request.workflow != workflow:
                    continue
                if self.now() >= request.created_at + EXPIRES_AFTER:
                    over.append(request.id)
                    continue
                for approval in approvals_of(session, request.id, request.stage):
                    if approval.state != "waiting":
                        continue
                    if self.now() >= approval.asked_at + DEPUTY_AFTER and approval.why != DEPUTY:
                        deputy.append(approval.id)
                    elif self.now() >= (approval.reminded_at or approval.asked_at) + REMIND_AFTER:
                        remind.append(approval.id)
        return remind, deputy, over

    def deputies(self, approval: Approval, request: RoutineRequest) -> list[Asked]:
        """The approver's own manager, if there is one who may. Errors: those of `Directory`."""
        person = self.directory.get(approval.directory_id)
        if person is None:
            return []
        errand = self.carrying.errand(request)
        asking = replace(errand, subject=Subject(person.account, person.directory_id, person.name))
        try:
            (stage,) = stages((MANAGER,), asking)
            return self.whom_to_ask(request, Stage(DEPUTY, stage.accounts))
        except CannotBeDone:
            return []
