"""Buttons: recorded or, where Slack's trigger is needed, answered with a form; then acknowledged."""

import re
from typing import Any

from slack_bolt import Ack, App

from bot.answer_clicks import AnswerClicks
from bot.blocks.outcomes import ANSWER_FEEDBACK, ANSWER_HUMAN, ANSWER_MORE, ANSWER_TICKET, CLARIFY_OPTION
from bot.blocks.triage import RATE, STILL_BROKEN, TRIAGE_CLAIM, TRIAGE_DETAILS, TRIAGE_RESOLVE
from bot.clicks import Click
from bot.ticket_clicks import TicketClicks


def register(app: App, answers: AnswerClicks, tickets: TicketClicks) -> None:
    def on_answer(ack: Ack, body: dict[str, Any]) -> None:
        answers.receive(Click.from_slack(body))
        ack()

    def on_feedback(ack: Ack, body: dict[str, Any]) -> None:
        click = Click.from_slack(body)
        answers.receive(click)
        if click.value == "negative":
            answers.ask_what_was_wrong(click)
        ack()

    def on_ticket(ack: Ack, body: dict[str, Any]) -> None:
        tickets.receive(Click.from_slack(body))
        ack()

    def on_resolve(ack: Ack, body: dict[str, Any]) -> None:
        tickets.open_resolve_form(Click.from_slack(body))
        ack()

    def on_details(ack: Ack, body: dict[str, Any]) -> None:
        tickets.show_details(Click.from_slack(body))
        ack()

    for action in (ANSWER_MORE, ANSWER_HUMAN, ANSWER_TICKET):
        app.action(action)(on_answer)
    app.action(re.compile(rf"^(?:{CLARIFY_OPTION}|{ANSWER_MORE})_\d+$"))(on_answer)
    app.action(ANSWER_FEEDBACK)(on_feedback)
    app.action(TRIAGE_CLAIM)(on_ticket)
    app.action(re.compile(rf"^{RATE}_\d$"))(on_ticket)
    app.action(STILL_BROKEN)(on_ticket)
    app.action(TRIAGE_RESOLVE)(on_resolve)
    app.action(TRIAGE_DETAILS)(on_details)
