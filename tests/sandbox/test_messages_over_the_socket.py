"""A real Bolt app, connected by Socket Mode."""

from collections.abc import Callable
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler

from sandbox import Sandbox

Connect = Callable[[App], SocketModeHandler]


def test_a_direct_message_is_answered(sandbox: Sandbox, app: App, connect: Connect) -> None:
    @app.event("message")
    def answer(event: dict[str, Any], say: Any) -> None:
        say(text=f"You said: {event['text']}", thread_ts=event["ts"])

    connect(app)
    workspace = sandbox.workspace

    ts = workspace.post("U0ALICE", "D0ALICE", "My badge <stopped> & more")

    assert workspace.wait_until(lambda: len(workspace.thread("D0ALICE", ts, "U0ALICE")) == 2)
    question, reply = workspace.thread("D0ALICE", ts, "U0ALICE")
    assert question.text == "My badge &lt;stopped&gt; &amp; more"
    assert reply.text == "You said: My badge &lt;stopped&gt; &amp; more"
    assert (reply.user, reply.bot_id, reply.thread_ts) == ("U0DESK", "B0DESK", ts)
    assert question.reply_count == 1
