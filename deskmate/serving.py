"""`deskmate serve`: the bot alone, against Slack; and what it shares with `deskmate up`."""

import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from bot.web import Doors, listening, served, web_app
from deskmate.errors import RoofError
from deskmate.open_desk import OpenDesk, open_desk
from deskmate.running import over_the_socket, settled_memory, until_ended, wait_for_the_end
from deskmate.settings import Settings, is_set
from deskmate.wiring import open_database, open_library
from knowledge.library import Library
from store import Database, utc_now

log = logging.getLogger(__name__)

WHERE = "Where to get it: docs/slack-setup.md."


def serve(settings: Settings, *, http: bool | None, host: str, port: int, say: Callable[[str], None]) -> None:
    """Serve until told to end. `http`: None for what the tokens suggest. Errors: those of all rooms."""
    over_http = wants_http(settings, http)
    with until_ended(), ExitStack() as stack:
        listener = listening(host, port)
        doors = stack.enter_context(opened_doors(listener))
        database = stack.enter_context(open_database(settings, migrated=True))
        library = stack.enter_context(open_library(database, settings))
        stack.enter_context(connected(settings, database, library, doors, over_http=over_http))
        settled_memory()
        say(f"Ready: {url_of(listener)}")
        wait_for_the_end()


def wants_http(settings: Settings, http: bool | None) -> bool:
    """Whether Slack is to send its requests by HTTP. Errors: `RoofError` for a token that is missing then."""
    slack = settings.slack
    if not is_set(slack.bot_token):
        raise RoofError(f"SLACK_BOT_TOKEN (xoxb-...) isn't set. {WHERE} To try Deskmate without Slack: deskmate up.")
    over_http = http if http is not None else not is_set(slack.app_token)
    if over_http and not is_set(slack.signing_secret):
        missing = "SLACK_SIGNING_SECRET" if http else "SLACK_APP_TOKEN (for Socket Mode) or SLACK_SIGNING_SECRET"
        raise RoofError(f"{missing} isn't set. {WHERE}")
    if not over_http and not is_set(slack.app_token):
        raise RoofError(f"SLACK_APP_TOKEN (xapp-...) isn't set. {WHERE}")
    return over_http


@contextmanager
def connected(
    settings: Settings,
    database: Database,
    library: Library,
    doors: Doors,
    *,
    over_http: bool,
    now: Callable[[], datetime] = utc_now,
) -> Iterator[OpenDesk]:
    """The desk open, its pages served, and Slack's requests coming in: a message would be answered now."""
    with ExitStack() as stack:
        opened = stack.enter_context(open_desk(settings, database, library, now=now))
        if over_http:
            well, slack = always, opened.app
        else:
            token = settings.slack.app_token
            assert token is not None
            line = over_the_socket(opened.app, opened.client, token.get_secret_value())
            well, slack = stack.enter_context(line), None
        doors.app = web_app(workflows=opened.desk.workflows, well=well, slack=slack)
        try:
            yield opened
        finally:
            doors.app = None


def always() -> bool:
    return True


@contextmanager
def opened_doors(listener: socket.socket) -> Iterator[Doors]:
    """A web server that says that it isn't ready, until it is given an app."""
    doors = Doors()
    with served(doors, listener):
        yield doors


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
