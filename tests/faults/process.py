"""`deskmate serve` in a process of its own, which can be killed at any point; the workspace lives in the test's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from deskmate.settings import Settings
from sandbox import Sandbox

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds that a process may take to start or end; a bound for a test that hangs, not a claim of speed."""

SERVE = "from deskmate.cli import app; app()"
DIES = """
import os, signal
from pathlib import Path
from bot.slack import Slack

place, wanted = Path(os.environ["FAILPOINT_REACHED"]), os.environ["FAILPOINT"]
real = getattr(Slack, os.environ["FAILPOINT_METHOD"])

def dies(self, key, *arguments, **named):
    if key.startswith(wanted):
        place.write_text(key)
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, key, *arguments, **named)

setattr(Slack, os.environ["FAILPOINT_METHOD"], dies)
"""


class Child:
    """A `deskmate` command; its output goes to files, so that nothing waits for a reader."""

    def __init__(self, folder: Path, *arguments: str, failpoint: str = "", **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "DESKMATE_"))}
        name = f"{time.monotonic_ns()}"
        self.out, self.err = folder / f"{name}.out", folder / f"{name}.err"
        self.started = time.monotonic()
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", failpoint + SERVE, *arguments],
                env=kept | {"PYTHONPATH": str(ROOT)} | environment,
                stdout=out,
                stderr=err,
                cwd=folder,
            )

    def ready(self) -> float:
        """Wait for the line; seconds since the start of the process."""
        deadline = time.monotonic() + PATIENCE
        while "Ready: " not in self.out.read_text():
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < deadline, "it isn't ready"
            time.sleep(0.02)
        return time.monotonic() - self.started

    def ended(self) -> int:
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        self.process.kill()
        assert self.ended() == -signal.SIGKILL

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.ended()


def environment_of(sandbox: Sandbox, settings: Settings) -> dict[str, str]:
    """What `deskmate serve` has to be told to serve this sandbox with these settings."""
    database_url = settings.roof.database_url
    assert database_url is not None
    return {
        "SLACK_BOT_TOKEN": sandbox.bot_token,
        "SLACK_APP_TOKEN": sandbox.app_token,
        "SLACK_SIGNING_SECRET": sandbox.signing_secret,
        "SLACK_API_URL": sandbox.api_url,
        "DESKMATE_HOME": str(settings.roof.home),
        "DESKMATE_DATABASE_URL": database_url.get_secret_value(),
        "DESKMATE_TRIAGE_CHANNEL": "C0TRIAGE",
    }
