"""What the desk listens to in Slack; each file registers its own listeners."""

from collections.abc import Callable

from slack_bolt import App

from bot.answer_clicks import AnswerClicks
from bot.commands import Commands
from bot.desk import Desk
from bot.home import Home
from bot.listeners import actions, assistant, commands, home, messages, people, views
from bot.ticket_clicks import TicketClicks
from bot.turns import Turns


def prepare(desk: Desk, turns: Turns) -> Callable[[App], None]:
    """Build what the listeners call, with their durable workflows (so before the launch); what it returns registers
    them all in an app."""
    answers, tickets = AnswerClicks(desk, turns), TicketClicks(desk)
    shown, commanded = Home(desk), Commands(desk, turns)

    def register(app: App) -> None:
        messages.register(app, desk, turns)
        assistant.register(app, turns)
        people.register(app, desk)
        actions.register(app, answers, tickets)
        views.register(app, desk, answers, tickets)
        home.register(app, shown)
        commands.register(app, commanded)
        for workflow in desk.workflows:
            workflow.listen(app)

    return register
