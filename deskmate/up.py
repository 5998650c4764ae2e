"""`deskmate up`: everything embedded; without Slack tokens, against a Slack workspace on this machine."""

import json
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from importlib import resources
from pathlib import Path

from pydantic import HttpUrl, SecretStr
from sqlalchemy import select

from bot.directory.demo import DemoDirectory
from bot.directory.records import PersonRecord
from bot.people import load_feed
from bot.routines.offers import OfferSettings
from bot.routines.records import add_codes
from bot.web import AddressTaken, listening
from deskmate.running import settled_memory, until_ended, wait_for_the_end
from deskmate.serving import connected, opened_doors, url_of, wants_http
from deskmate.settings import Settings, is_set
from deskmate.wiring import open_database, open_library, people_of
from ingest.ingestion import ingest
from ingest.progress import shown_on_terminal
from knowledge.library import Library
from knowledge.records import Article
from sandbox.server import Sandbox
from store import Database, utc_now

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
DEMO_TRIAGE = "C0TRIAGE"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def up(settings: Settings, *, port: int, once_port: int, say: Callable[[str], None]) -> None:
    """Run until told to end. Errors: those of all rooms, `PortInUse`, `BadStateFile`."""
    demo = not is_set(settings.slack.bot_token)
    over_http = False if demo else wants_http(settings, None)
    with until_ended(), ExitStack() as stack:
        settings.roof.prepare_home()
        now = utc_now
        if demo:
            sandbox = stack.enter_context(workspace(settings, port))
            listener = once_pages(once_port, other_if_taken="public_url" not in given(settings))
            settings = against(sandbox, settings, url_of(listener))
            ready = sandbox.page_url

            def now() -> datetime:
                return utc_now() + sandbox.workspace.advanced
        else:
            listener = once_pages(once_port, other_if_taken=False)
            ready = str(settings.bot.public_url).rstrip("/")
        doors = stack.enter_context(opened_doors(listener))
        database = stack.enter_context(open_database(settings, migrated=True))
        library = stack.enter_context(open_library(database, settings))
        load_samples(settings, database, library)
        stack.enter_context(connected(settings, database, library, doors, over_http=over_http, now=now))
        settled_memory()
        say(f"Ready: {ready}")
        wait_for_the_end()


@contextmanager
def workspace(settings: Settings, port: int) -> Iterator[Sandbox]:
    """The local workspace, with what was said in it before."""
    for name in PROXIES:
        for spelling in (name, name.lower()):
            os.environ.pop(spelling, None)  # nothing leaves this machine, but Slack's SDK would send all to the proxy
    sandbox = Sandbox(host=HOST, port=port, people=sample("people.json"), state=settings.roof.home / "sandbox.json")
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


def once_pages(port: int, *, other_if_taken: bool) -> socket.socket:
    """Where the one-time pages are served. Errors: `AddressTaken`."""
    try:
        return listening(HOST, port)
    except AddressTaken:
        if not other_if_taken:
            raise
        return listening(HOST, 0)


def given(settings: Settings) -> set[str]:
    """Which of the bot's settings somebody has chosen."""
    return settings.bot.model_fields_set


def against(sandbox: Sandbox, settings: Settings, public_url: str) -> Settings:
    """The same settings, but with the local workspace as Slack, and its mailbox as the mail server."""
    bot = {
        "triage_channel": settings.bot.triage_channel or DEMO_TRIAGE,
        "public_url": settings.bot.public_url if "public_url" in given(settings) else HttpUrl(public_url),
    }
    slack = {
        "bot_token": SecretStr(sandbox.bot_token),
        "app_token": SecretStr(sandbox.app_token),
        "signing_secret": SecretStr(sandbox.signing_secret),
        "api_url": HttpUrl(sandbox.api_url),
    }
    smtp = settings.notices.smtp_url if is_set(settings.notices.smtp_url) else SecretStr(sandbox.smtp_url)
    given_offers = settings.offers.offers is not None or settings.directory.directory != "demo"
    offers = settings.offers if given_offers else OfferSettings(offers=sample("offers.json"))
    return replace(
        settings,
        offers=offers,
        slack=settings.slack.model_copy(update=slack),
        bot=settings.bot.model_copy(update=bot),
        notices=settings.notices.model_copy(update={"smtp_url": smtp}),
    )


def load_samples(settings: Settings, database: Database, library: Library) -> None:
    """On the first start, the sample people and articles; taken up again if that start was broken off."""
    with database.reading() as session:
        nobody = session.scalar(select(PersonRecord.account).limit(1)) is None
        nothing = session.scalar(select(Article.id).limit(1)) is None
    if nobody and settings.directory.directory == "demo":
        people = people_of(database, settings, secret=settings.roof.secret())
        people.import_feed(load_feed(sample("people.json")))
        load_groups(settings, database)
        with database.transaction() as session:
            add_codes(session, "guest Wi-Fi", [f"pine-{secrets.token_hex(4)}" for _ in range(25)])
    unfinished = settings.roof.home / "samples.loading"
    if nothing or unfinished.exists():
        unfinished.touch()
        with shown_on_terminal() as progress:
            report = ingest([str(sample("articles"))], library=library, database=database, progress=progress)
        log.info("sample articles: %s", report)
        unfinished.unlink(missing_ok=True)


def load_groups(settings: Settings, database: Database) -> None:
    """The sample groups, into the demo directory."""
    demo = DemoDirectory(database, privileged_groups=settings.directory.privileged_groups)
    for group in json.loads(sample("groups.json").read_text(encoding="utf-8")):
        demo.take_group(group["name"], description=group["description"], owners=group["owners"])


def sample(name: str) -> Path:
    return Path(str(resources.files("deskmate"))) / "sample" / name
