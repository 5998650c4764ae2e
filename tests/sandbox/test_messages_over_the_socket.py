"""A real Bolt app, connected by Socket Mode."""

from collections.abc import Callable
from typing import Any

import pytest
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


def test_a_mention_in_a_channel_is_two_events_with_one_ts(sandbox: Sandbox, app: App, connect: Connect) -> None:
    seen: list[tuple[str, str, str]] = []

    def note(event: dict[str, Any], body: dict[str, Any], client: Any) -> None:
        seen.append((event["type"], event["ts"], body["event_id"]))
        client.reactions_add(channel=event["channel"], timestamp=event["ts"], name=f"eyes-{len(seen)}")

    app.event("message")(note)
    app.event("app_mention")(note)
    connect(app)
    workspace = sandbox.workspace

    ts = workspace.post("U0ALICE", "C0ITHELP", "@Deskmate my VPN is down")

    assert workspace.wait_until(lambda: len(workspace.stored("C0ITHELP", ts).reactions) == 2)
    assert {kind for kind, _, _ in seen} == {"message", "app_mention"}
    assert {its_ts for _, its_ts, _ in seen} == {ts}
    assert len({event_id for _, _, event_id in seen}) == 2
    assert workspace.stored("C0ITHELP", ts).text == "<@U0DESK> my VPN is down"


def test_an_event_that_is_not_acknowledged_comes_again_three_times(
    sandbox: Sandbox, app: App, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.sockets.PATIENCE", 0.2)
    seen: list[tuple[str, str | None]] = []

    @app.event("message")
    def fail(event: dict[str, Any], body: dict[str, Any], request: Any, client: Any) -> None:
        seen.append((body["event_id"], request.headers.get("x-slack-retry-num", [None])[0]))
        if len(seen) == 4:
            client.chat_postMessage(channel=event["channel"], text="at last")
            return
        raise RuntimeError("not recorded")

    connect(app)
    sandbox.workspace.post("U0ALICE", "D0ALICE", "Hello")

    assert sandbox.workspace.wait_until(lambda: len(sandbox.workspace.messages("D0ALICE", "U0ALICE")) == 2)
    assert len({event_id for event_id, _ in seen}) == 1
    assert [number for _, number in seen] == ["0", "1", "2", "3"]


def test_an_acknowledged_event_can_be_delivered_twice_on_purpose(sandbox: Sandbox, app: App, connect: Connect) -> None:
    ids: list[str] = []

    @app.event("message")
    def note(event: dict[str, Any], body: dict[str, Any], client: Any) -> None:
        ids.append(body["event_id"])
        client.reactions_add(channel=event["channel"], timestamp=event["ts"], name=f"seen-{len(ids)}")

    connect(app)
    sandbox.faults.deliver_twice()
    ts = sandbox.workspace.post("U0ALICE", "D0ALICE", "Hello")

    assert sandbox.workspace.wait_until(lambda: len(sandbox.workspace.stored("D0ALICE", ts).reactions) == 2)
    assert ids[0] == ids[1]


def test_a_cut_socket_is_noticed_and_the_next_message_still_arrives(
    sandbox: Sandbox, app: App, connect: Connect
) -> None:
    @app.event("message")
    def answer(event: dict[str, Any], say: Any) -> None:
        say(text="Here I am", thread_ts=event["ts"])

    connect(app)
    assert sandbox.faults.cut_sockets() == 1
    assert sandbox.wait_for_app(20)

    ts = sandbox.workspace.post("U0ALICE", "D0ALICE", "Anybody there?")

    assert sandbox.workspace.wait_until(lambda: len(sandbox.workspace.thread("D0ALICE", ts, "U0ALICE")) == 2, 10)


def test_edits_deletions_files_and_profiles_reach_the_app(sandbox: Sandbox, app: App, connect: Connect) -> None:
    seen: list[dict[str, Any]] = []

    def note(event: dict[str, Any], client: Any) -> None:
        seen.append(event)
        client.api_call(
            "assistant.threads.setStatus", json={"channel_id": "D0ALICE", "thread_ts": root, "status": str(len(seen))}
        )

    app.event({"type": "message", "subtype": "message_changed"})(note)
    app.event({"type": "message", "subtype": "message_deleted"})(note)
    app.event({"type": "message", "subtype": "file_share"})(note)
    app.event("user_change")(note)
    app.event("message")(lambda: None)
    connect(app)
    workspace = sandbox.workspace
    root = workspace.post("U0ALICE", "D0ALICE", "root")

    def status() -> str:
        thread = workspace.assistant_of("D0ALICE", root)
        return thread.status if thread else ""

    ts = workspace.post("U0ALICE", "D0ALICE", "teh text")
    workspace.edit("U0ALICE", "D0ALICE", ts, "the text")
    assert workspace.wait_until(lambda: status() == "1")
    workspace.delete("U0ALICE", "D0ALICE", ts)
    assert workspace.wait_until(lambda: status() == "2")
    workspace.upload("U0ALICE", "D0ALICE", "screen.png", b"\x89PNG", "see")
    assert workspace.wait_until(lambda: status() == "3")
    workspace.change_profile("U0ALICE", emails=["other@example.com"])
    assert workspace.wait_until(lambda: status() == "4")

    changed, deleted, shared, profile = seen
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("the text", "teh text")
    assert deleted["deleted_ts"] == ts
    assert (shared["files"][0]["name"], shared["files"][0]["mimetype"]) == ("screen.png", "image/png")
    assert profile["user"]["profile"]["email"] == "other@example.com"
