"""The course of a declared request after the acknowledgement: asked for, approved, and handed on to be done."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from bot.clicks import Click
from bot.message import escape
from bot.routines.approving import Asked
from bot.routines.cards import APPROVAL_CARD, CARD, Actions, whole
from bot.routines.carrying_out import note
from bot.routines.doing import Doing
from bot.routines.office import Office, Part
from bot.routines.records import WAITING, Approval, RoutineRequest, approvals_of, held, of_card, requests_in
from bot.routines.routine import CannotBeDone, Routine, Stage
from bot.routines.step_up import StepUp
from bot.routines.waiting import Waiting
from store.durable import Durable, StepFailed

NOT_YOURS = "That card isn't yours, or isn't in use any more, so nothing has happened."
LATER = "The directory doesn't answer at the moment, so nothing has happened. Press the button again in a minute."
LEFT_BEHIND = timedelta(minutes=2)
"""After so long without anybody who is asked, the next stage is asked once more."""


class Course(Part):
    """Of one routine's requests. Whatever decides about a request holds its row; what was decided first counts."""

    def __init__(self, routine: Routine[Any], office: Office) -> None:
        super().__init__(routine, office)
        self._actions = Actions(routine.name)
        self._doing = Doing(routine, office)
        self._waiting = Waiting(routine, office)
        self.step_up = self._doing.step_up = self._waiting.step_up = StepUp(routine, office.assurance, self.proven)

    def register(self, durable: Durable) -> None:
        """Register its durable workflows, before the runtime starts."""
        self.durable = self._doing.durable = self._waiting.durable = durable
        self._click = durable.workflow(f"{self.name}_click", self._see_to_click)
        self._asking = durable.workflow(f"{self.name}_asked", self._see_to_asking)
        self._deciding = durable.workflow(f"{self.name}_decided", self._see_to_decision)
        self._do = durable.workflow(f"{self.name}_doing", self._doing.do)
        self._end = durable.workflow(f"{self.name}_ending", self._doing.end)
        self._remind = durable.workflow(f"{self.name}_reminding", self._waiting.remind)
        self._back = durable.workflow(f"{self.name}_unproven", self._see_to_no_proof)
        self._expire = durable.workflow(f"{self.name}_expiring", self._waiting.expire)

    # What was clicked on: found by where it is, never by what the button says

    def own(self, click: Click) -> RoutineRequest | None:
        with self._office.database.reading() as session:
            ref = of_card(session, click.channel, click.message_ts, CARD)
            request = session.get(RoutineRequest, ref) if ref else None
        if request is None or (request.workflow, request.slack_user) != (self.name, click.user):
            return None
        return request

    def asked_of(self, click: Click) -> tuple[Approval, RoutineRequest] | None:
        with self._office.database.reading() as session:
            ref = of_card(session, click.channel, click.message_ts, APPROVAL_CARD)
            approval = session.get(Approval, int(ref)) if ref else None
            if approval is None or approval.slack_user != click.user:
                return None
            return approval, session.get_one(RoutineRequest, approval.request)

    def whisper(self, click: Click, text: str) -> None:
        self._office.slack.whisper(channel=click.channel, user=click.user, text=escape(text), thread_ts=click.thread_ts)

    # Begun within Slack's three seconds

    def clicked(self, click: Click) -> None:
        self._start(self._click, click.as_json(), key=f"{self.name}:{click.key}")

    def filled_in(self, request: str, view: str) -> None:
        """A form was sent whose values are kept already; the same view sent again is the same form."""
        self._start(self._asking, request, key=f"routine:{request}:asked:{view}")

    def proven(self, request: str) -> None:
        """Its owner has proven that it's them."""
        self._start(self._asking, request, key=f"routine:{request}:proven")

    def denied(self, approval: Approval, user: str, reason: str, view: str) -> None:
        key = f"approval:{approval.id}:{view}"
        self._start(self._deciding, approval.id, approval.team, user, "denied", reason, key=key)

    def _start(self, workflow: Callable[..., None], *args: Any, key: str) -> None:
        self.durable.start(workflow, *args, key=key)

    # Clicks

    def _see_to_click(self, kept: dict[str, Any]) -> None:
        click = Click(**kept)
        if click.action == self._actions.approve:
            approval = self.step("find", self._approval_at, kept)
            if approval is None:
                self.tried("whisper", self._whisper_from, kept, NOT_YOURS)
            else:
                self._see_to_decision(approval, click.team, click.user, "approved", None)
            return
        request = self.step("find", self._request_at, kept)
        if request is None:
            self.tried("whisper", self._whisper_from, kept, NOT_YOURS)
        elif click.action == self._actions.cancel:
            if said := self.step("cancel", self._cancelled, request):
                self.tried("whisper", self._whisper_from, kept, said)
            self.show(request)
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

    def _cancelled(self, request_id: str) -> str | None:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state == "cancelled":
                return None
            if request.state not in WAITING:
                return f"That can't be stopped any more: it is {request.state}."
            request.state, request.changed_at = "cancelled", self._office.now()
            for approval in approvals_of(session, request_id):
                if approval.state == "waiting":
                    approval.state, approval.decided_at = "closed", self._office.now()
            note(session, request, "cancel", "done", "asked", self._office.now())
        self.cancel_ticket(request_id, "The employee cancelled it.")
        return None

    # Asking

    def _see_to_asking(self, request: str) -> None:
        """From a whole wish to those who approve, or where nobody has to, to the doing."""
        try:
            if problem := self.step("ask", self._asked, request):
                self.say(request, "refused", problem)
        except StepFailed:
            self.say(request, f"later {self.step('moment', self._moment)}", LATER)
        self.show(request)
        state = self.step("state", self._state, request)
        if state == "proving":
            self.mail(request, "requested", self.said(request, "Asked for"))
        if state == "approved":
            self._start(self._do, request, key=f"routine:{request}:doing")

    def _moment(self) -> str:
        return f"{self._office.now():%H%M%S}"

    def _state(self, request: str) -> str:
        return self.read(request).state

    def _asked(self, request_id: str) -> str | None:
        """Ask the next stage, or mark the request as approved; why it can't be asked for, or None."""
        office, request = self._office, self.read(request_id)
        if request.state not in ("drafted", "asked"):
            return None
        asked: list[Asked] = []
        try:
            if request.state == "drafted" and (flaw := self._flaw_of(request)):
                return f"{flaw} Fill in the form." if self.routine.Wish.model_fields else flaw
            if self.step_up.missing(request):
                return self._proof_wanted(request)
            problem = self.not_now(request)
            stages: Sequence[Stage] = office.approving.stages(self.routine, request) if problem is None else ()
            if request.stage < len(stages):
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
            self.open_ticket(session, request)
            request.state = "asked" if asked else "approved"
            office.approving.ask(session, request, request.stage, asked)
            note(session, request, "ask", "allowed", f"stage_{request.stage}" if asked else "approved", office.now())
        return None

    def _proof_wanted(self, request: RoutineRequest) -> str | None:
        """Wait for a proof that it's them; why that's of no use, or None."""
        problem = self.not_now(request)
        with self._office.database.transaction() as session:
            request = held(session, request.id)
            if request.state == "drafted":
                request.state, request.refusal = ("refused", problem) if problem else ("proving", None)
                request.changed_at = self._office.now()
                decision = "denied" if problem else "allowed"
                note(session, request, "prove", decision, getattr(problem, "code", "wanted"), request.changed_at)
        return problem

    def _see_to_no_proof(self, request: str) -> None:
        """The link's time is over: the card offers a new one."""
        self.step("unproven", self._unproven, request)
        self.show(request)

    def _unproven(self, request_id: str) -> None:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state == "proving" and self.step_up.is_over(request):
                request.state, request.changed_at = "drafted", self._office.now()
                note(session, request, "prove", "denied", "expired", request.changed_at)

    def _flaw_of(self, request: RoutineRequest) -> str | None:
        """What is wrong with what was taken from a message. Errors: those of `Directory`, `CannotBeDone`."""
        wish = whole(self.routine, request)
        if wish is None:
            return "Something is missing."
        return next(iter(self.routine.flaws(wish, self._office.carrying.errand(request)).values()), None)

    # Deciding

    def _see_to_decision(self, approval: int, team: str, user: str, verdict: str, reason: str | None) -> None:
        said = self.step("decide", self._decided, approval, team, user, verdict, reason)
        request = self.step("request", self.request_of, approval)
        if said:
            self.tried("tell", self._tell_approver, user, said)
        elif verdict == "denied":
            self.say(request, "denied", f"It wasn't approved: {reason}")
        else:
            self._see_to_asking(request)
        self.show(request)

    def _decided(self, approval: int, team: str, user: str, verdict: str, reason: str | None) -> str | None:
        said = self._office.approving.decide(approval, team=team, user=user, verdict=verdict, reason=reason)
        if said is None and verdict == "denied":
            self.cancel_ticket(self.request_of(approval), f"Not approved: {reason}")
        return said

    def _tell_approver(self, user: str, text: str) -> None:
        self._office.slack.whisper(channel=self._office.slack.workspace.dm(user), user=user, text=escape(text))

    # As time goes by

    def tick(self) -> None:
        """See to what is due: what was for a time only, reminders, deputies, what nobody decided, what was left."""
        office, now = self._office, self._office.now()
        remind, deputy, over = office.approving.due(self.name)
        for approval, way in [*((each, "remind") for each in remind), *((each, "deputy") for each in deputy)]:
            self._start(self._remind, approval, way, key=f"approval:{approval}:{way}:{now:%Y%m%d%H}")
        for request in over:
            self._start(self._expire, request, key=f"routine:{request}:expired")
        with office.database.reading() as session:
            open_ones = requests_in(session, "drafted", "proving", "asked", "approved", "done")
            found = [each for each in open_ones if each.workflow == self.name]
            waited_for = {
                each.id
                for each in found
                if any(approval.state == "waiting" for approval in approvals_of(session, each.id, each.stage))
            }
        for each in found:
            if each.state == "proving" and self.step_up.is_over(each):
                self._start(self._back, each.id, key=f"routine:{each.id}:unproven:{each.changed_at.isoformat()}")
            elif each.state == "drafted" and each.proven_at is not None and now - each.changed_at > LEFT_BEHIND:
                self._start(self._asking, each.id, key=f"routine:{each.id}:asked:again:{now:%Y%m%d%H%M}")
            elif each.state == "approved":
                self._start(self._do, each.id, key=f"routine:{each.id}:doing")
            elif each.state == "asked" and each.id not in waited_for and now - each.changed_at > LEFT_BEHIND:
                self._start(self._asking, each.id, key=f"routine:{each.id}:asked:again:{now:%Y%m%d%H%M}")
            elif each.state == "done" and each.ends_at is not None and each.ends_at <= now:
                self._start(self._end, each.id, key=f"routine:{each.id}:ending")
