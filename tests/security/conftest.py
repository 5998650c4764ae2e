from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import new_database
from tests.faults.over_http import line
from tests.reset.fixtures import desk, mail_server
from tests.security.shelf import Shelf, filled, opened_shelf

__all__ = ["desk", "line", "mail_server"]


@pytest.fixture(scope="session")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("shelf") / "base.sqlite"
    filled(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def filled_pgvector(pgvector_server: str) -> Iterator[str]:
    """The name of the database."""
    with new_database(pgvector_server) as url:
        filled(url)
        yield url.rpartition("/")[2]


@pytest.fixture(params=["exact", "chroma", "chroma-server", "pgvector"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    yield from opened_shelf(request, tmp_path, monkeypatch)
