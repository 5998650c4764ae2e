"""The course of a declared request after the acknowledgement: asked for, approved, and handed on to be done."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.clicks import Click
from bot.handoff import DESK
from bot.message import escape
from bot.routines.asking import Asking
from bot.routines.cards import APPROVAL_CARD, CARD, Actions
from bot.routines.carrying_out import note
from bot.routines.doing import Doing
from bot.routines.fulfilling import Fulfilling
from bot.routines.office import Office, Part
from bot.routines.records import WAITING, Approval, RoutineRequest, approvals_of, held, of_card, requests_in, tasks_of
from bot.routines.routine import Routine
from bot.routines.step_up import StepUp
from bot.routines.waiting import Waiting
from store.durable import Durable
from tickets import lifecycle

NOT_YOURS = "That card isn't yours, or isn't in use any more, so nothing has happened."
LEFT_BEHIND = timedelta(minutes=2)
"""After so long without anybody who is asked, the next stage is asked once more."""


class Course(Part):
    """Of one routine's requests. Whatever decides about a request holds its row; what was decided first counts."""

    def __init__(self, routine: Routine[Any], office: Office) -> None:
        super().__init__(routine, office)
        self._actions = Actions(routine.name)
        self.asking = Asking(routine, office)
        self._doing = Doing(routine, office)
        self._waiting = Waiting(routine, office)
        self.step_up = StepUp(routine, office.assurance, self.proven)
        self.fulfilling = Fulfilling(routine, office)
        for part in (self.asking, self._doing, self._waiting, self.fulfilling):
            part.step_up = self.step_up

    def register(self, durable: Durable) -> None:
        """Register its durable workflows, before the runtime starts."""
        self.durable = self._doing.durable = self._waiting.durable = durable
        self._click = durable.workflow(f"{self.name}_click", self._see_to_click)
        self._deciding = durable.workflow(f"{self.name}_decided", self._see_to_decision)
        self._do = durable.workflow(f"{self.name}_doing", self._doing.do)
        self._end = durable.workflow(f"{self.name}_ending", self._doing.end)
        self._remind = durable.workflow(f"{self.name}_reminding", self._waiting.remind)
        self._away = durable.workflow(f"{self.name}_stopped", self.show)
        self._expire = durable.workflow(f"{self.name}_expiring", self._waiting.expire)
        self.asking.register(durable, self._do)
        self.fulfilling.register(durable, self._do)

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
        self.asking.begin(request, f"asked:{view}")

    def proven(self, request: str) -> None:
        """Its owner has proven that it's them."""
        self.asking.begin(request, f"proven:{self._office.now().isoformat()}")

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
            self.asking.see_to(request)

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
            if self.stopped(session, request_id):
                return None
            return f"That can't be stopped any more: it is {held(session, request_id).state}."

    def stopped(self, session: Session, request_id: str) -> bool:
        """Stop it if nothing is done yet; again is no more than once."""
        request, now = held(session, request_id), self._office.now()
        if request.state == "cancelled":
            return True
        if request.state not in WAITING:
            return False
        request.state, request.changed_at = "cancelled", now
        for approval in approvals_of(session, request_id):
            if approval.state == "waiting":
                approval.state, approval.decided_at = "closed", now
        if request.ticket:
            reason = "The employee cancelled it."
            lifecycle.cancel(session, request.ticket, actor=DESK, reason=reason, now=now)
        note(session, request, "cancel", "done", "asked", now)
        return True

    def put_away(self, request: str) -> None:
        """Show on all cards that it was stopped, once."""
        self._start(self._away, request, key=f"routine:{request}:put_away")

    # Deciding

    def _see_to_decision(self, approval: int, team: str, user: str, verdict: str, reason: str | None) -> None:
        said = self.step("decide", self._decided, approval, team, user, verdict, reason)
        request = self.step("request", self.request_of, approval)
        if said:
            self.tried("tell", self._tell_approver, user, said)
        elif verdict == "denied":
            self.say(request, "denied", f"It wasn't approved: {reason}")
        else:
            self.asking.see_to(request)
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
            open_ones = requests_in(session, "proving", "proven", "asked", "fulfilling", "approved", "done")
            found = [each for each in open_ones if each.workflow == self.name]
            waited_for = {
                each.id
                for each in found
                if any(approval.state == "waiting" for approval in approvals_of(session, each.id, each.stage))
            }
            tasks = {each.id: tasks_of(session, each.id) for each in found if each.state == "fulfilling"}
        for each in found:
            if each.state == "proving" and self.step_up.is_over(each):
                self.asking.take_back(each)
            elif each.state == "proven" and now - each.changed_at > LEFT_BEHIND:
                self.asking.begin(each.id, f"asked:again:{now:%Y%m%d%H%M}")
            elif each.state == "fulfilling":
                self.fulfilling.see_to(each, tasks[each.id], now)
            elif each.state == "approved":
                self._start(self._do, each.id, key=f"routine:{each.id}:doing")
            elif each.state == "asked" and each.id not in waited_for and now - each.changed_at > LEFT_BEHIND:
                self.asking.begin(each.id, f"asked:again:{now:%Y%m%d%H%M}")
            elif each.state == "done" and each.ends_at is not None and each.ends_at <= now:
                self._start(self._end, each.id, key=f"routine:{each.id}:ending")
