"""The App Home, when somebody opens it."""

from typing import Any

from slack_bolt import App

from bot.home import Home


def register(app: App, home: Home) -> None:
    @app.event("app_home_opened")
    def opened(event: dict[str, Any], body: dict[str, Any]) -> None:
        if event.get("tab") == "home":
            home.receive(event["user"], event=body["event_id"])
