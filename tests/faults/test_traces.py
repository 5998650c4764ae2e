"""A desk that is killed between deciding and recording keeps one trace of the turn."""

from pathlib import Path

import pytest
from sqlalchemy import select

from bot.records import TurnTrace
from bot.traces import kept
from bot.why import Branch
from deskmate.wiring import open_database
from sandbox import Sandbox
from tests.conftest import free_port
from tests.faults.conftest import Serve
from tests.faults.process import PATIENCE, environment_of
from tests.filled import filled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DIES_AT_THE_RECORD = """
import os, signal
from pathlib import Path
from bot import turns

real = turns.keep

def dies(session, key, why, now):
    real(session, key, why, now)
    Path(os.environ["FAILPOINT_REACHED"]).write_text(key)
    os.kill(os.getpid(), signal.SIGKILL)

turns.keep = dies
"""


def test_killed_before_the_outcome_is_committed_a_turn_has_one_trace_and_one_reply(
    sandbox: Sandbox, tmp_path: Path, database_url: str, start: Serve
) -> None:
    settings = filled(sandbox, tmp_path, database_url)
    environment = environment_of(sandbox, settings) | {"FAILPOINT_REACHED": str(tmp_path / "reached")}
    arguments = ("serve", "--socket", "--port", str(free_port()))
    channel = sandbox.workspace.dm_of("U0ALICE").id

    dying = start(*arguments, failpoint=DIES_AT_THE_RECORD, **environment)
    dying.ready()
    ts = sandbox.workspace.post("U0ALICE", channel, "How do I connect to the VPN from home?")
    assert dying.ended() == -9
    key = (tmp_path / "reached").read_text()
    with open_database(settings) as database, database.reading() as session:
        assert kept(session, key) is None

    living = start(*arguments, **environment)
    living.ready()

    def replies() -> int:
        return sum(bool(message.bot_id) for message in sandbox.workspace.thread(channel, ts, "U0ALICE"))

    assert sandbox.workspace.wait_until(lambda: replies() > 0, PATIENCE)
    assert living.end() == 0
    with open_database(settings) as database, database.reading() as session:
        assert session.scalars(select(TurnTrace.turn_key)).all() == [key]
        why = kept(session, key)
    assert why is not None
    assert why.branch is Branch.KNOWLEDGE_BASE
    assert replies() == 1
