"""A real library on each kind of database, and a folder of articles to take in."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.ingestion import ingest
from ingest.report import Report
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Database

Ingest = Callable[..., Report]


@pytest.fixture
def library(database: Database, tmp_path: Path) -> Iterator[Library]:
    with Library(database, KnowledgeSettings(home=tmp_path / "home", embedder="")) as library:
        yield library


@pytest.fixture
def taken_in(library: Library, database: Database) -> Ingest:
    """Takes in the paths; the report."""
    return lambda *paths: ingest([str(path) for path in paths], library=library, database=database)


class Articles:
    """A folder whose files are written in one line each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def write(self, path: str, text: str | bytes) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return file


@pytest.fixture
def kb(tmp_path: Path) -> Articles:
    return Articles(tmp_path / "kb")
