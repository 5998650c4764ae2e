"""For developers: `python -m deskmate.schema NAME "What it does"` writes a migration from what the models say."""

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command

from deskmate.models import all_tables
from store import Database
from store.base import UtcDateTime
from store.migrating import MIGRATIONS, configuration, migrate


def revise(name: str, message: str) -> None:
    """Compare the models with an empty SQLite database at the current schema, and write the difference."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database.at(f"sqlite:///{Path(folder) / 'empty.sqlite'}")
        if any((MIGRATIONS / "versions").glob("*.py")):
            migrate(database)
        with database.engine.begin() as connection:
            config = configuration(connection)
            config.attributes["metadata"] = all_tables()
            config.attributes["render_item"] = plainly
            config.set_main_option("file_template", "%%(rev)s")
            command.revision(config, message=message, autogenerate=True, rev_id=name)
        database.close()


def plainly(kind: str, item: Any, _context: Any) -> str | bool:
    """Types of ours by what they are in SQL, so that a migration stays as it is when our code changes."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def main() -> int:
    if len(sys.argv) != 3 or not re.fullmatch(r"\d{4}_[a-z_]+", sys.argv[1]):
        sys.stderr.write('usage: python -m deskmate.schema 0002_what_it_is "What it does"\n')
        return 2
    revise(sys.argv[1], sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
