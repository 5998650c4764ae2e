"""Slack's Web API, where what passes (limits, faults of Slack's own) is told apart from what is our mistake."""

from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from sqlalchemy.exc import OperationalError

from bot.errors import SlackUnavailable

TRANSIENT: tuple[type[Exception], ...] = (OSError, HTTPException, OperationalError, SlackUnavailable)
"""What a durable step that talks to Slack tries again."""
UNREACHABLE: tuple[type[Exception], ...] = (OSError, HTTPException, SlackUnavailable, ValueError)
"""What a single call raises when Slack, or a proxy before it, doesn't answer as it should."""
SLACK_FAULTS = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)


LIMITED = ("ratelimited", "rate_limited")
NOT_JSON = "Received a response in a non-JSON format"
"""How the SDK words an empty answer, or a page of a proxy."""


class PatientClient(WebClient):
    """Slack's Web API, where what passes (limits, faults of Slack's own) is told apart from what is our mistake.

    Errors: `SlackUnavailable` once the retries are used up; `SlackApiError` for a call that will fail again.
    """

    def api_call(self, api_method: str, **arguments: Any) -> SlackResponse:
        try:
            return super().api_call(api_method, **arguments)
        except SlackApiError as error:
            if passes(error):
                raise SlackUnavailable(f"Slack doesn't answer to {api_method}; it will be tried again.") from error
            raise


def passes(error: SlackApiError) -> bool:
    """Whether the same call may succeed later."""
    status, code = error.response.status_code, str(error.response.get("error"))
    return bool(is_limited(error) or status >= 500 or code in SLACK_FAULTS or code.startswith(NOT_JSON))


def is_limited(error: SlackApiError) -> bool:
    """Whether Slack asks for a slower pace; in words, or by the status alone."""
    return error.response.status_code == 429 or error.response.get("error") in LIMITED


def wait_asked(error: SlackApiError) -> float:
    """Seconds; one where Slack, or a proxy, doesn't say how many."""
    try:
        return float(error.response.headers.get("Retry-After") or 1)
    except ValueError:
        return 1.0
