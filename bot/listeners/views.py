"""Forms that were sent: checked and recorded, then acknowledged."""

from typing import Any

from slack_bolt import Ack, App

from bot.answer_clicks import AnswerClicks
from bot.blocks.feedback import FEEDBACK_FORM, FeedbackForm
from bot.blocks.triage import RESOLUTION, RESOLVE_FORM
from bot.clicks import FORM_GONE, submitted
from bot.desk import Desk
from bot.ticket_clicks import TicketClicks


def register(app: App, desk: Desk, answers: AnswerClicks, tickets: TicketClicks) -> None:
    def about(body: dict[str, Any], purpose: str) -> str | None:
        with desk.database.reading() as session:
            return submitted(session, body["view"]["id"], purpose=purpose, user=body["user"]["id"])

    @app.view(RESOLVE_FORM)
    def resolve(ack: Ack, body: dict[str, Any]) -> None:
        view, agent = body["view"], body["user"]["id"]
        resolution = (view["state"]["values"].get(RESOLUTION, {}).get("value", {}).get("value") or "").strip()
        ticket = about(body, "resolve")
        if not resolution:
            problem: str | None = "Say in a sentence what was done; the employee gets to read it."
        elif ticket is None:
            problem = FORM_GONE
        else:
            problem = tickets.resolve(view=view["id"], ticket=ticket, agent=agent, resolution=resolution)
        if problem is None:
            ack()
        else:
            ack(response_action="errors", errors={RESOLUTION: problem})

    @app.view(FEEDBACK_FORM)
    def feedback(ack: Ack, body: dict[str, Any]) -> None:
        view, user = body["view"], body["user"]["id"]
        turn = about(body, "feedback")
        if turn is not None:
            form = FeedbackForm.from_state(view["state"]["values"])
            answers.take_form(view=view["id"], turn_key=turn, user=user, form=form)
        ack()
