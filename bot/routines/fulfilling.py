"""What people do for an approved request: ticked off one by one in the triage channel, or refused with a reason."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from bot.clicks import Click, keep_view, opened_form, opened_view
from bot.message import escape
from bot.people import Employee
from bot.routines.approval_rules import independent
from bot.routines.asking import LATER
from bot.routines.cards import Actions
from bot.routines.carrying_out import note
from bot.routines.forms import OLD_FORM, filled_in
from bot.routines.office import Office, Part
from bot.routines.records import RequestTask, RoutineRequest, approvals_of, held, of_card, tasks_of
from bot.routines.routine import Routine
from bot.routines.task_cards import TASKS_CARD, refusal_form
from store.durable import Durable, StepFailed
from tickets import lifecycle, worklog

if TYPE_CHECKING:
    from slack_bolt import Ack, App

REMIND_EVERY = timedelta(days=2)
NOT_AN_AGENT = "Only the desk's agents do this."
YOUR_OWN = "You asked for this yourself, so somebody else has to do it."
ANOTHER = "Each of these has to be done by another person, who neither asked for it nor approved it."


class Fulfilling(Part):
    """Of one routine. Whatever decides about a request holds its row; what was decided first counts."""

    def __init__(self, routine: Routine[Any], office: Office) -> None:
        super().__init__(routine, office)
        self._actions = Actions(routine.name)

    def register(self, durable: Durable, do: Callable[..., None]) -> None:
        """`do`: the durable workflow that does what is left for the desk."""
        self.durable, self._do = durable, do
        self._ticking = durable.workflow(f"{self.name}_ticking", self._see_to_tick)
        self._refusing = durable.workflow(f"{self.name}_refusing", self._see_to_refusal)
        self._going_on = durable.workflow(f"{self.name}_rested", self._go_on)
        self._reminding = durable.workflow(f"{self.name}_waiting", self._remind)

    def listen(self, app: "App") -> None:
        def ticked(ack: "Ack", body: dict[str, Any]) -> None:
            click = Click.from_slack(body)
            self.durable.start(self._ticking, click.as_json(), key=f"{self.name}:{click.key}")
            ack()

        def refuse(ack: "Ack", body: dict[str, Any]) -> None:
            self._open(Click.from_slack(body))
            ack()

        def refused(ack: "Ack", body: dict[str, Any]) -> None:
            view = body["view"]
            flaws = self.take_refusal(view["id"], body["user"]["id"], filled_in(view["state"]["values"]))
            ack(response_action="errors", errors=flaws) if flaws else ack()

        app.action(self._actions.refuse)(refuse)
        app.action(re.compile(rf"{self._actions.tick}_\d+"))(ticked)
        app.view(self._actions.refusal_form)(refused)

    # A task is done

    def _see_to_tick(self, kept: dict[str, Any]) -> None:
        request = self.step("find", self._request_at, kept)
        try:
            said = self.step("tick", self.ticked, request, kept) if request else OLD_FORM
        except StepFailed:
            said = LATER
        if said:
            self.tried("whisper", self._whisper, kept, said)
        if request:
            self._go_on(request)

    def _request_at(self, kept: dict[str, Any]) -> str | None:
        click = Click(**kept)
        with self._office.database.reading() as session:
            ref = of_card(session, click.channel, click.message_ts, TASKS_CARD)
            request = session.get(RoutineRequest, ref) if ref else None
            return request.id if request is not None and request.workflow == self.name else None

    def ticked(self, request_id: str, kept: dict[str, Any]) -> str | None:
        """Mark a task as done by whoever clicked; why that doesn't count, or None."""
        click = Click(**kept)
        request = self.read(request_id)
        if refusal := self._not_theirs(request, click.user):
            return refusal
        who = self._office.people.identify(team=click.team, user=click.user, max_age=0)
        independent_of_subject = self._is_independent(request, who)
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state != "fulfilling":
                return f"There is nothing to do any more: it is {request.state}."
            task = session.get(RequestTask, (request_id, click.number))
            if task is None:
                return OLD_FORM
            if task.done_by is not None:
                return None if task.done_by == click.user else "Somebody has done this already."
            if task.proof:
                if who.refusal is not None:
                    return who.refusal
                if not independent_of_subject or self._took_part(session, request, who):
                    return ANOTHER
                task.done_account = (who.account or "").casefold()
            self._tick_off(session, request, task, click)
        return None

    def _tick_off(self, session: Session, request: RoutineRequest, task: RequestTask, click: Click) -> None:
        now = self._office.now()
        task.done_by, task.done_at = click.user, now
        actor = f"{request.team}:{click.user}"
        note(session, request, f"task_{task.number}", "done", "proof" if task.proof else "task", now, actor)
        if request.ticket:
            lifecycle.start(session, request.ticket, agent=click.user, now=now)
            key = f"routine:{request.id}:task:{task.number}"
            worklog.note(session, request.ticket, author=click.user, text=f"Done: {task.text}", now=now, key=key)

    def _not_theirs(self, request: RoutineRequest, user: str) -> str | None:
        if not self._office.triage.is_agent(user):
            return NOT_AN_AGENT
        return YOUR_OWN if user == request.slack_user else None

    def _is_independent(self, request: RoutineRequest, who: Employee) -> bool:
        """Errors: those of `Directory`."""
        directory = self._office.carrying.directory
        subject, person = directory.get(request.directory_id or ""), directory.get(who.directory_id or "")
        if subject is None or person is None:
            return False
        with self._office.database.reading() as session:
            return bool(independent(session, subject, [person]))

    @staticmethod
    def _took_part(session: Session, request: RoutineRequest, who: Employee) -> bool:
        """Whether they, by any sign, have approved it or given another proof."""
        approvals = [each for each in approvals_of(session, request.id) if each.state == "approved"]
        proofs = [task for task in tasks_of(session, request.id) if task.proof and task.done_by]
        users = {each.slack_user for each in approvals} | {task.done_by for task in proofs}
        accounts = {each.account for each in approvals} | {task.done_account for task in proofs}
        return who.user in users or (who.account or "").casefold() in accounts

    # All are done

    def _go_on(self, request: str) -> None:
        """Have the desk do its part, once all tasks are done and the time of waiting is over."""
        if self.step("through", self._through, request):
            self.durable.start(self._do, request, key=f"routine:{request}:doing")
        self.show(request)

    def _through(self, request_id: str) -> bool:
        now = self._office.now()
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state != "fulfilling" or not self.may_go_on(tasks_of(session, request_id), now):
                return False
            request.state, request.changed_at = "approved", now
            note(session, request, "tasks", "done", "all", now)
        return True

    def may_go_on(self, tasks: Sequence[RequestTask], now: datetime) -> bool:
        return all(task.done_by is not None and now >= task.given_at + self.routine.rest for task in tasks)

    # It can't be done

    def _open(self, click: Click) -> None:
        request_id = self._request_at(click.as_json())
        request = self.read(request_id) if request_id else None
        if request is None or request.state != "fulfilling":
            self._whisper(click.as_json(), OLD_FORM)
        elif refusal := self._not_theirs(request, click.user):
            self._whisper(click.as_json(), refusal)
        elif view := opened_view(self._office.slack, click, refusal_form(self.routine, request)):
            with self._office.database.transaction() as session:
                form, now = self._actions.refusal_form, self._office.now()
                keep_view(session, view, purpose=form, ref=request.id, user=click.user, now=now)

    def take_refusal(self, view: str, user: str, values: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with a reason that was sent, by field."""
        reason = values.get("reason")
        if not reason:
            return {"reason": "Say in a sentence why not; the employee gets to read it."}
        with self._office.database.reading() as session:
            kept = opened_form(session, view, self._actions.refusal_form, user)
            request = session.get(RoutineRequest, kept.ref) if kept else None
        if request is None:
            return {"reason": OLD_FORM}
        if refusal := self._not_theirs(request, user):
            return {"reason": refusal}
        self.durable.start(self._refusing, request.id, user, reason, key=f"routine:{request.id}:refused:{view}")
        return {}

    def _see_to_refusal(self, request: str, user: str, reason: str) -> None:
        if self.step("refuse", self._refused, request, user, reason):
            self.step("ticket", self.cancel_ticket, request, reason)
            self.say(request, "failed", f"It can't be done: {reason}")
        self.show(request)

    def _refused(self, request_id: str, user: str, reason: str) -> bool:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state != "fulfilling":
                return request.state == "unfulfilled"
            request.state, request.refusal, request.changed_at = "unfulfilled", reason, self._office.now()
            note(session, request, "tasks", "denied", "refused", request.changed_at, f"{request.team}:{user}")
        return True

    # As time goes by

    def see_to(self, request: RoutineRequest, tasks: Sequence[RequestTask], now: datetime) -> None:
        """What is due of a request whose people are at work."""
        if self.may_go_on(tasks, now):
            self.durable.start(self._going_on, request.id, key=f"routine:{request.id}:rested")
            return
        open_ones = [task for task in tasks if task.done_by is None]
        times = (now - request.changed_at) // REMIND_EVERY
        overdue = any(task.due is not None and task.due <= now.date() for task in open_ones)
        if open_ones and (times or overdue):
            key = f"{times}{':due' if overdue else ''}"
            self.durable.start(self._reminding, request.id, key, key=f"routine:{request.id}:tasks:{key}")

    def _remind(self, request: str, key: str) -> None:
        self.tried("remind", self._office.news.remind_of_tasks, request, key)

    def _whisper(self, kept: dict[str, Any], text: str) -> None:
        click = Click(**kept)
        self._office.slack.whisper(channel=click.channel, user=click.user, text=escape(text), thread_ts=click.thread_ts)
