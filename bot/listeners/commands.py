"""The slash command."""

from typing import Any

from slack_bolt import Ack, App

from bot.commands import Commands


def register(app: App, commands: Commands) -> None:
    @app.command("/desk")
    def desk(ack: Ack, command: dict[str, Any]) -> None:
        text = commands.answer(
            team=command["team_id"],
            user=command["user_id"],
            text=command.get("text") or "",
            trigger=command["trigger_id"],
        )
        ack(text=text, response_type="ephemeral")
