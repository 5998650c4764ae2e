"""Brings the database to the schema that this version of Deskmate works with.

Alembic is imported when there is something to do: a question only looks whether there is.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import OperationalError

from store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
NAMED = re.compile(r"""^(revision|down_revision)\b[^=\n]*=\s*["']([^"'\n]+)["']""", re.MULTILINE)


class StoreError(Exception):
    """The text is safe to show."""


class NewerDatabase(StoreError):
    """The database was written by a newer Deskmate; this one would damage it."""


class DatabaseUnreachable(StoreError):
    """The database doesn't answer."""


class SchemaOutdated(StoreError):
    """The database is older than this Deskmate."""


def configuration(connection: Connection | None = None) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def current_revision() -> str:
    """The schema that this version works with: the migration on which no other is built."""
    made: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for script in MIGRATIONS.glob("versions/*.py"):
        for kind, name in NAMED.findall(script.read_text(encoding="utf-8")):
            made[kind].add(name)
    (head,) = made["revision"] - made["down_revision"]
    return head


def revision_of(database: Database) -> str | None:
    """The schema that the database has; None for an empty one. Errors: `DatabaseUnreachable`."""
    try:
        with database.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found
    except OperationalError as error:
        raise DatabaseUnreachable(
            f"The database at {database.engine.url.render_as_string()} can't be reached. "
            "Check DESKMATE_DATABASE_URL and that its server runs."
        ) from error


def migrate(database: Database) -> bool:
    """Bring the database to the current schema; True if anything was to do.

    Errors: `NewerDatabase`, `DatabaseUnreachable`.
    """
    found = revision_of(database)
    if found == current_revision():
        return False
    from alembic import command
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if found is not None and found not in known:
        raise NewerDatabase(
            f"The database has schema {found}, which this version of Deskmate doesn't know. "
            "Install the newer version that wrote it, or point DESKMATE_DATABASE_URL to another database."
        )
    with database.engine.begin() as connection:
        command.upgrade(configuration(connection), "head")
    return True


def require_current(database: Database) -> None:
    """Errors: `SchemaOutdated` when `deskmate migrate` has to run first, and those of `migrate`."""
    if revision_of(database) != current_revision():
        raise SchemaOutdated("The database isn't at the current schema. Run `deskmate migrate` first.")
