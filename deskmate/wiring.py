"""Everything put together: the one place that knows every room."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from bot.conversation import Knows
from bot.directory.register import directory
from bot.people import People
from bot.proposing import Proposer
from bot.routines.offers import STANDS_FOR, Offers
from bot.routing import Router
from bot.workflows.register import ROUTINES, proposable
from deskmate.errors import RoofError
from deskmate.examples import KeptExamples
from deskmate.settings import Settings
from knowledge.grounded import Grounded
from knowledge.library import Library
from knowledge.llm import LanguageModel
from store import Database, utc_now
from store.migrating import DatabaseUnreachable, SchemaOutdated, migrate, require_current

log = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
"""Seconds after a failure; what failed may be what mends it."""
REFRESH_SECONDS = 1.0
"""How soon the index follows what another process has ingested."""
TICK_SECONDS = 20.0
"""Between looks at what is due: ends of what was for a time, reminders."""
RESUME_SECONDS = 300.0
"""How often turns that were left unfinished are looked for."""
FORGET_SECONDS = 86_400.0
"""How often traces of turns that are too old are deleted, beside the start."""


class NoDatabase(SchemaOutdated):
    """Nothing was ever started with this home."""


@contextmanager
def open_database(settings: Settings, *, migrated: bool = False) -> Iterator[Database]:
    """The database at the current schema: brought there if `migrated`, otherwise only looked at.

    Errors: those of `store.migrating`, `RoofError`.
    """
    if migrated:
        settings.roof.prepare_home()
    else:
        refuse_without_file(settings)
    try:
        database = Database.at(settings.roof.database())
    except (SQLAlchemyError, ImportError) as error:
        raise RoofError(
            "DESKMATE_DATABASE_URL isn't right: it should look like postgresql://user@host/name."
        ) from error
    try:
        if migrated:
            with migrating(settings):
                migrate(database)
        else:
            require_current(database)
        yield database
    except OperationalError as error:
        raise DatabaseUnreachable(f"The database failed: {first_line(error)}.") from error
    finally:
        database.close()


def refuse_without_file(settings: Settings) -> None:
    """SQLite makes a file of whatever it is pointed to; a question alone shouldn't."""
    url = settings.roof.database()
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise NoDatabase(
            f"There is no database in {settings.roof.home} yet. Run `deskmate up` or `deskmate migrate` first."
        )


@contextmanager
def migrating(settings: Settings) -> Iterator[None]:
    """One process of this home at a time: two that start at once would both make the tables."""
    from filelock import FileLock

    with FileLock(settings.roof.prepare_home() / "migrate.lock"):
        yield


def first_line(error: SQLAlchemyError) -> str:
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or ["unknown"])[0].rstrip(".")


@contextmanager
def open_library(database: Database, settings: Settings, *, brief: bool = False) -> Iterator[Library]:
    """Errors: `KnowledgeError`."""
    with Library(database, settings.knowledge, brief=brief) as library:
        yield library


def grounded(database: Database, settings: Settings) -> Grounded | None:
    """What words answers anew, if a language model is configured; its package is imported here.

    Errors: `LanguageModelUnavailable`.
    """
    if not settings.model.llm:
        return None
    model = LanguageModel(settings.model)
    model.open()
    return Grounded(model, database, settings.model)


def proposer(model: Grounded | None, settings: Settings, now: Callable[[], datetime]) -> Proposer | None:
    """Errors: `OffersUnreadable`."""
    if model is None or not settings.model.llm_propose:
        return None
    requests = proposable(offers_of(settings))
    return Proposer(model.model, model.budget, requests, today=lambda: now().date())


def router(library: Library, settings: Settings) -> Router:
    """Errors: `OffersUnreadable`."""
    offers = offers_of(settings)
    names = {name: word for kind, word in STANDS_FOR.items() for name in offers.names(kind)}
    return Router(KeptExamples(library.encode, settings.roof.home / "cache"), ROUTINES, names)


def offers_of(settings: Settings) -> Offers:
    """What may be asked for. Errors: `OffersUnreadable`."""
    return Offers.read(settings.offers.offers) if settings.offers.offers else Offers()


def people_of(database: Database, settings: Settings, *, secret: str) -> People:
    """People without Slack, for the command line; `secret` is only used by an import. Errors: `BotError`."""
    return People(
        database=database,
        slack=None,
        directory=directory(settings.directory, database),
        secret_key=secret,
        now=utc_now,
    )


@dataclass(frozen=True)
class Asking:
    """What deciding needs, without Slack and without the durable runtime: nothing can be written by it but what a
    language model has cost."""

    library: Library
    router: Router
    database: Database
    grounded: Grounded | None = None
    proposer: Proposer | None = None


@contextmanager
def open_asking(settings: Settings, *, brief: bool = False) -> Iterator[Asking]:
    """`brief`: for one question, after which the process ends."""
    with open_database(settings) as database, open_library(database, settings, brief=brief) as library:
        model = grounded(database, settings)
        yield Asking(library, router(library, settings), database, model, proposer(model, settings, utc_now))


def _satisfies(asking: Asking) -> Knows:
    return asking


@contextmanager
def every(seconds: float, work: Callable[[], object], *, name: str) -> Iterator[None]:
    """Do something again and again in a thread of its own, for the time of the block."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(seconds):
            try:
                work()
            except Exception:  # whatever it was, it is tried again later
                log.exception("%s failed", name)
                over.wait(min(10 * seconds, LONGEST_PAUSE))

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(2.0)
