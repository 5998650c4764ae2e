"""A declared routine request as the desk meets it: started by a message, filled in, confirmed, approved or denied."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.routing import BaseRoute

from bot.clicks import Click, keep_view, opened_form, opened_view
from bot.directory.directory import DirectoryUnavailable
from bot.message import plain
from bot.once.page import OncePages
from bot.outcomes import Declined, InProgress
from bot.people import Employee
from bot.records import Conversation, Turn
from bot.routines.asking_back import AskingBack
from bot.routines.cards import Actions, denial_form, whole
from bot.routines.carrying_out import note
from bot.routines.correcting import values_of
from bot.routines.course import NOT_YOURS, Course
from bot.routines.forms import OLD_FORM, filled_in, form, wish_of
from bot.routines.not_me import deed_of
from bot.routines.office import Office
from bot.routines.records import (
    Approval,
    RoutineRequest,
    held,
    newest_waiting,
    request_of_key,
    unheard_repudiations,
)
from bot.routines.routine import CannotBeDone, Routine
from bot.routines.switches import OFF
from bot.workflows.repudiation import Repudiation
from bot.workflows.stoppable import Stoppable
from store.durable import Durable

if TYPE_CHECKING:
    from slack_bolt import Ack, App


NOT_HERE = "I can't do that from here. Ask me in a direct message, and I'll tell you why."


class Carrying:
    """Satisfies `Workflow` for one routine."""

    def __init__(self, routine: Routine[Any], office: Office) -> None:
        self.routine = routine
        self._office = office
        self._actions = Actions(routine.name)
        self._course = Course(routine, office)
        self._asking_back = AskingBack(routine, office, self._course)
        self._repudiation = Repudiation(
            deed=deed_of(routine, office.carrying, self._course.stopped),
            database=office.database,
            directory=office.carrying.directory,
            people=office.people,
            links=office.assurance.links,
            alert=office.assurance.alert,
            show_card=office.triage.announce,
            begin=self._start_repudiation,
            now=office.now,
        )

    @property
    def name(self) -> str:
        return self.routine.name

    @property
    def title(self) -> str:
        return self.routine.title

    @property
    def examples(self) -> tuple[str, ...]:
        return self.routine.examples

    # In the turn

    def check(self, employee: Employee) -> str | None:
        if employee.refusal is not None:
            return employee.refusal
        if employee.account is None or employee.directory_id is None:
            return "Your Slack account isn't linked with a directory account. Ask me for a human."
        if self._course.step_up.guarded:
            return self._course.step_up.refuse(employee)
        if self._office.carrying.switches.off(self.name, self._office.carrying.directory_name):
            return OFF
        return None

    def start(
        self,
        session: Session,
        *,
        key: str,
        employee: Employee,
        conversation: Conversation,
        refusal: str | None,
        given: Mapping[str, str],
        now: datetime,
    ) -> InProgress | Declined:
        request = request_of_key(session, key)
        if request is None:
            turn = session.scalar(select(Turn).where(Turn.key == key))
            request = RoutineRequest(
                id=secrets.token_hex(16),
                key=key,
                workflow=self.name,
                team=employee.team,
                slack_user=employee.user,
                account=employee.account,
                directory_id=employee.directory_id,
                name=employee.name,
                conversation_id=conversation.id,
                channel=conversation.channel,
                thread_ts=conversation.thread_ts,
                state="refused" if refusal is not None else "drafted",
                wish={**given, **(self._said(turn, now) if turn is not None else {})},
                refusal=refusal,
                stage=0,
                created_at=now,
                changed_at=now,
            )
            session.add(request)
            session.flush()
            note(
                session,
                request,
                "request",
                "denied" if refusal else "allowed",
                "refused" if refusal else "eligible",
                now,
            )
        if request.refusal is not None:
            # Why somebody is refused isn't for a channel to read.
            return Declined(NOT_HERE if conversation.surface == "channel" else request.refusal)
        below = "Go on with the card below." if conversation.surface in ("im", "assistant") else "I've sent you a card."
        return InProgress(workflow=self.name, text=f"I can do that for you. {below}", request=request.id)

    def _said(self, turn: Turn, now: datetime) -> dict[str, str]:
        """What the message says already of what is asked for."""
        return values_of(plain(turn.text), self.routine, self._office.carrying.offers, now)

    def stoppable(self, session: Session, *, team: str, user: str) -> Stoppable | None:
        request = newest_waiting(session, self.name, team, user)
        if request is None:
            return None
        wish = whole(self.routine, request)
        title = self.routine.asks(wish) if wish is not None else self.title
        return Stoppable(self.name, request.id, title, request.created_at)

    def stop(self, session: Session, request: str, *, now: datetime) -> bool:
        return self._course.stopped(session, request)

    def put_away(self, request: str) -> None:
        self._course.put_away(request)

    def announce(self, request: str) -> None:
        self._office.news.show_card(self.routine, request, self._course.step_up.url(request))

    def routes(self) -> list[BaseRoute]:
        pages, step_up, not_me = OncePages(), self._course.step_up, self._repudiation
        repudiated = pages.route(not_me.deed.purpose, show=not_me.show, submit=not_me.submit)
        if not step_up.needed:
            return [repudiated]
        return [pages.route(step_up.purpose, show=step_up.show, submit=step_up.submit), repudiated]

    def durable(self, durable: Durable) -> None:
        def repudiated(request: str) -> None:
            self._repudiation.run(durable, request)

        self._durable = durable
        self._repudiated = durable.workflow(f"{self.name}_repudiated", repudiated)
        self._course.register(durable)
        self._asking_back.register(durable)

    def tick(self) -> None:
        """See to what is due."""
        self._course.tick()

    def resume(self) -> None:
        """See to each “not me” whose process died before anybody was told; what else is due, `tick` finds."""
        with self._office.database.reading() as session:
            found = unheard_repudiations(session, self.name)
        for request in found:
            self._start_repudiation(request)

    def _start_repudiation(self, request: str) -> None:
        self._durable.start(self._repudiated, request, key=f"{self.name}:{request}:notme")

    # Within Slack's three seconds

    def listen(self, app: "App") -> None:
        actions = self._actions

        def clicked(ack: "Ack", body: dict[str, Any]) -> None:
            click = Click.from_slack(body)
            self._course.clicked(click)
            ack()

        def fill_in(ack: "Ack", body: dict[str, Any]) -> None:
            self.open_form(Click.from_slack(body))
            ack()

        def deny(ack: "Ack", body: dict[str, Any]) -> None:
            self.open_denial(Click.from_slack(body))
            ack()

        def sent(ack: "Ack", body: dict[str, Any]) -> None:
            flaws = self.take_form(body["view"]["id"], body["user"]["id"], filled_in(body["view"]["state"]["values"]))
            ack(response_action="errors", errors=flaws) if flaws else ack()

        def denied(ack: "Ack", body: dict[str, Any]) -> None:
            flaws = self.take_denial(body["view"]["id"], body["user"]["id"], filled_in(body["view"]["state"]["values"]))
            ack(response_action="errors", errors=flaws) if flaws else ack()

        for action in (actions.confirm, actions.cancel, actions.approve):
            app.action(action)(clicked)

        def page_opened(ack: "Ack") -> None:
            ack()

        app.action(actions.prove)(page_opened)
        app.action(actions.fill_in)(fill_in)
        app.action(actions.deny)(deny)
        app.view(actions.form)(sent)
        app.view(actions.denial_form)(denied)
        self._asking_back.listen(app)
        self._course.fulfilling.listen(app)

    def open_form(self, click: Click) -> None:
        request = self._course.own(click)
        if request is None or request.state != "drafted":
            self._course.whisper(click, NOT_YOURS)
            return
        names = self._office.carrying.offers.names
        view = form(self._actions.form, self.title, self.routine.Wish, request.wish, names)
        self._keep_view(click, view, self._actions.form, request.id)

    def open_denial(self, click: Click) -> None:
        found = self._course.asked_of(click)
        if found is None:
            self._course.whisper(click, NOT_YOURS)
            return
        approval, request = found
        self._keep_view(click, denial_form(self.routine, request), self._actions.denial_form, str(approval.id))

    def take_form(self, view: str, user: str, values: Mapping[str, Any]) -> dict[str, str]:
        """What is wrong with a form that was sent, by field; nothing, and it is asked for."""
        office, first = self._office, next(iter(self.routine.Wish.model_fields))
        with office.database.reading() as session:
            kept = opened_form(session, view, self._actions.form, user)
            request = session.get(RoutineRequest, kept.ref) if kept else None
        if request is None or request.workflow != self.name:
            return {first: OLD_FORM}
        wish = wish_of(self.routine.Wish, values)
        if not isinstance(wish, BaseModel):
            return wish
        try:
            if flaws := self.routine.flaws(wish, office.carrying.errand(request)):
                return flaws
        except (DirectoryUnavailable, CannotBeDone) as error:
            return {first: str(error)}
        with office.database.transaction() as session:
            request = held(session, request.id)
            if request.state != "drafted":
                return {first: OLD_FORM}
            request.wish = wish.model_dump(mode="json", exclude_none=True)
            request.changed_at = office.now()
        self._course.filled_in(request.id, view)
        return {}

    def take_denial(self, view: str, user: str, values: Mapping[str, Any]) -> dict[str, str]:
        reason = values.get("reason")
        if not reason:
            return {"reason": "Say in a sentence why not; the employee gets to read it."}
        with self._office.database.reading() as session:
            kept = opened_form(session, view, self._actions.denial_form, user)
            approval = session.get(Approval, int(kept.ref)) if kept else None
        if approval is None:
            return {"reason": OLD_FORM}
        self._course.denied(approval, user, reason, view)
        return {}

    def _keep_view(self, click: Click, view: Any, form: str, ref: str) -> None:
        opened = opened_view(self._office.slack, click, view)
        if opened is None:
            return
        with self._office.database.transaction() as session:
            keep_view(session, opened, purpose=form, ref=ref, user=click.user, now=self._office.now())
