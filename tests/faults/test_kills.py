"""A desk that is killed with SIGKILL, time and again, loses no message and answers none twice."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.records import Turn
from deskmate.settings import Settings
from deskmate.wiring import open_database
from sandbox import Sandbox, delivery
from sandbox.objects import Message
from store import Database
from tests.conftest import free_port
from tests.faults.process import DIES, PATIENCE, Child, environment_of
from tests.filled import SAMPLE, filled
from tickets import queries

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

Start = Callable[..., Child]
PEOPLE = ("U0ALICE", "U0CAROL", "U0DANA", "U0PRIYA")
QUESTIONS = ("How do I connect to the VPN from home?", "how do I add a printer?", "what is the capital of Australia?")
HUMAN = "I want to talk to a human"
TRIAGE = "C0TRIAGE"
REPLY, CARD = "T0SANDBOX:", "handoff:"
"""How the keys of the two begin."""


@dataclass(frozen=True)
class Written:
    channel: str
    ts: str
    text: str


@dataclass
class Office:
    """A workspace, what was written in it, and a desk that is started again and again with the same home."""

    sandbox: Sandbox
    settings: Settings
    start: Start
    written: list[Written] = field(default_factory=list)
    restarts: list[float] = field(default_factory=list)
    """Seconds from the start of the process to `Ready`."""

    def desk(self, *, failpoint: str = "", **environment: str) -> Child:
        everything = environment_of(self.sandbox, self.settings) | environment
        return self.start("serve", "--socket", "--port", str(free_port()), failpoint=failpoint, **everything)

    def ready(self, **environment: str) -> Child:
        child = self.desk(**environment)
        self.restarts.append(child.ready())
        return child

    def write(self, user: str, text: str) -> Written:
        channel = self.sandbox.workspace.dm_of(user).id
        self.written.append(Written(channel, self.sandbox.workspace.post(user, channel, text), text))
        return self.written[-1]

    def replies(self, written: Written) -> list[Message]:
        thread = self.sandbox.workspace.thread(written.channel, written.ts, written.channel.replace("D0", "U0"))
        return [message for message in thread if message.bot_id and message.ephemeral_for is None]

    def cards(self) -> list[Message]:
        return [message for message in self.sandbox.workspace.messages(TRIAGE, "U0BOB") if message.bot_id]

    def escalations(self) -> int:
        return sum(written.text.startswith(HUMAN) for written in self.written)

    def unseen(self) -> list[Written]:
        return [written for written in self.written if not self.replies(written)]

    def missing(self) -> tuple[int, int]:
        """Replies and cards that are still to come."""
        return len(self.unseen()), max(self.escalations() - len(self.cards()), 0)

    def all_seen_to(self) -> None:
        """Wait for every reply and every card. Patience is for a desk that gets no further, however many wait.

        Asked now and then: to look at each change would keep the workspace busier than the desk does.
        """
        missing, deadline = self.missing(), time.monotonic() + PATIENCE
        while any(missing):
            assert time.monotonic() < deadline, (missing, self.unseen())
            time.sleep(0.5)
            before, missing = missing, self.missing()
            if missing != before:
                deadline = time.monotonic() + PATIENCE

    def check(self) -> None:
        """Nothing lost, nothing twice; asked of a desk that runs."""
        self.all_seen_to()
        with open_database(self.settings) as database:
            settled(database)
        assert [len(self.replies(written)) for written in self.written] == [1] * len(self.written)
        assert len(self.cards()) == self.escalations()
        with open_database(self.settings) as database, database.reading() as session:
            tickets = [ticket.number for ticket in queries.tickets(session)]
        assert len(tickets) == self.escalations()
        for number in tickets:
            assert sum(number in f"{card.text} {card.blocks}" for card in self.cards()) == 1


def settled(database: Database) -> None:
    """Wait until no turn is unfinished: nothing more would be posted."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with database.reading() as session:
            if not session.scalar(select(func.count()).where(Turn.state.in_(("received", "decided")))):
                return
        time.sleep(0.1)
    raise AssertionError("turns are unfinished")


@pytest.fixture
def office(tmp_path: Path, database_url: str, start: Start, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    # Slack delivers again for six minutes. Here one kill follows the other faster than that, so that the workspace
    # delivers as long as there are kills, every few seconds.
    monkeypatch.setattr(delivery, "REDELIVER_AFTER", (0.0, *[2.0] * 300))
    box = Sandbox(port=0, people=SAMPLE / "people.json")
    box.start()
    yield Office(box, filled(box, tmp_path, database_url), start)
    box.stop()


FAILPOINTS = (
    # ten times Slack has it and the desk hasn't, twice nobody has
    *(((REPLY, "_sent"), (CARD, "_sent")) * 5),
    (REPLY, "_send"),
    (CARD, "_send"),
)
RANDOM_KILLS = 10


@pytest.mark.timeout(900)
def test_killed_between_posting_and_recording_each_message_has_one_reply_and_each_escalation_one_card(
    office: Office, tmp_path: Path
) -> None:
    """Each at a named point; that the point was reached is checked.

    The point may be reached while the desk takes up what the kill before left: then that message is hit once more.
    """
    for number, (wanted, method) in enumerate(FAILPOINTS):
        reached = tmp_path / f"reached-{number}"
        text = f"{HUMAN} about door {number}" if wanted == CARD else QUESTIONS[0]
        office.write(PEOPLE[number % len(PEOPLE)], text)
        child = office.desk(failpoint=DIES, FAILPOINT=wanted, FAILPOINT_METHOD=method, FAILPOINT_REACHED=str(reached))

        assert child.ended() == -9, child.err.read_text()
        assert reached.read_text().startswith(wanted)

    last = office.ready()
    office.check()
    print(f"{len(office.written)} kills, the restart after them took {spread(office.restarts)}")
    assert last.end() == 0


@pytest.mark.timeout(900)
def test_killed_at_random_moments_nothing_is_lost_and_nothing_is_done_twice(office: Office) -> None:
    """While four people write; every fourth kill hits the start itself."""
    chance = random.Random(8)
    over = threading.Event()

    def people() -> None:
        number = 0
        while not over.wait(0.4):
            text = f"{HUMAN} about desk {number}" if number % 3 == 0 else QUESTIONS[number % len(QUESTIONS)]
            office.write(PEOPLE[number % len(PEOPLE)], text)
            number += 1

    writing = threading.Thread(target=people)
    child = office.ready()
    writing.start()
    try:
        for number in range(RANDOM_KILLS):
            over.wait(chance.uniform(0.05, 2.5))
            child.kill()
            if number % 4 == 3:
                early = office.desk()
                over.wait(chance.uniform(0.5, 6))
                early.kill()
            child = office.ready()
    finally:
        over.set()
        writing.join()
    office.check()
    print(
        f"{RANDOM_KILLS} kills, {len(office.written)} messages, {office.escalations()} escalations,"
        f" restarts took {spread(office.restarts)}"
    )
    assert child.end() == 0


def spread(seconds: list[float]) -> str:
    return f"{min(seconds):.1f} to {max(seconds):.1f} s"
