"""What all routine requests work with, and what each part of their course needs: durable steps, a ticket, news."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.directory.directory import DirectoryUnavailable
from bot.directory.records import PersonRecord
from bot.handoff import DESK, Triage
from bot.notices import Notices
from bot.people import People
from bot.routines.approving import Approving
from bot.routines.cards import whole
from bot.routines.carrying_out import CarryingOut
from bot.routines.news import RoutineNews
from bot.routines.records import Approval, RoutineRequest, approvals_of
from bot.routines.routine import Routine
from bot.routines.step_up import Assurance, StepUp, purpose
from bot.routines.switches import OFF
from bot.slack import Slack
from bot.slack_client import TRANSIENT
from store import Database
from store.durable import Durable, StepFailed
from tickets import lifecycle, opening
from tickets.numbers import Kind

log = logging.getLogger(__name__)

RETRIES = 6
"""Half a minute, pausing twice as long each time: what can't be done by then is a human's."""
PATIENT = (*TRANSIENT, DirectoryUnavailable)


@dataclass(frozen=True)
class Office:
    database: Database
    slack: Slack
    people: People
    triage: Triage
    notices: Notices
    carrying: CarryingOut
    approving: Approving
    news: RoutineNews
    assurance: Assurance
    now: Callable[[], datetime]


class Part:
    """Of one routine's course. `durable` is set before anything is run."""

    durable: Durable
    step_up: StepUp

    def __init__(self, routine: Routine[Any], office: Office) -> None:
        self.routine = routine
        self.name = routine.name
        self.not_me = purpose("notme", routine.name)
        """Of the links to “this wasn't me”."""
        self._office = office

    def step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        return self.durable.step(name, function, *args, retries=RETRIES, transient=PATIENT)

    def tried(self, name: str, function: Callable[..., Any], *args: Any) -> bool:
        """A step whose failure doesn't keep the others from being taken."""
        try:
            self.step(name, function, *args)
        except StepFailed as error:
            log.error("%s of %s failed: %s", name, self.name, error)
            return False
        return True

    def read(self, request: str) -> RoutineRequest:
        with self._office.database.reading() as session:
            return session.get_one(RoutineRequest, request)

    def request_of(self, approval: int) -> str:
        with self._office.database.reading() as session:
            return session.get_one(Approval, approval).request

    def not_now(self, request: RoutineRequest) -> str | None:
        """Why it may not be done at this moment, asked afresh."""
        office = self._office
        if office.carrying.switches.off(self.name, office.carrying.directory_name):
            return OFF
        who = office.people.identify(team=request.team, user=request.slack_user, max_age=0)
        if who.refusal is not None:
            return who.refusal
        if who.directory_id != request.directory_id:
            return "Your Slack account is linked with another account than before."
        return self.step_up.refuse(who, max_age=0) if self.step_up.guarded else None

    # What people see

    def show(self, request: str) -> None:
        """All cards of a request as things stand."""
        self.tried("card", self._office.news.show_card, self.routine, request, self.step_up.url(request))
        for approval in self.step("approvals", self._approvals, request):
            self.tried(f"approval {approval}", self._office.news.show_approval, self.routine, approval)
        self.tried("tasks", self._show_tasks, request)

    def _show_tasks(self, request: str) -> None:
        self._office.news.show_tasks(self.routine, request, self._office.triage.channel())

    def _approvals(self, request: str) -> list[int]:
        with self._office.database.reading() as session:
            return [approval.id for approval in approvals_of(session, request)]

    def say(self, request: str, key: str, text: str) -> None:
        self.tried(f"say {key}", self._office.news.say, request, key, text)

    def said(self, request_id: str, how: str, whom: str = "you") -> str:
        """`Done: put you into the group design-tools (REQ0000003).`"""
        request = self.read(request_id)
        wish = whole(self.routine, request)
        what = self.routine.asks(wish, whom) if wish is not None else self.routine.title
        return f"{how}: {what[0].lower()}{what[1:]}" + (f" ({request.ticket})." if request.ticket else ".")

    def mail(self, request: str, news: str, how: str) -> None:
        """To the employee's addresses and their manager's, since Slack alone may be in other hands."""
        for number, address in enumerate(self.step(f"addresses {news}", self._addresses, request)):
            self.tried(f"mail {news} {number}", self._mail, request, news, how, address)

    def _addresses(self, request_id: str) -> list[str]:
        request = self.read(request_id)
        with self._office.database.reading() as session:
            person = session.get(PersonRecord, request.account or "")
            manager = session.get(PersonRecord, person.manager.casefold()) if person and person.manager else None
        found = [*(person.emails if person else ()), *(manager.emails if manager else ())]
        return list(dict.fromkeys(map(str, found))) if self._office.notices.available else []

    def _mail(self, request_id: str, news: str, how: str, address: str) -> None:
        request = self.read(request_id)
        with self._office.database.reading() as session:
            person = session.get(PersonRecord, request.account or "")
        own = person is not None and address in map(str, person.emails)
        otherwise = "If that wasn't meant to be, call IT now."
        if own:
            otherwise = (
                "If that wasn't you, open this page and press the button; your account is disabled then, and IT calls "
                f"you:\n{self._office.assurance.links.url(self.not_me, request.id)}"
            )
        body = (
            f"Hello,\n\nat the request of {request.name} ({request.account}) in Slack:\n\n"
            f"{self.said(request_id, how, 'you' if own else request.name)}\n\n{otherwise}\n"
        )
        self._office.notices.mail(key=f"routine:{request_id}:{news}", to=address, subject=self.routine.title, text=body)

    # The request's ticket

    def open_ticket(self, session: Session, request: RoutineRequest) -> None:
        wish = whole(self.routine, request)
        ticket = opening.open_ticket(
            session,
            kind=Kind.SERVICE_REQUEST,
            title=self.routine.asks(wish, request.name) if wish is not None else self.routine.title,
            description=str(request.wish.get("reason") or ""),
            requester=request.slack_user,
            requester_account=request.account,
            conversation=None,  # what else is written there is no part of this
            category=self.name,
            actor=DESK,
            now=self._office.now(),
            key=f"routine:{request.id}",
        )
        request.ticket = ticket.number

    def cancel_ticket(self, request_id: str, reason: str) -> None:
        with self._office.database.transaction() as session:
            ticket = session.get_one(RoutineRequest, request_id).ticket
            if ticket:
                lifecycle.cancel(session, ticket, actor=DESK, reason=reason, now=self._office.now())
