"""What the measurements of answers share: the data folder, a knowledge base in a home of its own, the table."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingest.ingestion import ingest
from ingest.progress import shown_on_terminal
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Base, Database

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED = REPOSITORY.parent / "shared" / "data"


def shared_data(path: str) -> Path:
    """A file or folder of the data beside the repository; ends the program with one line when it isn't there."""
    found = SHARED / path
    if not found.exists():
        sys.exit(f"This measurement needs ../shared/data/{path} beside the repository, which isn't there.")
    return found


@contextmanager
def library_over(articles: Path, home: Path) -> Iterator[Library]:
    """A warm library over the articles of a folder. Kept in `home`, it is embedded once."""
    home.mkdir(parents=True, exist_ok=True)
    database = Database.at(f"sqlite:///{home / 'bench.sqlite'}")
    Base.metadata.create_all(database.engine)
    try:
        with Library(database, KnowledgeSettings(home=home)) as library:
            with shown_on_terminal() as progress:
                report = ingest([str(articles)], library=library, database=database, progress=progress)
            for failure in report.failed:
                print(f"{failure.path}: {failure.error}", file=sys.stderr)
            print(f"Knowledge base: {report}", file=sys.stderr)
            library.warm()
            yield library
    finally:
        database.close()


def table(head: Sequence[str], rows: Sequence[Sequence[str | int]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"
