"""What the desk listens to in Slack; each file registers its own listeners."""

from collections.abc import Callable
from typing import Any

from slack_bolt import App, BoltResponse

from bot.answer_clicks import AnswerClicks
from bot.assistant_pane import AssistantPane
from bot.commands import Commands
from bot.desk import Desk
from bot.home import Home
from bot.listeners import actions, assistant, commands, home, messages, people, views
from bot.ticket_clicks import TicketClicks
from bot.turns import Turns


def register(app: App, desk: Desk, turns: Turns) -> None:
    """Register all listeners, and the durable workflows that they start: so before the durable runtime is launched."""
    app.use(known_first(desk))
    answers, tickets = AnswerClicks(desk, turns), TicketClicks(desk)
    messages.register(app, desk, turns)
    assistant.register(app, AssistantPane(desk))
    people.register(app, desk)
    actions.register(app, answers, tickets)
    views.register(app, desk, answers, tickets)
    home.register(app, Home(desk))
    commands.register(app, Commands(desk))
    for workflow in desk.workflows:
        workflow.listen(app)


def known_first(desk: Desk) -> Callable[..., BoltResponse]:
    """Before a click is looked at: what was clicked on, which is on somebody's screen before it is in our records."""

    def wait(body: dict[str, Any], next_: Callable[[], BoltResponse]) -> BoltResponse:
        container = body.get("container") or {}
        if body.get("type") == "block_actions" and container.get("message_ts"):
            desk.slack.await_place(str(container.get("channel_id")), str(container["message_ts"]))
        return next_()

    return wait
