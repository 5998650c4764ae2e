"""How long Slack waits for the acknowledgement, and a person for the reply.

    python -m bench.conversation

A desk in a process of its own (`deskmate serve`, Socket Mode, SQLite) with four small articles, and a Slack workspace
in this one: 30 messages of one person, each after the reply to the one before; then fifty people who write at once.
Prints a Markdown table. What the workspace and this program take on the same processors is in the numbers.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.knowledge_base import REPOSITORY, table
from bot.directory.settings import DirectorySettings
from bot.notices import NoticeSettings
from bot.people import load_feed
from bot.settings import BotSettings, SlackSettings
from deskmate.settings import DeskmateSettings, Settings
from deskmate.wiring import open_database, open_library, people_of
from knowledge.articles import Document
from knowledge.settings import KnowledgeSettings
from sandbox import Sandbox
from sandbox.objects import Acknowledgement, Envelope

SAMPLE = REPOSITORY / "deskmate" / "sample"
ARTICLES = {
    "Connect to the VPN from home": "1. Open the **VPN** app.\n2. Choose *Home office*.\n3. Confirm the code.\n",
    "Add a printer": "1. Open *Printers*.\n2. Choose *Add a printer* and pick the one on your floor.\n",
    "Install software": "1. Open the *Software Centre*.\n2. Choose a program and press *Install*.\n",
    "Share a calendar": "1. Open the calendar.\n2. Choose *Share* and name a colleague.\n",
}
QUESTIONS = (
    "How do I connect to the VPN from home?",
    "how do I add a printer?",
    "how can I install software?",
    "how do I share my calendar?",
    "what is the capital of Australia?",
)
IN_SEQUENCE, AT_ONCE = 30, 50
START_SECONDS, WAIT_SECONDS = 120.0, 120.0


@dataclass(frozen=True)
class Timed:
    """Seconds since the message was written."""

    acknowledged: float
    replied: float


class Watch:
    """Notes when each message's event was acknowledged and when its reply was there."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._workspace = sandbox.workspace
        self._acknowledged: dict[str, float] = {}
        self._deliver = self._workspace.deliver
        self._workspace.deliver = self._delivering

    def _delivering(self, envelope: Envelope) -> "Future[Acknowledgement]":
        answer = self._deliver(envelope)
        ts = envelope.payload.get("event", {}).get("ts")
        if ts is not None:
            answer.add_done_callback(lambda _: self._acknowledged.setdefault(ts, time.time()))
        return answer

    def replied_at(self, channel: str, ts: str) -> float | None:
        for message in self._workspace.history[channel].values():
            if message.thread_ts == ts and message.bot_id:
                return float(message.ts)
        return None

    def timed(self, people: Sequence[str], text: str) -> list[Timed]:
        """Have these people write now, and wait for all replies."""
        rooms = [self._workspace.dm_of(user).id for user in people]
        written = [(room, self._workspace.post(user, room, text)) for user, room in zip(people, rooms, strict=True)]
        done = self._workspace.wait_until(lambda: all(self.replied_at(*each) for each in written), WAIT_SECONDS)
        if not done:
            sys.exit("A message got no reply.")
        found = []
        for room, ts in written:
            replied = self.replied_at(room, ts)
            assert replied is not None
            found.append(Timed(self._acknowledged[ts] - float(ts), replied - float(ts)))
        return found


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(home)
        many = [f"U0X{number:02}" for number in range(AT_ONCE)]
        with workspace(Path(folder), many) as sandbox, desk(sandbox, home) as ready_after:
            watch = Watch(sandbox)
            watch.timed(["U0ALICE"], QUESTIONS[0])  # connections open, caches filled
            alone = [watch.timed(["U0ALICE"], QUESTIONS[n % len(QUESTIONS)])[0] for n in range(IN_SEQUENCE)]
            together = watch.timed(many, QUESTIONS[0])
    rows = [
        row(f"one person, {IN_SEQUENCE} messages in sequence", alone),
        row(f"{AT_ONCE} people at once", together),
    ]
    print(table(["ms", "acknowledged p50", "p95", "replied p50", "p95", "most"], rows))
    print(f"\nThe desk was ready {ready_after:.1f} s after its start.", file=sys.stderr)


def row(name: str, measured: Sequence[Timed]) -> list[str | int]:
    acknowledged = sorted(each.acknowledged for each in measured)
    replied = sorted(each.replied for each in measured)
    return [
        name,
        *(milliseconds(quantile(acknowledged, share)) for share in (0.5, 0.95)),
        *(milliseconds(quantile(replied, share)) for share in (0.5, 0.95, 1.0)),
    ]


def quantile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all doesn't exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def milliseconds(seconds: float) -> int:
    return round(1000 * seconds)


def fill(home: Path) -> None:
    settings = Settings(
        roof=DeskmateSettings(home=home, database_url=None),
        slack=SlackSettings(),
        bot=BotSettings(),
        knowledge=KnowledgeSettings(home=home),
        directory=DirectorySettings(),
        notices=NoticeSettings(),
    )
    documents = [
        Document(title.lower().replace(" ", "-"), title, text, None, (), None, None, "bench", title, None)
        for title, text in ARTICLES.items()
    ]
    with open_database(settings, migrated=True) as database, open_library(database, settings) as library:
        library.add(documents)
        people_of(database, settings, secret=settings.roof.secret()).import_feed(load_feed(SAMPLE / "people.json"))


@contextmanager
def workspace(folder: Path, more: Sequence[str]) -> Iterator[Sandbox]:
    people = json.loads((SAMPLE / "people.json").read_text(encoding="utf-8"))
    people += [{"account": user.lower(), "name": f"Employee {user}", "slack_user_id": user} for user in more]
    (folder / "people.json").write_text(json.dumps(people), encoding="utf-8")
    sandbox = Sandbox(port=0, people=folder / "people.json")
    sandbox.start()
    try:
        yield sandbox
    finally:
        sandbox.stop()


@contextmanager
def desk(sandbox: Sandbox, home: Path) -> Iterator[float]:
    """`deskmate serve` for the time of the block; gives the seconds that it took until `Ready`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "DESKMATE_"))}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-c", "from deskmate.cli import app; app()", "serve", "--socket", "--port", "0"],
        env=kept
        | {
            "PYTHONPATH": str(REPOSITORY),
            "SLACK_BOT_TOKEN": sandbox.bot_token,
            "SLACK_APP_TOKEN": sandbox.app_token,
            "SLACK_API_URL": sandbox.api_url,
            "DESKMATE_HOME": str(home),
            "DESKMATE_TRIAGE_CHANNEL": "C0TRIAGE",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=home,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline().startswith("Ready"):
            sys.exit("The desk did not start; run `deskmate doctor`.")
        ready_after = time.monotonic() - started
        if not sandbox.wait_for_app(START_SECONDS):
            sys.exit("The desk did not connect.")
        yield ready_after
    finally:
        process.terminate()
        process.wait(START_SECONDS)
        if process.stdout is not None:
            process.stdout.close()


if __name__ == "__main__":
    main()
