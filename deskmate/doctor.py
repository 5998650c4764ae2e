"""`deskmate doctor`: what is configured, reachable and missing, in words that a newcomer can act on."""

import os
import smtplib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from sqlalchemy import func, select

from deskmate.errors import RoofError, expected
from deskmate.settings import Settings, is_set
from deskmate.wiring import NoDatabase, open_database
from store import Database

State = Literal["ok", "missing", "optional"]

SETUP = "docs/slack-setup.md"
LATE_SECONDS = 600.0
OLDEST_PYTHON = (3, 11)
PROBE_SECONDS = 5
LLM_PROBE_SECONDS = 15.0
MODEL_RECIPE = "If you want one, docs/recipes.md says how."


@dataclass(frozen=True)
class Check:
    """`missing` is required and not there; `optional` could be there. `to_do` is empty when nothing is to be done."""

    name: str
    state: State
    found: str
    to_do: str = ""

    def as_json(self) -> dict[str, str]:
        return asdict(self)


def examine() -> list[Check]:
    """All checks; nothing is changed, and nothing raises."""
    checks = [python()]
    try:
        settings = Settings.read()
    except RoofError as error:
        return [*checks, Check("settings", "missing", str(error), "Mend this variable, in the environment or in .env.")]
    checks += [home(settings), model(settings), language_model(settings)]
    if not settings.knowledge.index_is_shared:
        checks.append(running(settings))
    with ExitStack() as stack:
        try:
            database = stack.enter_context(open_database(settings))
        except NoDatabase as error:
            checks.append(Check("database", "optional", str(error), "Nothing: the first start makes it."))
        except expected() as error:
            checks.append(Check("database", "missing", str(error), "Do that, and run `deskmate doctor` again."))
        else:
            checks.append(Check("database", "ok", database.engine.url.render_as_string()))
            if settings.knowledge.index_is_shared:
                checks.append(shared_index(database, settings))
            checks += [articles(database, settings), people(database, settings), work(settings)]
    checks += slack(settings)
    return [*checks, mail(settings), public_url(settings)]


def python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", "missing", found, "Install Python 3.11 or later.")
    return Check("python", "ok", found)


def home(settings: Settings) -> Check:
    folder = settings.roof.home.absolute()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        return Check("home", "missing", f"{folder} can't be written", "Set DESKMATE_HOME to a folder of your own.")
    return Check("home", "ok", str(folder) if folder.exists() else f"{folder} (made on first start)")


def running(settings: Settings) -> Check:
    """Whether a bot runs with this home, by the lock on its index."""
    lock = settings.knowledge.index_folder / "owner.lock"
    if not lock.exists():
        return Check("index", "ok", "not built yet; the first start or `deskmate ingest` does it")
    try:
        with FileLock(lock, timeout=0):
            return Check("index", "ok", "free; no bot runs with this home")
    except Timeout:
        return Check("index", "ok", "in use by a running Deskmate")
    except OSError as error:
        return Check("index", "missing", f"{lock} can't be opened ({error.strerror})", "Check who owns the home.")


def shared_index(database: Database, settings: Settings) -> Check:
    """An index on a server, which no single process owns."""
    from knowledge.errors import KnowledgeError
    from knowledge.opening import index_found

    try:
        return Check("index", "ok", index_found(database, settings.knowledge))
    except KnowledgeError as error:
        return Check("index", "missing", str(error), "Do that, and run `deskmate doctor` again.")


def model(settings: Settings) -> Check:
    name = settings.knowledge.embedder or "all-MiniLM-L6-v2"
    folder = settings.knowledge.models
    if not any(folder.glob("*/model.json")):
        return Check(
            "model", "optional", f"{name} not exported yet", "Nothing: the first start does it in some seconds."
        )
    return Check("model", "ok", f"{name}, exported models in {folder}")


def language_model(settings: Settings) -> Check:
    """Whether it answers, by asking it for one word."""
    from knowledge.errors import LanguageModelUnavailable
    from knowledge.llm import LanguageModel, Unwritten

    if not settings.model.llm:
        return Check("language model", "optional", "none: answers are the articles' own words", MODEL_RECIPE)
    probed = {"llm_timeout_seconds": min(settings.model.llm_timeout_seconds, LLM_PROBE_SECONDS)}
    try:
        LanguageModel(settings.model.model_copy(update=probed)).probe()
    except LanguageModelUnavailable as error:
        return Check("language model", "missing", str(error), "Do that, or leave DESKMATE_LLM empty.")
    except Unwritten as error:
        found = f"{settings.model.llm} doesn't answer ({error})"
        to_do = "Check the provider's key and address; until then answers are the articles' own words."
        return Check("language model", "optional", found, to_do)
    return Check("language model", "ok", f"{settings.model.llm} answers")


def articles(database: Database, settings: Settings) -> Check:
    from knowledge.records import Article

    with database.reading() as session:
        count = session.scalar(select(func.count()).where(Article.current_version.is_not(None))) or 0
    if not count:
        state: State = "missing" if is_set(settings.slack.bot_token) else "optional"
        return Check("articles", state, "none", "Run `deskmate ingest FOLDER`; `deskmate up` brings samples.")
    return Check("articles", "ok", str(count))


def people(database: Database, settings: Settings) -> Check:
    from bot.directory.directory import DirectoryUnavailable
    from bot.directory.records import Binding
    from bot.directory.register import directory

    kind = settings.directory.directory
    try:
        directory(settings.directory, database).find("deskmate-doctor-probe")
    except DirectoryUnavailable as error:
        to_do = "Check the directory's settings and the service account."
        return Check("directory", "missing", f"{kind}: {error}", to_do)
    except expected() as error:
        return Check("directory", "missing", f"{kind}: {error}", "Set these in the environment or in .env.")
    with database.reading() as session:
        bound = session.scalar(select(func.count()).select_from(Binding)) or 0
    if not bound:
        to_do = "Run `deskmate people import FILE.json`; without it nobody can have a password reset."
        return Check("directory", "optional", f"{kind}: answers, but nobody is linked with a Slack account", to_do)
    return Check("directory", "ok", f"{kind}: answers; {bound} Slack accounts linked")


def work(settings: Settings) -> Check:
    from store.durable import Durable

    durable = Durable(
        database_url=settings.roof.database(), home=settings.roof.home, executor_id=settings.roof.executor_id
    )
    try:
        late = durable.pending(LATE_SECONDS)
    finally:
        durable.close()
    if late:
        found = f"{len(late)} pieces of work unfinished for more than ten minutes, the oldest {late[0]}"
        return Check("work", "optional", found, "Start the bot if it doesn't run; otherwise look at its log.")
    return Check("work", "ok", "nothing is left behind")


def slack(settings: Settings) -> Iterator[Check]:
    if not is_set(settings.slack.bot_token):
        to_do = f"To use a real workspace, set SLACK_BOT_TOKEN as {SETUP} says."
        yield Check("slack", "optional", "no tokens: `deskmate up` uses a workspace on this machine", to_do)
        return
    if is_set(settings.slack.app_token) or is_set(settings.slack.signing_secret):
        way = "Socket Mode" if is_set(settings.slack.app_token) else "HTTP"
        yield Check("slack way", "ok", way)
    else:
        to_do = f"Set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP), see {SETUP}."
        yield Check("slack way", "missing", "neither SLACK_APP_TOKEN nor SLACK_SIGNING_SECRET", to_do)
    yield from slack_answers(settings)


def slack_answers(settings: Settings) -> Iterator[Check]:
    from slack_sdk.errors import SlackApiError

    from bot.app import web_client
    from bot.slack_client import UNREACHABLE

    client = web_client(settings.slack)
    client.timeout = PROBE_SECONDS
    try:
        me = client.auth_test()
        yield Check("slack", "ok", f"{me.get('user')} in {me.get('team')}")
        yield triage(settings, client)
    except SlackApiError as error:
        found = f"Slack says {error.response.get('error')}"
        yield Check("slack", "missing", found, f"Compare the token and the scopes with {SETUP}.")
    except UNREACHABLE as error:
        found = f"{client.base_url} doesn't answer ({type(error).__name__})"
        yield Check("slack", "missing", found, "Check the network, a proxy, and SLACK_API_URL.")


def triage(settings: Settings, client: Any) -> Check:
    wanted = settings.bot.triage_channel
    if not wanted:
        to_do = "Make a private channel of the agents, invite the bot, and set DESKMATE_TRIAGE_CHANNEL to its id."
        return Check("triage channel", "missing", "DESKMATE_TRIAGE_CHANNEL isn't set: no agent would be told", to_do)
    for channel in channels_of(client):
        if wanted in (channel["id"], f"#{channel['name']}"):
            return Check("triage channel", "ok", f"#{channel['name']} ({channel['id']})")
    to_do = "Invite the bot there (/invite @Deskmate), or mend DESKMATE_TRIAGE_CHANNEL."
    return Check("triage channel", "missing", f"the bot isn't in {wanted}", to_do)


def channels_of(client: Any) -> Iterator[dict[str, Any]]:
    """Those that the bot is a member of."""
    cursor = None
    while True:
        page = client.users_conversations(types="public_channel,private_channel", limit=200, cursor=cursor)
        yield from page["channels"]
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if not cursor:
            return


def mail(settings: Settings) -> Check:
    url = settings.notices.smtp_url
    if url is None or not url.get_secret_value():
        to_do = (
            "Set DESKMATE_SMTP_URL; password resets are refused without mail (`deskmate up` without Slack has its own)."
        )
        return Check("mail", "optional", "no mail server", to_do)
    where = urlsplit(url.get_secret_value())
    kind: Callable[..., smtplib.SMTP] = smtplib.SMTP_SSL if where.scheme == "smtps" else smtplib.SMTP
    name = f"{where.hostname}:{where.port or 'default port'}"
    try:
        with kind(
            where.hostname or "localhost", where.port or (465 if where.scheme == "smtps" else 25), timeout=PROBE_SECONDS
        ):
            return Check("mail", "ok", name)
    except (OSError, ValueError) as error:
        return Check("mail", "missing", f"{name} doesn't answer ({type(error).__name__})", "Check DESKMATE_SMTP_URL.")


def public_url(settings: Settings) -> Check:
    url = settings.bot.public_url
    if url.host in ("127.0.0.1", "localhost"):
        to_do = (
            "For people on other machines, set DESKMATE_PUBLIC_URL to an https address that leads to `deskmate serve`."
        )
        return Check("public url", "optional", f"{url} (this machine only)", to_do)
    if url.scheme != "https":
        return Check(
            "public url", "missing", f"{url} isn't https", "Passwords are typed there: put TLS in front of it."
        )
    return Check("public url", "ok", str(url))


def table(checks: list[Check]) -> str:
    """For a terminal: a line per check, and below it what to do."""
    lines = []
    for check in checks:
        lines.append(f"{check.state:<9} {check.name:<15} {check.found}")
        if check.to_do:
            lines.append(f"{'':<25} -> {check.to_do}")
    missing = sum(check.state == "missing" for check in checks)
    lines.append(f"\n{missing} required thing(s) missing." if missing else "\nNothing that is required is missing.")
    return "\n".join(lines)
