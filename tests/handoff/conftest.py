from collections.abc import Iterator
from pathlib import Path

import pytest

from store import Database
from tests.handoff.office import Office, open_office


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    office = open_office(database, tmp_path / "files")
    yield office
    office.turns_at_work.close()
