"""What every room's tests share: a database on each kind of store."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from store import Base, Database

POSTGRES_BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


MISSING = ("not installed", "isn't installed", "../shared")
"""What the reasons of tests say that are skipped because the machine lacks something."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where `CI` is set, nothing may be missing: a test that would be skipped for that fails."""
    report = yield
    reason = str(report.longrepr)
    if os.environ.get("CI") and report.skipped and any(sign in reason for sign in MISSING):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} may not be skipped in continuous integration: {reason}"
    return report


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL of our own on loopback, from Debian's package; yields the URL of its `postgres` database."""
    if POSTGRES_BIN is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    # Not below pytest's own folder: a second run closes that to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="deskmate-postgres-"))
    folder.chmod(0o755)
    runner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if runner:
        shutil.chown(folder, "postgres")
    port, data = free_port(), folder / "data"
    subprocess.run(
        [*runner, POSTGRES_BIN / "initdb", "-D", data, "-U", "deskmate", "-A", "trust", "-E", "UTF8"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=200"
    subprocess.run(
        [*runner, POSTGRES_BIN / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    yield f"postgresql+psycopg://deskmate@127.0.0.1:{port}/postgres"
    subprocess.run(
        [*runner, POSTGRES_BIN / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    shutil.rmtree(folder)


@pytest.fixture
def new_postgres_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes empty databases on the test server; they are dropped at the end."""
    admin = Database.at(postgres_server)
    made: list[str] = []

    def make() -> str:
        name = f"test_{secrets.token_hex(6)}"
        with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        made.append(name)
        return postgres_server.rsplit("/", 1)[0] + f"/{name}"

    yield make
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in made:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; each test that asks for it runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deskmate.sqlite'}"
    url: str = request.getfixturevalue("new_postgres_database")()
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all tables of the rooms that the test has imported."""
    database = Database.at(database_url)
    Base.metadata.create_all(database.engine)
    yield database
    database.close()
