import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.server import Sandbox
from tests.deskmate.conftest import SAMPLE

pytestmark = pytest.mark.slow

START_SECONDS = 90
END_SECONDS = 8


class Running:
    """A Deskmate in a process of its own."""

    def __init__(self, home: Path, *arguments: str, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "DESKMATE_"))}
        self._log = (home.parent / f"log-{time.monotonic_ns()}").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from deskmate.cli import app; app()", *arguments],
            env=kept | {"DESKMATE_HOME": str(home), "PYTHONPATH": str(Path.cwd())} | environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=home.parent,
        )

    def ready(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Ready: "), self.log()
        return line.removeprefix("Ready: ").strip()

    def log(self) -> str:
        self._log.flush()
        self._log.seek(0)
        return self._log.read()

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        try:
            return self.process.wait(END_SECONDS)
        finally:
            self.process.kill()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._log.close()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def begin(*arguments: str, **environment: str) -> Running:
        running.append(Running(tmp_path / "home", *arguments, **environment))
        return running[-1]

    yield begin
    for each in running:
        each.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def write(page: str, text: str) -> str:
    wish = {"do": "post", "user": "U0ALICE", "channel": "D0ALICE", "text": text}
    ts: str = httpx.post(f"{page}/control/act", json=wish).json()["result"]
    return ts


def replies(page: str, ts: str) -> list[dict[str, Any]]:
    messages = httpx.get(f"{page}/control/state").json()["messages"]["D0ALICE"]
    return [message for message in messages if message.get("thread_ts") == ts and message["ts"] != ts]


def answer(page: str, text: str) -> str:
    ts = write(page, text)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if found := replies(page, ts):
            return str(found[0]["text"])
        time.sleep(0.05)
    raise AssertionError("no answer")


def test_up_answers_a_message_and_ends_cleanly_and_goes_on_where_it_was(start: Callable[..., Running]) -> None:
    ports = ("--port", str(free_port()), "--once-port", str(free_port()))
    first = start("up", *ports)
    page = first.ready()
    assert "VPN" in answer(page, "How do I set up the VPN on Windows?")
    assert httpx.get(f"http://127.0.0.1:{ports[3]}/healthz").status_code == 200
    other = start("up", *ports)
    assert other.process.wait(START_SECONDS) == 1
    assert f"Port {ports[1]} on 127.0.0.1 is taken" in other.log()
    assert first.end() == 0, first.log()
    assert "Traceback" not in first.log()

    again = start("up", *ports)
    page = again.ready()
    assert "ticket" in answer(page, "I want to talk to a human")
    assert again.end(signal.SIGTERM) == 0, again.log()
    assert "Traceback" not in again.log()


def test_two_bots_in_one_home_are_refused(start: Callable[..., Running]) -> None:
    first = start("up", "--port", str(free_port()), "--once-port", str(free_port()))
    first.ready()
    second = start("up", "--port", str(free_port()), "--once-port", str(free_port()))
    assert second.process.wait(START_SECONDS) == 1
    assert "runs with the home" in second.log()
    first.end()


@pytest.mark.parametrize("http", [True, False])
def test_serve_answers_over_the_socket_and_over_http(start: Callable[..., Running], tmp_path: Path, http: bool) -> None:
    port = free_port()
    sandbox = Sandbox(
        port=0,
        people=SAMPLE / "people.json",
        events_url=f"http://127.0.0.1:{port}/slack/events" if http else None,
    )
    sandbox.start()
    try:
        environment = {
            "SLACK_BOT_TOKEN": sandbox.bot_token,
            "SLACK_APP_TOKEN": sandbox.app_token,
            "SLACK_SIGNING_SECRET": sandbox.signing_secret,
            "SLACK_API_URL": sandbox.api_url,
            "DESKMATE_TRIAGE_CHANNEL": "#it-triage",
        }
        running = start("serve", "--http" if http else "--socket", "--port", str(port), **environment)
        assert running.ready() == f"http://127.0.0.1:{port}"
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
        assert "ticket" in answer(sandbox.page_url, "I want to talk to a human")
        health = start("doctor", "--json", **environment)
        out, _ = health.process.communicate(timeout=60)
        states = {check["name"]: check["state"] for check in json.loads(out)}
        assert (states["slack"], states["triage channel"]) == ("ok", "ok")
        assert running.end(signal.SIGTERM) == 0, running.log()
    finally:
        sandbox.stop()


def test_serve_says_in_one_line_that_slack_refuses_the_token(start: Callable[..., Running]) -> None:
    sandbox = Sandbox(port=0)
    sandbox.start()
    try:
        environment = {"SLACK_BOT_TOKEN": "xoxb-wrong", "SLACK_APP_TOKEN": "x", "SLACK_API_URL": sandbox.api_url}
        running = start("serve", "--port", "0", **environment)
        assert running.process.wait(START_SECONDS) == 1
        assert running.log().splitlines() == [
            "deskmate: Slack refused SLACK_BOT_TOKEN (invalid_auth). Where to get it: docs/slack-setup.md."
        ]
    finally:
        sandbox.stop()
