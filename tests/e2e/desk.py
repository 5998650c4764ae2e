"""A whole desk as `deskmate up` starts it, in a process of its own, with the first person to arrive on its page."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import MetaData, select

from bot.directory.demo import DemoDirectory
from store import Database

REPOSITORY = Path(__file__).parents[2]
DESKMATE = (sys.executable, "-c", "from deskmate.cli import app; app()")
START_SECONDS = 120
END_SECONDS = 10


class Desk:
    """`deskmate up` with a home of its own; what it prints is kept in files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "home"
        self.said, self.log = folder / "stdout.txt", folder / "stderr.txt"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "DESKMATE_"))}
        # Python's own development mode is off here: what the process prints is what people would read.
        self._environment = kept | {"DESKMATE_HOME": str(self.home), "PYTHONPATH": str(REPOSITORY)}
        self._ports = ("--port", str(free_port()), "--once-port", str(free_port()))
        self.start()

    def start(self) -> None:
        with self.said.open("wb") as said, self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*DESKMATE, "up", *self._ports], env=self._environment, stdout=said, stderr=log, cwd=self.folder
            )
        self.page = ""

    def wait(self) -> None:
        """Until it says that it is ready."""
        deadline = time.monotonic() + START_SECONDS
        while not self.page:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"`deskmate up` didn't get ready:\n{self.log.read_text()}")
            for line in self.said.read_text().splitlines():
                if line.startswith("Ready: "):
                    self.page = line.removeprefix("Ready: ")
            time.sleep(0.05)

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(END_SECONDS)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    # What is known of it

    def command(self, *arguments: str) -> Any:
        """What a command prints as JSON."""
        done = subprocess.run(
            [*DESKMATE, *arguments, "--json"], env=self._environment, cwd=self.folder, capture_output=True, check=True
        )
        return json.loads(done.stdout)

    def slack_calls(self) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = httpx.get(f"{self.page}/control/calls").json()["calls"]
        return calls

    def state(self) -> dict[str, Any]:
        """All that the workspace holds: messages, modals, mail."""
        state: dict[str, Any] = httpx.get(f"{self.page}/control/state").json()
        return state

    def password_is(self, account: str, password: str) -> bool:
        with self._directory() as directory:
            person = directory.find(account)
            return person is not None and directory.check_password(person.directory_id, password)

    def groups(self, account: str) -> frozenset[str]:
        with self._directory() as directory:
            person = directory.find(account)
            assert person is not None
            return person.groups

    @contextmanager
    def _directory(self) -> Iterator[DemoDirectory]:
        with closing(Database.at(f"sqlite:///{self.home / 'deskmate.sqlite'}")) as database:
            yield DemoDirectory(database, privileged_groups=frozenset())

    def rows(self, store: str) -> bytes:
        """Every value of every table of one of the home's SQLite files."""
        database, tables, dump = Database.at(f"sqlite:///{self.home / store}"), MetaData(), bytearray()
        try:
            with database.engine.connect() as connection:
                tables.reflect(connection)
                for table in tables.tables.values():
                    for value in (value for row in connection.execute(select(table)) for value in row):
                        dump += (value if isinstance(value, bytes) else str(value).encode()) + b"\n"
        finally:
            database.close()
        return bytes(dump)

    def files(self) -> bytes:
        """Every file that it has written, its output among them, as it lies on the disk."""
        return b"\n".join(file.read_bytes() for file in self.folder.rglob("*") if file.is_file())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
