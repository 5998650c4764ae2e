"""The Bolt app: how Slack's requests reach the listeners, and what becomes of an error in one."""

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from slack_bolt import App, BoltResponse
from slack_bolt.error import BoltError, BoltUnhandledRequestError
from slack_sdk import WebClient

from bot.errors import SlackUnavailable
from bot.settings import SlackSettings
from bot.slack_client import PatientClient

log = logging.getLogger(__name__)

TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105 (its name)
OAUTH = ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET")
TIMEOUT_SECONDS = 15


def web_client(settings: SlackSettings) -> WebClient:
    """A client for the Web API that the settings name."""
    token = settings.bot_token.get_secret_value() if settings.bot_token else None
    # The SDK joins the method's name to the base as it is.
    return PatientClient(token=token, base_url=str(settings.api_url).rstrip("/") + "/", timeout=TIMEOUT_SECONDS)


def bolt_app(settings: SlackSettings, client: WebClient) -> App:
    """An app without listeners; `bot.listeners.register` adds them.

    A listener runs before its request is acknowledged, on the thread that dispatches it. Errors: `SlackUnavailable`.
    """
    secret = settings.signing_secret.get_secret_value() if settings.signing_secret else ""
    try:
        with without_oauth():
            app = App(
                client=client,
                signing_secret=secret,
                name="deskmate",
                process_before_response=True,
                # Asked at the first message instead, a failure would be acknowledged and that message lost.
                token_verification_enabled=True,
                raise_error_for_unhandled_request=True,
            )
    except (BoltError, OSError) as error:
        raise SlackUnavailable("Slack doesn't confirm the bot's token.") from error
    app.error(answer_to_error)
    return app


def answer_to_error(error: Exception, body: dict[str, Any]) -> BoltResponse:
    """500, so that Slack delivers again; but 200 for what nobody listens to, which would come again for nothing."""
    if isinstance(error, BoltUnhandledRequestError):
        log.debug("nobody listens to %s", kind_of(body))
        return BoltResponse(status=200)
    failure = secrets.token_hex(4)
    log.error("A request of Slack (%s) failed (%s)", kind_of(body), failure, exc_info=error)
    return BoltResponse(status=500)


def kind_of(body: dict[str, Any]) -> str:
    """What a request is, without anything that a person wrote."""
    event = body.get("event") or {}
    return str(event.get("type") or body.get("type") or body.get("command") or "unknown")


@contextmanager
def without_oauth() -> Iterator[None]:
    """Bolt 1.30 turns to OAuth and drops the bot token, without a word, when these variables are set."""
    hidden = {name: os.environ.pop(name) for name in OAUTH if name in os.environ}
    if hidden:
        log.info("%s not used: the app has a bot token", " and ".join(hidden))
    if TOKEN in os.environ:
        hidden[TOKEN] = os.environ.pop(TOKEN)  # the client has it; Bolt would warn that it has two
    try:
        yield
    finally:
        os.environ.update(hidden)
