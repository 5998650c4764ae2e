"""What the desk listens to in Slack; each file registers its own listeners."""

from slack_bolt import App

from bot.answer_clicks import AnswerClicks
from bot.commands import Commands
from bot.desk import Desk
from bot.home import Home
from bot.listeners import actions, assistant, commands, home, messages, people, views
from bot.ticket_clicks import TicketClicks
from bot.turns import Turns


def register(app: App, desk: Desk, turns: Turns) -> None:
    """Register all listeners, and the durable workflows that they start: so before the durable runtime is launched."""
    answers, tickets = AnswerClicks(desk, turns), TicketClicks(desk)
    messages.register(app, desk, turns)
    assistant.register(app, turns)
    people.register(app, desk)
    actions.register(app, answers, tickets)
    views.register(app, desk, answers, tickets)
    home.register(app, Home(desk))
    commands.register(app, Commands(desk))
    for workflow in desk.workflows:
        workflow.listen(app)
