"""The whole desk, from the database to the listeners, opened in order and closed in the reverse order."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from filelock import FileLock, Timeout
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import listeners
from bot.app import bolt_app, web_client
from bot.desk import Desk
from bot.directory.directory import Directory
from bot.directory.register import directory
from bot.factors.register import factors
from bot.factors.second_factor import SecondFactor
from bot.handoff import Triage
from bot.notices import Notices
from bot.once.links import Links
from bot.people import People
from bot.routines.approving import Approving
from bot.routines.carrying_out import CarryingOut
from bot.routines.correcting import Correcting
from bot.routines.news import RoutineNews
from bot.routines.office import Office
from bot.routines.step_up import Assurance
from bot.routines.switches import Switches
from bot.slack import Slack
from bot.slack_client import UNREACHABLE
from bot.traces import forget
from bot.turns import Turns
from bot.workflows.eligibility import Eligibility
from bot.workflows.key_registration import KeyRegistration
from bot.workflows.limits import Limits
from bot.workflows.password_reset import PasswordReset
from bot.workflows.register import DECLARED, workflows
from deskmate.errors import RoofError
from deskmate.settings import Settings
from deskmate.wiring import (
    FORGET_SECONDS,
    REFRESH_SECONDS,
    RESUME_SECONDS,
    TICK_SECONDS,
    every,
    grounded,
    offers_of,
    proposer,
    router,
)
from knowledge.grounded import Grounded
from knowledge.library import Library
from store import Database, utc_now
from store.durable import Durable

CLOSING_SECONDS = 2
"""How long steps at work may take to end; what doesn't end is taken up at the next start."""


@dataclass(frozen=True)
class OpenDesk:
    desk: Desk
    app: App
    client: WebClient


@contextmanager
def open_desk(
    settings: Settings, database: Database, library: Library, *, now: Callable[[], datetime] = utc_now
) -> Iterator[OpenDesk]:
    """A warm desk whose durable work goes on; Slack's requests are still to be led to `app`.

    Errors: `RoofError`, `BotError`, `KnowledgeError`, `DurableError`.
    """
    client = web_client(settings.slack)
    who_am_i(client)
    with ExitStack() as stack:
        stack.enter_context(alone(settings))
        library.warm()
        model = grounded(database, settings)
        slack = Slack(client, database, now=now)
        durable = stack.enter_context(open_durable(settings))
        desk = wired(settings, database, library, slack, durable, model, now)
        turns = stack.enter_context(closing(Turns(desk)))
        app = bolt_app(settings.slack, client)
        listeners.register(app, desk, turns)
        stack.enter_context(every(REFRESH_SECONDS, library.refresh, name="refresh of the index"))
        durable.launch()
        stack.callback(durable.close, wait_seconds=CLOSING_SECONDS)  # first of all: nothing else is at work then
        for workflow in desk.workflows:
            workflow.resume()
        turns.resume()
        forget(database, now())
        stack.enter_context(every(RESUME_SECONDS, turns.resume, name="search for unfinished turns"))
        for workflow in desk.workflows:
            stack.enter_context(every(TICK_SECONDS, workflow.tick, name=f"what is due of {workflow.name}"))
        stack.enter_context(every(FORGET_SECONDS, lambda: forget(database, now()), name="deletion of old traces"))
        yield OpenDesk(desk, app, client)


def wired(
    settings: Settings,
    database: Database,
    library: Library,
    slack: Slack,
    durable: Durable,
    model: Grounded | None,
    now: Callable[[], datetime],
) -> Desk:
    """The desk with all its workflows registered; the durable runtime isn't launched yet."""
    accounts = directory(settings.directory, database)
    notices = Notices(settings.notices)
    secret = settings.roof.secret()
    triage = Triage(database=database, slack=slack, now=now, channel=settings.bot.triage_channel)
    people = People(
        database=database,
        slack=slack,
        directory=accounts,
        secret_key=secret,
        now=now,
        notices=notices,
        alert=triage.alert,
    )
    password_reset = PasswordReset(
        database=database,
        slack=slack,
        people=people,
        directory=accounts,
        notices=notices,
        secret_key=secret,
        public_url=str(settings.bot.public_url),
        alert=triage.alert,
        show_card=triage.announce,
        is_agent=triage.is_agent,
        directory_name=settings.directory.directory,
        now=now,
    )
    key_registration = KeyRegistration(
        database=database,
        slack=slack,
        people=people,
        directory=accounts,
        notices=notices,
        secret_key=secret,
        public_url=str(settings.bot.public_url),
        alert=triage.alert,
        show_card=triage.announce,
        is_agent=triage.is_agent,
        directory_name=settings.directory.directory,
        now=now,
    )
    office = office_of(settings, database, slack, people, accounts, triage, now)
    desk = Desk(
        database=database,
        slack=slack,
        library=library,
        durable=durable,
        people=people,
        workflows=workflows(password_reset=password_reset, key_registration=key_registration, office=office),
        router=router(library, settings),
        triage=triage,
        settings=settings.bot,
        files=settings.roof.home / "files",
        now=now,
        grounded=model,
        corrections=Correcting([routine() for routine in DECLARED], office.carrying.offers),
        proposer=proposer(model, settings, now),
    )
    triage.durable(durable)
    people.durable(durable)
    for workflow in desk.workflows:
        workflow.durable(durable)
    return desk


def office_of(
    settings: Settings,
    database: Database,
    slack: Slack,
    people: People,
    accounts: Directory,
    triage: Triage,
    now: Callable[[], datetime],
) -> Office:
    """What routine requests work with. Errors: `OffersUnreadable`."""
    carrying = CarryingOut(
        database=database,
        directory=accounts,
        directory_name=settings.directory.directory,
        offers=offers_of(settings),
        switches=Switches(database),
        now=now,
    )
    return Office(
        database=database,
        slack=slack,
        people=people,
        triage=triage,
        notices=Notices(settings.notices),
        carrying=carrying,
        approving=Approving(database=database, directory=accounts, people=people, carrying=carrying, now=now),
        news=RoutineNews(database, slack),
        assurance=assurance_of(settings, database, people, accounts, triage, now),
        now=now,
    )


def assurance_of(
    settings: Settings,
    database: Database,
    people: People,
    accounts: Directory,
    triage: Triage,
    now: Callable[[], datetime],
) -> Assurance:
    secret, public_url, limits = settings.roof.secret(), str(settings.bot.public_url), Limits()
    second_factor = SecondFactor(
        database=database,
        factors=factors(secret_key=secret, public_url=public_url, limits=limits, now=now),
        limits=limits,
        now=now,
    )
    eligibility = Eligibility(
        database=database,
        people=people,
        directory=accounts,
        notices=Notices(settings.notices),
        limits=limits,
        second_factor=second_factor,
        workflow="",
        needs=frozenset(),
        switches=Switches(database),
        directory_name=settings.directory.directory,
        is_agent=triage.is_agent,
        now=now,
    )
    links = Links(secret_key=secret, public_url=public_url)
    return Assurance(database, links, second_factor, eligibility, triage.alert, now)


@contextmanager
def open_durable(settings: Settings) -> Iterator[Durable]:
    durable = Durable(
        database_url=settings.roof.database(),
        home=settings.roof.prepare_home(),
        executor_id=settings.roof.executor_id,
    )
    with closing(durable):  # once more does no harm
        yield durable


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One bot per home and executor: two would carry out the same work. Errors: `RoofError`."""
    lock = FileLock(running_lock(settings))
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RoofError(
            f"A Deskmate runs with the home {settings.roof.home} already. Stop it, or set DESKMATE_HOME to another"
            " folder (replicas on one PostgreSQL also need different DESKMATE_EXECUTOR_ID)."
        ) from error
    try:
        yield
    finally:
        lock.release()


def running_lock(settings: Settings) -> str:
    """The file that a running bot holds locked."""
    name = "".join(character if character.isalnum() else "-" for character in settings.roof.executor_id)
    return str(settings.roof.prepare_home() / f"running-{name}.lock")


def who_am_i(client: WebClient) -> None:
    """Errors: `RoofError` when Slack doesn't answer or doesn't take the token."""
    try:
        client.auth_test()
    except SlackApiError as error:
        raise RoofError(
            f"Slack refused SLACK_BOT_TOKEN ({error.response.get('error')}). Where to get it: docs/slack-setup.md."
        ) from error
    except UNREACHABLE as error:
        raise RoofError(f"Slack can't be reached at {client.base_url} ({type(error).__name__}).") from error
