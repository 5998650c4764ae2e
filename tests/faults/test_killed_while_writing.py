"""Killed while a language model's answer grows in Slack, the desk leaves one whole message in the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bot.test_streaming import STEPS, in_steps
from tests.faults.process import DIES, PATIENCE
from tests.faults.test_kills import QUESTIONS, REPLY, Office, office
from tests.knowledge.model_server import ModelServer, Trouble, model_server

__all__ = ["office"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DIES_AFTER_APPENDING = """
import os, signal
from pathlib import Path
from bot.slack import Slack

place, left = Path(os.environ["FAILPOINT_REACHED"]), [int(os.environ["FAILPOINT_APPENDS"])]
real = Slack.append_to_stream

def dies(self, **named):
    real(self, **named)
    left[0] -= 1
    if not left[0]:
        place.write_text(named["ts"])
        os.kill(os.getpid(), signal.SIGKILL)

Slack.append_to_stream = dies
"""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as server:
        server.scripts = [in_steps]
        yield server


@pytest.fixture
def model(server: ModelServer) -> dict[str, str]:
    """The environment by which a desk finds it."""
    return {
        "DESKMATE_LLM": "openai:local-model",
        "OPENAI_BASE_URL": server.url,
        "OPENAI_API_KEY": "none",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }


def check_whole(office: Office) -> None:
    office.check()
    for written in office.written:
        (reply,) = office.replies(written)
        assert not reply.streaming
        assert reply.metadata is not None
        text = "".join(block["text"] for block in reply.blocks if block["type"] == "markdown")
        assert [text.count(step) for step in STEPS] == [1, 1, 1]
        assert any(block["type"] == "actions" for block in reply.blocks)


@pytest.mark.parametrize("method", ["start_stream", "_sent", "finish_stream", "_is_whole"])
def test_killed_at_any_point_of_a_stream_it_ends_as_one_whole_message(
    office: Office, tmp_path: Path, model: dict[str, str], method: str
) -> None:
    reached = tmp_path / "reached"
    office.write("U0ALICE", QUESTIONS[0])
    failing = {"FAILPOINT": REPLY, "FAILPOINT_METHOD": method, "FAILPOINT_REACHED": str(reached)}
    assert office.desk(failpoint=DIES, **failing, **model).ended() == -9
    assert reached.exists()

    last = office.ready(**model)
    check_whole(office)
    assert last.end() == 0


@pytest.mark.parametrize("appends", [1, 3])
def test_killed_with_half_an_answer_in_slack_the_same_message_becomes_whole(
    office: Office, tmp_path: Path, model: dict[str, str], server: ModelServer, appends: int
) -> None:
    reached = tmp_path / "reached"
    written = office.write("U0ALICE", QUESTIONS[0])
    failing = {"FAILPOINT_APPENDS": str(appends), "FAILPOINT_REACHED": str(reached)}
    assert office.desk(failpoint=DIES_AFTER_APPENDING, **failing, **model).ended() == -9
    assert office.replies(written)[0].streaming

    server.scripts = [lambda _: [Trouble(500)]]  # and by then the model is gone
    last = office.ready(**model)
    assert office.sandbox.workspace.wait_until(lambda: not office.replies(written)[0].streaming, PATIENCE)
    check_whole(office)
    assert office.replies(written)[0].ts == reached.read_text()
    assert last.end() == 0
