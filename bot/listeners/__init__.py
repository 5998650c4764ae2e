"""What the desk listens to in Slack; each file registers its own listeners."""

from slack_bolt import App

from bot.desk import Desk
from bot.listeners import actions, assistant, commands, home, messages, people, views
from bot.turns import Turns


def register(app: App, desk: Desk, turns: Turns) -> None:
    messages.register(app, desk, turns)
    assistant.register(app, turns)
    people.register(app, desk)
    actions.register(app, desk)
    views.register(app, desk)
    home.register(app, desk)
    commands.register(app, desk)
    for workflow in desk.workflows:
        workflow.listen(app)
