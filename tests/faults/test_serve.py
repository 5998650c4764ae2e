"""`deskmate serve` as it is run: both ways to Slack, and what it says when it can't start."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from filelock import FileLock
from sqlalchemy import text

from sandbox import Sandbox
from store import Database
from tests.conftest import free_port
from tests.faults.process import Child, environment_of
from tests.filled import SAMPLE, filled

pytestmark = pytest.mark.slow

Start = Callable[..., Child]
WAIT = 60.0


def answered(sandbox: Sandbox, question: str, user: str = "U0ALICE") -> str:
    workspace = sandbox.workspace
    channel = workspace.dm_of(user).id
    ts = workspace.post(user, channel, question)

    def replies() -> list[str]:
        return [message.text for message in workspace.thread(channel, ts, user) if message.bot_id]

    assert workspace.wait_until(lambda: bool(replies()), WAIT), "no reply"
    return replies()[0]


def health(port: int) -> int:
    return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code


def said(child: Child) -> str:
    """The one line that a command which can't start says."""
    assert child.ended() == 1, child.err.read_text()
    lines = child.err.read_text().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("deskmate: ")
    assert child.out.read_text() == ""
    return lines[0]


def test_over_socket_mode_a_message_is_answered_and_it_is_well(
    start: Start, sandbox: Sandbox, environment: dict[str, str]
) -> None:
    port = free_port()
    child = start("serve", "--socket", "--port", str(port), **environment)
    child.ready()

    assert health(port) == 200
    assert "VPN" in answered(sandbox, "How do I connect to the VPN from home?")
    assert child.end() == 0
    assert [line for line in child.err.read_text().splitlines() if "WARNING" in line or "Traceback" in line] == []


@contextmanager
def workspace_over_http(port: int) -> Iterator[Sandbox]:
    box = Sandbox(port=0, people=SAMPLE / "people.json", events_url=f"http://127.0.0.1:{port}/slack/events")
    box.start()
    try:
        yield box
    finally:
        box.stop()


def test_over_http_a_message_is_answered_and_it_is_well(start: Start, tmp_path: Path) -> None:
    port = free_port()
    with workspace_over_http(port) as sandbox:
        settings = filled(sandbox, tmp_path, f"sqlite:///{tmp_path / 'deskmate.sqlite'}")
        child = start("serve", "--http", "--port", str(port), **environment_of(sandbox, settings))
        child.ready()

        assert health(port) == 200
        assert "VPN" in answered(sandbox, "How do I connect to the VPN from home?")
        assert child.end() == 0
        assert "Traceback" not in child.err.read_text()


@pytest.fixture
def sqlite_environment(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    settings = filled(sandbox, tmp_path, f"sqlite:///{tmp_path / 'deskmate.sqlite'}")
    return environment_of(sandbox, settings)


@pytest.mark.parametrize(
    ("way", "missing"),
    [
        ("--socket", "SLACK_BOT_TOKEN"),
        ("--socket", "SLACK_APP_TOKEN"),
        ("--http", "SLACK_SIGNING_SECRET"),
    ],
)
def test_a_missing_token_is_said_by_its_name(start: Start, sandbox: Sandbox, way: str, missing: str) -> None:
    tokens = {
        "SLACK_BOT_TOKEN": sandbox.bot_token,
        "SLACK_APP_TOKEN": sandbox.app_token,
        "SLACK_SIGNING_SECRET": sandbox.signing_secret,
        "SLACK_API_URL": sandbox.api_url,
    }
    del tokens[missing]
    assert f"{missing}" in said(start("serve", way, "--port", str(free_port()), **tokens))


def test_a_port_in_use_is_said(start: Start, sqlite_environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port}" in said(start("serve", "--port", str(port), **sqlite_environment))


def test_a_database_of_a_newer_schema_is_left_alone(start: Start, sqlite_environment: dict[str, str]) -> None:
    database = Database.at(sqlite_environment["DESKMATE_DATABASE_URL"])
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_from_the_future'"))
    database.close()

    line = said(start("serve", "--port", str(free_port()), **sqlite_environment))
    assert "9999_from_the_future" in line
    assert "newer version" in line


def test_passages_of_another_model_are_said(start: Start, sqlite_environment: dict[str, str]) -> None:
    database = Database.at(sqlite_environment["DESKMATE_DATABASE_URL"])
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE passages SET generation = 'another-model-1'"))
        connection.execute(text("UPDATE knowledge_state SET active = NULL"))
    database.close()

    assert "embedded with another-model-1" in said(start("serve", "--port", str(free_port()), **sqlite_environment))


def test_beside_another_process_that_owns_the_index_it_serves_all_the_same(
    start: Start, sandbox: Sandbox, sqlite_environment: dict[str, str]
) -> None:
    with FileLock(Path(sqlite_environment["DESKMATE_HOME"]) / "index" / "owner.lock"):
        child = start("serve", "--port", str(free_port()), **sqlite_environment)
        child.ready()
        assert "VPN" in answered(sandbox, "How do I connect to the VPN from home?")
        assert child.end() == 0
