"""Buttons, modals, commands, the home tab and the assistant pane, with a real Bolt app."""

import json
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox import Sandbox

Connect = Callable[[App], SocketModeHandler]


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


BUTTON = {
    "type": "actions",
    "block_id": "ask",
    "elements": [{"type": "button", "action_id": "open", "text": plain("Reset"), "value": "42"}],
}
FORM = {
    "type": "modal",
    "callback_id": "reset",
    "private_metadata": "kept",
    "title": plain("Reset"),
    "submit": plain("Send"),
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "code",
            "label": plain("Code"),
            "element": {"type": "plain_text_input", "action_id": "entry"},
        },
        {
            "type": "input",
            "block_id": "system",
            "optional": True,
            "label": plain("System"),
            "element": {
                "type": "static_select",
                "action_id": "pick",
                "options": [{"text": plain("Mail"), "value": "mail"}, {"text": plain("VPN"), "value": "vpn"}],
            },
        },
    ],
}


def with_form(app: App, seen: list[dict[str, Any]]) -> None:
    @app.action("open")
    def open_form(ack: Any, body: dict[str, Any], client: Any) -> None:
        seen.append(body)
        client.views_open(trigger_id=body["trigger_id"], view=FORM)
        ack()

    @app.view("reset")
    def check(ack: Any, body: dict[str, Any], view: dict[str, Any]) -> None:
        seen.append(body)
        if view["state"]["values"]["code"]["entry"]["value"] != "123456":
            ack(response_action="errors", errors={"code": "That code is wrong"})
        else:
            ack()

    @app.view_closed("reset")
    def closed(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body)
        ack()


def test_a_button_opens_a_form_whose_errors_are_shown_until_it_is_right(
    sandbox: Sandbox, app: App, client: WebClient, connect: Connect
) -> None:
    seen: list[dict[str, Any]] = []
    with_form(app, seen)
    connect(app)
    workspace = sandbox.workspace
    ts = client.chat_postMessage(channel="D0ALICE", text="Reset?", blocks=[BUTTON])["ts"]

    assert workspace.click("U0ALICE", "D0ALICE", ts, "ask", "open").ok
    form = workspace.view_of("U0ALICE")
    assert form is not None
    assert workspace.submit("U0ALICE", form.id, {}) == {"code": "Please complete this required field."}
    assert workspace.submit("U0ALICE", form.id, {"code": "000000"}) == {"code": "That code is wrong"}
    shown = workspace.view_of("U0ALICE")
    assert shown is not None
    assert shown.errors == {"code": "That code is wrong"}
    assert workspace.submit("U0ALICE", form.id, {"code": {"entry": "123456"}, "system": "vpn"}) is None
    assert workspace.view_of("U0ALICE") is None

    click, *_, last = seen
    assert click["actions"][0] | {"action_ts": ""} == {
        "action_id": "open",
        "block_id": "ask",
        "type": "button",
        "text": plain("Reset"),
        "value": "42",
        "action_ts": "",
    }
    assert (click["container"]["message_ts"], click["message"]["ts"], click["channel"]["id"]) == (ts, ts, "D0ALICE")
    assert last["view"]["private_metadata"] == "kept"
    assert last["view"]["state"]["values"]["system"]["pick"]["selected_option"]["value"] == "vpn"


def test_a_trigger_opens_one_form_within_three_seconds(
    sandbox: Sandbox, client: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = sandbox.workspace
    trigger = workspace.new_trigger("U0ALICE")
    client.views_open(trigger_id=trigger, view=FORM)
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        client.views_open(trigger_id=trigger, view=FORM)
    monkeypatch.setattr("sandbox.state.TRIGGER_SECONDS", -1.0)
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        client.views_open(trigger_id=workspace.new_trigger("U0ALICE"), view=FORM)


def test_a_closed_form_is_told_and_an_old_hash_is_refused(
    sandbox: Sandbox, app: App, client: WebClient, connect: Connect
) -> None:
    seen: list[dict[str, Any]] = []
    with_form(app, seen)
    connect(app)
    view = client.views_open(trigger_id=sandbox.workspace.new_trigger("U0ALICE"), view=FORM)["view"]
    client.views_update(view_id=view["id"], hash=view["hash"], view=FORM)
    with pytest.raises(SlackApiError, match="hash_conflict"):
        client.views_update(view_id=view["id"], hash=view["hash"], view=FORM)

    sandbox.workspace.close("U0ALICE", view["id"])

    assert [body["type"] for body in seen] == ["view_closed"]


def test_a_form_can_be_updated_and_pushed_upon_by_the_answer(sandbox: Sandbox, app: App, connect: Connect) -> None:
    @app.view("reset")
    def second(ack: Any) -> None:
        ack(response_action="update", view=FORM | {"callback_id": "second", "title": plain("Second")})

    @app.view("second")
    def third(ack: Any) -> None:
        ack(response_action="push", view=FORM | {"callback_id": "third", "title": plain("Third")})

    @app.view("third")
    def end(ack: Any) -> None:
        ack(response_action="clear")

    connect(app)
    workspace = sandbox.workspace
    view_id = WebClient(token=sandbox.bot_token, base_url=sandbox.api_url).views_open(
        trigger_id=workspace.new_trigger("U0ALICE"), view=FORM
    )["view"]["id"]
    titles = []
    while (view := workspace.view_of("U0ALICE")) is not None:
        titles.append(view.body["title"]["text"])
        assert workspace.submit("U0ALICE", view.id, {"code": "1"}) is None
    assert titles == ["Reset", "Second", "Third"]
    assert view_id


def test_a_command_is_answered_at_once_and_later_by_its_response_url(
    sandbox: Sandbox, app: App, connect: Connect
) -> None:
    @app.command("/desk")
    def desk(ack: Any, respond: Any, command: dict[str, Any]) -> None:
        ack(f"Looking for {command['text']}")
        respond("Found it")

    connect(app)
    workspace = sandbox.workspace

    answer = workspace.command("U0ALICE", "C0GENERAL", "/desk", "status 42")

    assert answer is not None
    assert answer.text == "Looking for status 42"
    assert workspace.wait_until(lambda: len(workspace.messages("C0GENERAL", "U0ALICE")) == 2)
    assert {m.text for m in workspace.messages("C0GENERAL", "U0ALICE")} == {"Looking for status 42", "Found it"}
    assert workspace.messages("C0GENERAL", "U0BOB") == []


def test_a_command_that_nobody_takes_fails_before_the_persons_eyes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.sockets.PATIENCE", 0.1)
    answer = sandbox.workspace.command("U0ALICE", "C0GENERAL", "/desk")
    assert answer is not None
    assert answer.text == '/desk failed with the error "dispatch_failed"'


def test_a_response_url_replaces_the_clicked_message_and_wears_out(
    sandbox: Sandbox, app: App, client: WebClient, connect: Connect
) -> None:
    urls: list[str] = []

    @app.action("open")
    def done(ack: Any, body: dict[str, Any], respond: Any) -> None:
        urls.append(body["response_url"])
        respond(replace_original=True, text="Done")
        ack()

    connect(app)
    ts = client.chat_postMessage(channel="D0ALICE", text="Reset?", blocks=[BUTTON])["ts"]
    sandbox.workspace.click("U0ALICE", "D0ALICE", ts, "ask", "open")

    changed = sandbox.workspace.message("D0ALICE", ts)
    assert changed is not None
    assert (changed.text, changed.blocks) == ("Done", [])
    for _ in range(4):
        request = urllib.request.Request(
            urls[0], json.dumps({"text": "more"}).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request).close()
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert b"used_url" in refused.value.read()
    refused.value.close()


def test_the_home_tab_is_published_and_its_buttons_work(sandbox: Sandbox, app: App, connect: Connect) -> None:
    seen: list[dict[str, Any]] = []

    @app.event("app_home_opened")
    def publish(event: dict[str, Any], client: Any) -> None:
        client.views_publish(user_id=event["user"], view={"type": "home", "blocks": [BUTTON]})

    @app.action("open")
    def pressed(ack: Any, body: dict[str, Any]) -> None:
        seen.append(body)
        ack()

    connect(app)
    workspace = sandbox.workspace
    workspace.open_home("U0ALICE")
    assert workspace.wait_until(lambda: workspace.home_of("U0ALICE") is not None)

    assert workspace.click_home("U0ALICE", "ask", "open").ok
    assert seen[0]["view"]["type"] == "home"
    assert seen[0]["container"]["type"] == "view"


def test_the_assistant_pane_shows_prompts_status_title_and_a_stream(
    sandbox: Sandbox, app: App, client: WebClient, connect: Connect
) -> None:
    @app.event("assistant_thread_started")
    def greet(event: dict[str, Any], client: Any) -> None:
        thread = event["assistant_thread"]
        where = {"channel_id": thread["channel_id"], "thread_ts": thread["thread_ts"]}
        client.assistant_threads_setSuggestedPrompts(**where, prompts=[{"title": "VPN", "message": "How?"}])
        client.assistant_threads_setTitle(**where, title="Hello")
        client.assistant_threads_setStatus(**where, status="is thinking...")

    app.event("message")(lambda: None)
    connect(app)
    workspace = sandbox.workspace
    ts = workspace.open_assistant("U0ALICE")

    def thread() -> Any:
        return workspace.assistant_of("D0ALICE", ts)

    assert workspace.wait_until(lambda: thread().status == "is thinking...")
    assert (thread().title, thread().prompts[0]["title"]) == ("Hello", "VPN")

    stream = client.chat_startStream(channel="D0ALICE", thread_ts=ts)
    client.chat_appendStream(channel="D0ALICE", ts=stream["ts"], markdown_text="**One** ")
    client.chat_appendStream(channel="D0ALICE", ts=stream["ts"], markdown_text="two")
    client.chat_stopStream(channel="D0ALICE", ts=stream["ts"])

    assert workspace.thread("D0ALICE", ts, "U0ALICE")[-1].text == "**One** two"
    assert thread().status == ""
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        client.chat_appendStream(channel="D0ALICE", ts=stream["ts"], markdown_text="late")
    root = client.chat_postMessage(channel="C0GENERAL", text="root")["ts"]
    with pytest.raises(SlackApiError, match="missing_recipient_team_id"):
        client.chat_startStream(channel="C0GENERAL", thread_ts=root)
