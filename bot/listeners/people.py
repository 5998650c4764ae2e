"""Changes of people's Slack profiles, which may end what their account is trusted with."""

from typing import Any

from slack_bolt import App

from bot.desk import Desk
from bot.message import workspace_of
from bot.workspace import SlackUser


def register(app: App, desk: Desk) -> None:
    @app.event("user_change")
    def changed(event: dict[str, Any], body: dict[str, Any]) -> None:
        user = SlackUser.from_slack(event["user"])
        desk.slack.workspace.forget(user.id)
        desk.people.slack_user_changed(workspace_of(body), user.id)
