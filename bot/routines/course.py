"""The course of a declared request after the acknowledgement: asked, approved, done, taken back. All of it durable."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.clicks import Click
from bot.directory.directory import DirectoryUnavailable
from bot.handoff import DESK, Triage
from bot.message import escape
from bot.outcomes import Handoff, HandoffReason
from bot.people import People
from bot.records import Conversation
from bot.routines.approving import Approving, Asked
from bot.routines.carrying_out import CarryingOut, note
from bot.routines.news import APPROVAL_CARD, CARD, Actions, RoutineNews, whole
from bot.routines.records import (
    WAITING,
    Approval,
    RoutineRequest,
    approvals_of,
    held,
    of_card,
    requests_in,
    steps_of,
)
from bot.routines.routine import CannotBeDone, Routine, Stage
from bot.routines.switches import OFF
from bot.slack import Slack
from bot.slack_client import TRANSIENT
from store import Database
from store.durable import Durable, StepFailed
from tickets import lifecycle, opening
from tickets.numbers import Kind

log = logging.getLogger(__name__)

RETRIES = 8
PATIENT = (*TRANSIENT, DirectoryUnavailable)
NOT_YOURS = "That card isn't yours, or isn't in use any more, so nothing has happened."


@dataclass(frozen=True)
class Office:
    """What all routine requests work with."""

    database: Database
    slack: Slack
    people: People
    triage: Triage
    carrying: CarryingOut
    approving: Approving
    news: RoutineNews
    now: Callable[[], datetime]


class Course:
    """Of one routine's requests. Whatever decides about a request holds its row; what was decided first counts."""

    def __init__(self, routine: Routine[Any], office: Office) -> None:
        self.routine = routine
        self.name = routine.name
        self._office = office
        self._actions = Actions(routine.name)

    # What was clicked on: found by where it is, never by what the button says

    def own(self, click: Click) -> RoutineRequest | None:
        with self._office.database.reading() as session:
            ref = of_card(session, click.channel, click.message_ts, CARD)
            request = session.get(RoutineRequest, ref) if ref else None
        ours = request is not None and request.workflow == self.name
        return request if ours and request is not None and request.slack_user == click.user else None

    def asked_of(self, click: Click) -> tuple[Approval, RoutineRequest] | None:
        with self._office.database.reading() as session:
            ref = of_card(session, click.channel, click.message_ts, APPROVAL_CARD)
            approval = session.get(Approval, int(ref)) if ref else None
            if approval is None or approval.slack_user != click.user:
                return None
            return approval, session.get_one(RoutineRequest, approval.request)

    def whisper(self, click: Click, text: str) -> None:
        self._office.slack.whisper(channel=click.channel, user=click.user, text=escape(text), thread_ts=click.thread_ts)

    # Its durable workflows

    def durable(self, durable: Durable) -> None:
        self._durable = durable
        self._clicked = durable.workflow(f"{self.name}_click", self._see_to_click)
        self._asking = durable.workflow(f"{self.name}_asked", self._see_to_asking)
        self._deciding = durable.workflow(f"{self.name}_decided", self._see_to_decision)
        self._doing = durable.workflow(f"{self.name}_doing", self._see_to_doing)
        self._ending = durable.workflow(f"{self.name}_ending", self._see_to_ending)
        self._reminding = durable.workflow(f"{self.name}_reminding", self._see_to_reminding)
        self._expiring = durable.workflow(f"{self.name}_expiring", self._see_to_expiry)

    def clicked(self, click: Click) -> None:
        self._start(self._clicked, click.as_json(), key=f"{self.name}:{click.key}")

    def filled_in(self, request: str, view: str) -> None:
        """A form was sent whose values are kept already; the same view sent again is the same form."""
        self._start(self._asking, request, key=f"routine:{request}:asked:{view}")

    def denied(self, approval: Approval, user: str, reason: str, view: str) -> None:
        key = f"approval:{approval.id}:{view}"
        self._start(self._deciding, approval.id, approval.team, user, "denied", reason, key=key)

    def _start(self, workflow: Callable[..., None], *args: Any, key: str) -> None:
        self._durable.start(workflow, *args, key=key)

    def _step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        return self._durable.step(name, function, *args, retries=RETRIES, transient=PATIENT)

    def _tried(self, name: str, function: Callable[..., Any], *args: Any) -> None:
        """A step whose failure doesn't keep the others from being taken."""
        try:
            self._step(name, function, *args)
        except StepFailed as error:
            log.error("%s of %s failed: %s", name, self.name, error)

    def _see_to_click(self, kept: dict[str, Any]) -> None:
        click = Click(**kept)
        if click.action == self._actions.approve:
            found = self._step("find", self._approval_at, kept)
            if found is None:
                self._tried("whisper", self._whisper_from, kept, NOT_YOURS)
            else:
                self._see_to_decision(found, click.team, click.user, "approved", None)
            return
        request = self._step("find", self._request_at, kept)
        if request is None:
            self._tried("whisper", self._whisper_from, kept, NOT_YOURS)
        elif click.action == self._actions.cancel:
            if said := self._step("cancel", self._cancel, request):
                self._tried("whisper", self._whisper_from, kept, said)
            self._show(request)
        else:
            self._see_to_asking(request)

    def _approval_at(self, kept: dict[str, Any]) -> int | None:
        found = self.asked_of(Click(**kept))
        return found[0].id if found else None

    def _request_at(self, kept: dict[str, Any]) -> str | None:
        found = self.own(Click(**kept))
        return found.id if found else None

    def _whisper_from(self, kept: dict[str, Any], text: str) -> None:
        self.whisper(Click(**kept), text)

    def _see_to_asking(self, request: str) -> None:
        """From a whole wish to those who approve, or where nobody has to, to the doing."""
        if problem := self._step("ask", self._ask, request):
            self._tried("say", self._office.news.say, request, "refused", problem)
        self._show(request)
        self._go_on(request)

    def _go_on(self, request: str) -> None:
        if self._step("state", self._state, request) == "approved":
            self._start(self._doing, request, key=f"routine:{request}:doing")

    def _see_to_decision(self, approval: int, team: str, user: str, verdict: str, reason: str | None) -> None:
        said = self._step("decide", self._decide, approval, team, user, verdict, reason)
        request = self._step("request", self._request_of, approval)
        if said:
            self._tried("tell", self._tell_approver, approval, user, said)
        elif verdict == "denied":
            self._tried("say", self._office.news.say, request, "denied", f"It wasn't approved: {reason}")
        else:
            self._see_to_asking(request)
        self._show(request)

    def _decide(self, approval: int, team: str, user: str, verdict: str, reason: str | None) -> str | None:
        said = self._office.approving.decide(approval, team=team, user=user, verdict=verdict, reason=reason)
        if said is None and verdict == "denied":
            self._close_ticket(self._request_of(approval), f"Not approved: {reason}")
        return said

    def _request_of(self, approval: int) -> str:
        with self._office.database.reading() as session:
            return session.get_one(Approval, approval).request

    def _tell_approver(self, approval: int, user: str, text: str) -> None:
        channel = self._office.slack.workspace.dm(user)
        self._office.slack.whisper(channel=channel, user=user, text=escape(text))

    def _state(self, request: str) -> str:
        with self._office.database.reading() as session:
            return session.get_one(RoutineRequest, request).state

    def _ask(self, request_id: str) -> str | None:
        """Ask the next stage, or mark the request as approved; why it can't be asked for, or None."""
        office = self._office
        with office.database.reading() as session:
            request = session.get_one(RoutineRequest, request_id)
        if request.state not in ("drafted", "asked"):
            return None
        asked: list[Asked] = []
        try:
            problem = self._not_now(request)
            wish = whole(self.routine, request)
            if problem is None and wish is None:
                problem = "Something is missing: fill in the form."
            stages: Sequence[Stage] = office.approving.stages(self.routine, request) if problem is None else ()
            if problem is None and request.stage < len(stages):
                asked = office.approving.whom_to_ask(request, stages[request.stage])
        except CannotBeDone as error:
            problem = str(error)
        with office.database.transaction() as session:
            request = held(session, request_id)
            if request.state not in ("drafted", "asked"):
                return None
            request.changed_at = office.now()
            if problem is not None:
                request.state, request.refusal = "refused", problem
                note(session, request, "ask", "denied", "refused", office.now())
                return problem
            self._open_ticket(session, request)
            if asked:
                request.state = "asked"
                office.approving.ask(session, request, request.stage, asked)
                note(session, request, "ask", "allowed", f"stage_{request.stage}", office.now())
            else:
                request.state = "approved"
                note(session, request, "ask", "allowed", "approved", office.now())
        return None

    def _not_now(self, request: RoutineRequest) -> str | None:
        """Why it may not be done at this moment, asked afresh."""
        office = self._office
        if office.carrying.switches.off(self.name, office.carrying.directory_name):
            return OFF
        who = office.people.identify(team=request.team, user=request.slack_user, max_age=0)
        if who.refusal is not None:
            return who.refusal
        if who.directory_id != request.directory_id:
            return "Your Slack account is linked with another account than before."
        return None

    def _cancel(self, request_id: str) -> str | None:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state not in WAITING:
                return (
                    None if request.state == "cancelled" else f"That can't be stopped any more: it is {request.state}."
                )
            request.state, request.changed_at = "cancelled", self._office.now()
            for approval in approvals_of(session, request_id):
                if approval.state == "waiting":
                    approval.state, approval.decided_at = "closed", self._office.now()
            note(session, request, "cancel", "done", "asked", self._office.now())
        self._close_ticket(request_id, "The employee cancelled it.")
        return None

    # Doing

    def _see_to_doing(self, request: str) -> None:
        problem = self._step("check", self._may_be_done, request)
        for number in range(self._step("count", self._count, request) if problem is None else 0):
            try:
                problem = self._step(f"do {number}", self._office.carrying.do, self.routine, request, number)
            except StepFailed as failure:
                problem = str(failure)
            if problem is not None:
                break
        if problem is None:
            self._step("done", self._done, request)
            self._tried("say", self._office.news.say, request, "done", self._said(request, "Done"))
        else:
            self._undo_all(request, problem, "failed")
        self._show(request)

    def _may_be_done(self, request_id: str) -> str | None:
        """Why an approved request may not be done after all; everything that was checked before, again."""
        with self._office.database.reading() as session:
            request = session.get_one(RoutineRequest, request_id)
        if request.state not in ("approved", "doing"):
            return f"it is {request.state}"
        return self._not_now(request) or self._office.approving.still_holds(self.routine, request)

    def _count(self, request_id: str) -> int:
        with self._office.database.reading() as session:
            request = session.get_one(RoutineRequest, request_id)
        return len(self._office.carrying.steps(self.routine, request))

    def _done(self, request_id: str) -> None:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state == "doing":
                request.state, request.changed_at = "done", self._office.now()
                request.ends_at = self.routine.ends_at(self.routine.Wish.model_validate(request.wish))
                note(session, request, "carry_out", "done", "verified", self._office.now())
                if request.ticket:
                    lifecycle.resolve(
                        session, request.ticket, agent=DESK, resolution="Done and verified.", now=self._office.now()
                    )

    def _said(self, request_id: str, how: str) -> str:
        with self._office.database.reading() as session:
            request = session.get_one(RoutineRequest, request_id)
        wish = whole(self.routine, request)
        what = self.routine.asks(wish) if wish is not None else self.routine.title
        return f"{how}: {what[0].lower()}{what[1:]}." + (f" ({request.ticket})" if request.ticket else "")

    def _undo_all(self, request: str, problem: str, state: str) -> None:
        """Undo what was done, the last first; what can't be undone is a human's."""
        left = problem
        for number in self._step("begun", self._office.carrying.begun, request):
            try:
                kept = self._step(f"undo {number}", self._office.carrying.undo, self.routine, request, number)
            except StepFailed as failure:
                kept = str(failure)
            if kept is not None:
                left, state = f"{problem} And it could not be undone: {kept}", "stuck"
        self._step("closed", self._closed, request, state, left)
        if state == "stuck":
            number = self._step("hand over", self._hand_over, request, left)
            self._tried("card", self._office.triage.announce, number)
        said = "It could not be done, and all is as before" if state == "failed" else "It could not be finished"
        self._tried("say", self._office.news.say, request, state, f"{said}: {left}")

    def _closed(self, request_id: str, state: str, why: str) -> None:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            request.state, request.refusal, request.changed_at = state, why, self._office.now()
            note(session, request, "carry_out", "failed", state, self._office.now())
        if state != "stuck":
            self._close_ticket(request_id, why)

    def _hand_over(self, request_id: str, why: str) -> str:
        office = self._office
        with office.database.transaction() as session:
            request = held(session, request_id)
            conversation = session.get_one(Conversation, request.conversation_id)
            done = (
                "; ".join(f"{step.name}: {step.state}" for step in steps_of(session, request_id)) or "nothing was done"
            )
            summary = f"{self.routine.title} for {request.account} ({request.ticket}) is stuck. {why} So far: {done}."
            return office.triage.open(
                session,
                conversation=conversation,
                turns=[],
                handoff=Handoff(HandoffReason.WORKFLOW_FAILED, summary),
                employee_name=request.name,
                account=request.account,
                opened_by=f"routine:{request_id}:stuck",
            )

    def _open_ticket(self, session: Session, request: RoutineRequest) -> None:
        wish = whole(self.routine, request)
        ticket = opening.open_ticket(
            session,
            kind=Kind.SERVICE_REQUEST,
            title=self.routine.asks(wish) if wish is not None else self.routine.title,
            description=str(request.wish.get("reason") or ""),
            requester=request.slack_user,
            requester_account=request.account,
            conversation=None,  # what is written there is no part of this
            category=self.name,
            actor=DESK,
            now=self._office.now(),
            key=f"routine:{request.id}",
        )
        request.ticket = ticket.number

    def _close_ticket(self, request_id: str, reason: str) -> None:
        with self._office.database.transaction() as session:
            ticket = session.get_one(RoutineRequest, request_id).ticket
            if ticket:
                lifecycle.cancel(session, ticket, actor=DESK, reason=reason, now=self._office.now())

    def _show(self, request: str) -> None:
        self._tried("card", self._office.news.show_card, self.routine, request)
        for approval in self._step("approvals", self._approvals, request):
            self._tried(f"approval {approval}", self._office.news.show_approval, self.routine, approval)

    def _approvals(self, request: str) -> list[int]:
        with self._office.database.reading() as session:
            return [approval.id for approval in approvals_of(session, request)]

    # As time goes by

    def tick(self) -> None:
        """See to what is due: reminders, deputies, what nobody decided, what was for a time only, what was left."""
        office = self._office
        remind, deputy, over = office.approving.due()
        mine = self._mine()
        today = f"{office.now():%Y%m%d%H}"
        for approval in (*remind, *deputy):
            if self._request_of(approval) in mine:
                way = "deputy" if approval in deputy else "remind"
                self._start(self._reminding, approval, way, key=f"approval:{approval}:{way}:{today}")
        for request in over:
            if request in mine:
                self._start(self._expiring, request, key=f"routine:{request}:expired")
        with office.database.reading() as session:
            for request_row in requests_in(session, "done", "approved"):
                if request_row.workflow != self.name:
                    continue
                if request_row.state == "approved":
                    self._start(self._doing, request_row.id, key=f"routine:{request_row.id}:doing")
                elif request_row.ends_at is not None and request_row.ends_at <= office.now():
                    self._start(self._ending, request_row.id, key=f"routine:{request_row.id}:ending")

    def _mine(self) -> set[str]:
        with self._office.database.reading() as session:
            return {request.id for request in requests_in(session, "drafted", "asked") if request.workflow == self.name}

    def _see_to_ending(self, request: str) -> None:
        self._undo_all_for_good(request)
        self._show(request)

    def _undo_all_for_good(self, request: str) -> None:
        problem = None
        for number in self._step("begun", self._office.carrying.begun, request):
            try:
                problem = self._step(f"undo {number}", self._office.carrying.undo, self.routine, request, number)
            except StepFailed as failure:
                problem = str(failure)
            if problem is not None:
                break
        if problem is None:
            self._step("ended", self._ended, request)
            self._tried(
                "say",
                self._office.news.say,
                request,
                "ended",
                self._said(request, "Its time is over, so I took it back"),
            )
            return
        self._step("closed", self._closed, request, "stuck", f"It could not be taken back: {problem}")
        number = self._step("hand over", self._hand_over, request, problem)
        self._tried("card of the ticket", self._office.triage.announce, number)

    def _ended(self, request_id: str) -> None:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state == "done":
                request.state, request.changed_at = "ended", self._office.now()
                note(session, request, "end", "done", "time_is_over", self._office.now())

    def _see_to_expiry(self, request: str) -> None:
        if self._step("expire", self._expire, request):
            self._tried(
                "say", self._office.news.say, request, "expired", "Nobody decided in time, so nothing has happened."
            )
            self._show(request)

    def _expire(self, request_id: str) -> bool:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state not in ("drafted", "asked"):
                return False
            request.state, request.changed_at = "expired", self._office.now()
            for approval in approvals_of(session, request_id):
                if approval.state == "waiting":
                    approval.state, approval.decided_at = "closed", self._office.now()
            note(session, request, "expire", "done", "time_is_over", self._office.now())
        self._close_ticket(request_id, "Nobody decided in time.")
        return True

    def _see_to_reminding(self, approval: int, way: str) -> None:
        if way == "deputy" and self._step("deputy", self._ask_deputy, approval):
            self._show(self._step("request", self._request_of, approval))
            return
        day = self._step("remembered", self._reminded, approval)
        self._tried("remind", self._office.news.remind, approval, day)

    def _ask_deputy(self, approval_id: int) -> bool:
        office = self._office
        with office.database.reading() as session:
            approval = session.get_one(Approval, approval_id)
            request = session.get_one(RoutineRequest, approval.request)
        deputies = office.approving.deputies(approval, request)
        with office.database.transaction() as session:
            request = held(session, request.id)
            known = {each.account for each in approvals_of(session, request.id, approval.stage)}
            fresh = [each for each in deputies if each.person.account.casefold() not in known]
            if request.state != "asked" or not fresh:
                return False
            office.approving.ask(session, request, approval.stage, fresh)
            note(session, request, f"stage_{approval.stage}", "allowed", "deputy", office.now())
        return True

    def _reminded(self, approval_id: int) -> str:
        with self._office.database.transaction() as session:
            approval = session.get_one(Approval, approval_id, with_for_update=True)
            approval.reminded_at = self._office.now()
        return f"{self._office.now():%Y%m%d}"
