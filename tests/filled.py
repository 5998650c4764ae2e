"""A home with four small articles and the sample people: made once for each kind of store, copied for each test."""

import secrets
import shutil
from functools import cache
from pathlib import Path

from pydantic import HttpUrl, SecretStr
from sqlalchemy import text

from bot.directory.settings import DirectorySettings
from bot.notices import NoticeSettings
from bot.people import load_feed
from bot.settings import BotSettings, SlackSettings
from deskmate.open_desk import open_desk
from deskmate.settings import DeskmateSettings, Settings
from deskmate.wiring import open_database, open_library
from knowledge.articles import Document
from knowledge.settings import KnowledgeSettings
from sandbox import Sandbox
from store import Database
from tests.conftest import EMPTY

SAMPLE = Path(__file__).parents[1] / "deskmate" / "sample"
SQLITE = "sqlite:///"
DATABASE = "database"
"""In a home to be copied: the file of its database, or the name of it on the server."""

VPN = """Deskmate's people connect to the office network from home over the VPN.

1. Open the **Northgate VPN** app from the start menu.
2. Choose the profile *Home office*.
3. Sign in with your account and confirm the code in the authenticator.
"""
SALARY = """The salary system is for managers.

1. Open the salary system from the managers' portal.
2. Choose *Request access to pay bands*.
"""


def document(article_id: str, title: str, markdown: str, access: tuple[str, ...] = ()) -> Document:
    return Document(
        article_id=article_id,
        title=title,
        markdown=markdown,
        url=f"https://kb.example/{article_id}",
        access=access,
        owner=None,
        description=None,
        source="tests",
        content_hash=article_id,
        updated_at=None,
    )


def articles() -> list[Document]:
    long = "\n".join(
        f"{n}. Do step number {n} of the quarterly archive, carefully and in this order." for n in range(1, 61)
    )
    return [
        document("vpn", "Connect to the VPN from home", VPN),
        document("salary", "Access to the salary system", SALARY, access=("managers",)),
        document("archive", "Run the quarterly archive", f"How the quarterly archive is run.\n\n{long}\n"),
        document(
            "printer",
            "Add a printer",
            "1. Open *Printers*.\n2. Choose *Add a printer* and pick the one on your floor.\n",
        ),
    ]


def settings_for(sandbox: Sandbox, home: Path, database_url: str) -> Settings:
    return Settings(
        roof=DeskmateSettings(home=home, database_url=SecretStr(database_url)),
        slack=SlackSettings(
            bot_token=SecretStr(sandbox.bot_token),
            app_token=SecretStr(sandbox.app_token),
            signing_secret=SecretStr(sandbox.signing_secret),
            api_url=HttpUrl(sandbox.api_url),
        ),
        bot=BotSettings(triage_channel="C0TRIAGE"),
        knowledge=KnowledgeSettings(home=home),
        directory=DirectorySettings(),
        notices=NoticeSettings(smtp_url=SecretStr(sandbox.smtp_url)),
    )


def filled(sandbox: Sandbox, tmp_path: Path, database_url: str) -> Settings:
    """The settings of a home, which this makes below `tmp_path`, and of the database, which it fills."""
    home = tmp_path / "home"
    server, _, name = database_url.rpartition("/")
    made = first(tmp_path.parent, None if database_url.startswith(SQLITE) else server)
    shutil.copytree(made, home)
    copied = home / DATABASE
    if database_url.startswith(SQLITE):
        copied.rename(database_url.removeprefix(SQLITE))
    else:
        replace_database(server, name, template=copied.read_text())
    return settings_for(sandbox, home, database_url)


@cache
def first(run: Path, server: str | None) -> Path:
    """The home to be copied, as a desk leaves it that was started once: with its database, or that one's name.

    It is kept in the folder of all the tests' folders.
    """
    name = f"filled_{secrets.token_hex(6)}"
    folder = run / name
    folder.mkdir()
    home = folder / "home"
    url = f"{server}/{name}" if server else f"{SQLITE}{folder / name}"
    if server:
        replace_database(server, name)
    box = Sandbox(port=0, people=SAMPLE / "people.json")
    box.start()
    try:
        settings = settings_for(box, home, url)
        with open_database(settings, migrated=True) as database, open_library(database, settings) as library:
            library.add(articles())
            with open_desk(settings, database, library) as opened:
                opened.desk.people.import_feed(load_feed(SAMPLE / "people.json"))
    finally:
        box.stop()
    if server:
        (home / DATABASE).write_text(name)
    else:
        (folder / name).rename(home / DATABASE)
    return home


def replace_database(server: str, name: str, *, template: str = EMPTY) -> None:
    admin = Database.at(f"{server}/postgres")
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    admin.close()
