"""The App Home is opened."""

from typing import Any

from slack_bolt import App

from bot.home import Home


def register(app: App, home: Home) -> None:
    @app.event("app_home_opened")
    def opened(event: dict[str, Any], body: dict[str, Any]) -> None:
        """Record the look; Bolt acknowledges it to Slack once this returns."""
        if event.get("tab", "home") == "home":
            home.opened(event["user"], event_id=body["event_id"])
