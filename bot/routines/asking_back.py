"""An approver asks back before they decide, and the employee answers: each in their own direct messages."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from bot.clicks import Click, keep_view, opened_form, opened_view
from bot.routines.cards import QUESTION, Actions, talk_form
from bot.routines.carrying_out import note
from bot.routines.course import NOT_YOURS, Course
from bot.routines.forms import OLD_FORM, filled_in
from bot.routines.office import Office, Part
from bot.routines.records import Approval, RoutineRequest, held, of_card
from bot.routines.routine import Routine
from store.durable import Durable

if TYPE_CHECKING:
    from slack_bolt import Ack, App

MOST_TALK = 20
"""Questions and answers together: the card shows them all, and Slack takes 50 blocks."""
DECIDED = "This was decided meanwhile, so nothing was sent."


class AskingBack(Part):
    def __init__(self, routine: Routine[Any], office: Office, course: Course) -> None:
        super().__init__(routine, office)
        self._actions = Actions(routine.name)
        self._course = course

    def register(self, durable: Durable) -> None:
        self.durable = durable
        self._telling = durable.workflow(f"{self.name}_talking", self._tell)

    def listen(self, app: "App") -> None:
        def ask(ack: "Ack", body: dict[str, Any]) -> None:
            self._open(Click.from_slack(body), self._actions.question_form)
            ack()

        def answer(ack: "Ack", body: dict[str, Any]) -> None:
            self._open(Click.from_slack(body), self._actions.answer_form)
            ack()

        def sent(ack: "Ack", body: dict[str, Any]) -> None:
            view, values = body["view"], filled_in(body["view"]["state"]["values"])
            flaws = self.take(view["id"], body["user"]["id"], view["callback_id"], values)
            ack(response_action="errors", errors=flaws) if flaws else ack()

        app.action(self._actions.ask)(ask)
        app.action(self._actions.answer)(answer)
        app.view(self._actions.question_form)(sent)
        app.view(self._actions.answer_form)(sent)

    def _open(self, click: Click, form: str) -> None:
        found = self._course.asked_of(click) if form == self._actions.question_form else self._asked_about(click)
        if found is None:
            self._course.whisper(click, NOT_YOURS)
            return
        approval, request = found
        view = opened_view(self._office.slack, click, talk_form(self.routine, form, request, approval))
        if view is not None:
            with self._office.database.transaction() as session:
                now = self._office.now()
                keep_view(session, view, purpose=form, ref=str(approval.id), user=click.user, now=now)

    def _asked_about(self, click: Click) -> tuple[Approval, RoutineRequest] | None:
        """What a question is about, if it was put to whoever clicks."""
        with self._office.database.reading() as session:
            ref = of_card(session, click.channel, click.message_ts, QUESTION)
            approval = session.get(Approval, int(ref)) if ref else None
            request = session.get(RoutineRequest, approval.request) if approval else None
            return (approval, request) if approval and request and request.slack_user == click.user else None

    def take(self, view: str, user: str, form: str, values: Mapping[str, Any]) -> dict[str, str]:
        """Keep a question or an answer that was sent; what is wrong with it, by field."""
        text = values.get("text")
        if not text:
            return {"text": "Write at least a word."}
        with self._office.database.transaction() as session:
            kept = opened_form(session, view, form, user)
            approval = session.get(Approval, int(kept.ref)) if kept else None
            if approval is None:
                return {"text": OLD_FORM}
            request = held(session, approval.request)
            session.refresh(approval)
            if (approval.state, request.state) != ("waiting", "asked"):
                return {"text": DECIDED}
            asks = form == self._actions.question_form
            if any(each["view"] == view for each in approval.talk):
                return {}  # the same form once more
            if len(approval.talk) >= MOST_TALK:
                return {"text": "That is enough to and fro for a card: talk to each other, and then it is decided."}
            approval.talk = [*approval.talk, {"view": view, "asks": asks, "text": text}]
            self._noted(session, request, user, "ask_back" if asks else "answer")
            number = len(approval.talk) - 1
        self.durable.start(self._telling, approval.id, number, key=f"approval:{approval.id}:talk:{number}")
        return {}

    def _noted(self, session: Session, request: RoutineRequest, user: str, event: str) -> None:
        actor = f"{request.team}:{user}"
        note(session, request, event, "allowed", "more_wanted", self._office.now(), actor)

    def _tell(self, approval: int, number: int) -> None:
        """The other one, of what was asked or answered."""
        self.tried("tell", self._office.news.pass_on, self.routine, approval, number)
        self.tried("card", self._office.news.show_approval, self.routine, approval)
