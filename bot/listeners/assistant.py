"""Slack's assistant pane: greeted when it opens; what is written there are messages like any other."""

from typing import Any

from slack_bolt import App

from bot.assistant_pane import AssistantPane
from bot.message import workspace_of


def register(app: App, pane: AssistantPane) -> None:
    @app.event("assistant_thread_started")
    def opened(event: dict[str, Any], body: dict[str, Any]) -> None:
        thread = event["assistant_thread"]
        pane.open(
            team=workspace_of(body), channel=thread["channel_id"], thread_ts=thread["thread_ts"], user=thread["user_id"]
        )

    @app.event("assistant_thread_context_changed")
    def looked_elsewhere() -> None:
        """Which channel the person looks at changes nothing for an answer."""
