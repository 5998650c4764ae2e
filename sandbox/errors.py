"""What the sandbox refuses, and in which words."""

from collections.abc import Sequence
from typing import Any


class ApiError(Exception):
    """A Web API call that Slack would answer with `{"ok": false, "error": code}`."""

    def __init__(self, code: str, messages: Sequence[str] = (), **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.messages = list(messages)
        self.extra = extra

    def to_slack(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            answer["errors"] = [message.removeprefix("[ERROR] ") for message in self.messages]
            answer["response_metadata"] = {"messages": self.messages}
        return answer


class NoSuchThing(LookupError):
    """A person did something to a user, channel, message, view or element that isn't there."""


class PortInUse(OSError):
    """The address is taken by another program."""

    def __init__(self, host: str, port: int, purpose: str) -> None:
        super().__init__(f"Port {port} on {host} is taken by another program; choose another port for the {purpose}.")


class BadStateFile(ValueError):
    """The state or people file can't be read."""
