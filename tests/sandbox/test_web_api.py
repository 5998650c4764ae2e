"""The Web API's answers: lookups, limits, error codes."""

import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sandbox import Sandbox


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(action_id: str = "a", text: str = "Go", **more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": plain(text), **more}


def modal(**more: Any) -> dict[str, Any]:
    return {"type": "modal", "title": plain("Form"), "blocks": [section("x")], **more}


LONG_OPTIONS = [{"text": plain(str(n)), "value": str(n)} for n in range(101)]
SELECT = {"type": "static_select", "action_id": "s", "options": LONG_OPTIONS}
REFUSED_BLOCKS: list[tuple[list[dict[str, Any]], str]] = [
    ([section("x" * 3001)], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
    ([section("")], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    ([section("x")] * 51, "no more than 50 items allowed [json-pointer:/blocks]"),
    ([{"type": "header", "text": plain("x" * 151)}], "less than 151 characters [json-pointer:/blocks/0/text/text]"),
    ([{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}], "unsupported text type: mrkdwn"),
    ([{"type": "actions", "elements": [button(text="x" * 76)]}], "[json-pointer:/blocks/0/elements/0/text/text]"),
    ([{"type": "actions", "elements": [button(value="x" * 2001)]}], "less than 2001"),
    ([{"type": "actions", "elements": [button(str(n)) for n in range(26)]}], "no more than 25 items"),
    ([{"type": "actions", "elements": [button(), button()]}], "duplicate action_id: a"),
    ([{"type": "actions", "elements": [SELECT]}], "no more than 100 items"),
    ([section("x", block_id="b"), section("y", block_id="b")], "duplicate block_id: b"),
    ([section("x", colour="red")], "invalid additional property: colour"),
    ([{"type": "section"}], "must provide one of: text, fields"),
    ([{"type": "carpet"}], "unsupported block type: carpet"),
    ([{"type": "markdown", "text": "x" * 7000}] * 2, "less than 12001 characters in all"),
    ([{"type": "image", "image_url": "http://x/y.png"}], "missing required field: alt_text"),
    ([{"type": "image", "image_url": "u", "alt_text": "a", "image_width": 3}], "additional property: image_width"),
    ([{"type": "context", "elements": [plain(str(n)) for n in range(11)]}], "no more than 10 items"),
]


@pytest.mark.parametrize(("blocks", "complaint"), REFUSED_BLOCKS)
def test_blocks_over_a_limit_are_refused_with_their_place(
    client: WebClient, blocks: list[dict[str, Any]], complaint: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)
    assert refused.value.response["error"] == "invalid_blocks"
    assert complaint in refused.value.response["response_metadata"]["messages"][0]


def test_each_block_that_we_use_is_taken(client: WebClient) -> None:
    feedback = {"text": plain("Yes"), "value": "yes"}
    entry = {"type": "plain_text_input", "action_id": "e", "multiline": True, "placeholder": plain("Why?")}
    option = {"text": plain("One"), "value": "1"}
    blocks: list[dict[str, Any]] = [
        section("*Hi*", accessory={"type": "overflow", "action_id": "o", "options": [option]}),
        {"type": "section", "fields": [plain("a"), {"type": "mrkdwn", "text": "b"}]},
        {"type": "divider"},
        {"type": "header", "text": plain("Title")},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "small"}]},
        {
            "type": "actions",
            "elements": [button(style="primary", url="http://x.example"), SELECT | {"options": [option]}],
        },
        {
            "type": "context_actions",
            "elements": [
                {"type": "feedback_buttons", "action_id": "f", "positive_button": feedback, "negative_button": feedback}
            ],
        },
        {"type": "input", "label": plain("Why"), "element": entry, "optional": True},
        {"type": "image", "image_url": "http://x.example/y.png", "alt_text": "y"},
        {"type": "markdown", "text": "# Title"},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, {"type": "raw_text", "text": "b"}]]},
    ]
    kept = client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)["message"]["blocks"]
    assert all(block["block_id"] for block in kept)
    with pytest.raises(SlackApiError, match="invalid_blocks"):  # what comes back carries fields that Slack refuses
        client.chat_postMessage(channel="C0GENERAL", text="x", blocks=kept)


REFUSED_CALLS: list[tuple[str, dict[str, Any], str]] = [
    ("chat.postMessage", {"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": "C0GENERAL"}, "no_text"),
    ("chat.postMessage", {"channel": "C0GENERAL", "text": "x" * 40_001}, "msg_too_long"),
    ("chat.postMessage", {"channel": "C0GENERAL", "text": "x", "thread_ts": "1.0"}, "thread_not_found"),
    (
        "chat.postMessage",
        {"channel": "C0GENERAL", "text": "x", "metadata": {"event_type": "t"}},
        "invalid_metadata_format",
    ),
    ("chat.update", {"channel": "C0GENERAL", "ts": "1.0", "text": "x"}, "message_not_found"),
    ("chat.update", {"channel": "C0GENERAL", "text": "x"}, "invalid_arguments"),
    ("conversations.replies", {"channel": "C0GENERAL", "ts": "1.0"}, "thread_not_found"),
    ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
    ("users.lookupByEmail", {"email": "nobody@example.com"}, "users_not_found"),
    ("views.open", {"trigger_id": "1", "view": modal(title=plain("x" * 25))}, "invalid_arguments"),
    ("views.open", {"trigger_id": "1", "view": modal(private_metadata="x" * 3001)}, "invalid_arguments"),
    ("views.open", {"trigger_id": "1", "view": modal(blocks=[section("x")] * 101)}, "invalid_arguments"),
    ("chat.sing", {}, "unknown_method"),
]


@pytest.mark.parametrize(("method", "args", "error"), REFUSED_CALLS)
def test_a_wrong_call_gets_slacks_error(client: WebClient, method: str, args: dict[str, Any], error: str) -> None:
    with pytest.raises(SlackApiError) as refused:
        client.api_call(method, json=args)
    assert refused.value.response["error"] == error


def test_a_wrong_token_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        WebClient(token="xoxb-wrong", base_url=sandbox.api_url).auth_test()
    with pytest.raises(SlackApiError, match="not_authed"):
        WebClient(base_url=sandbox.api_url).auth_test()


def test_the_bot_can_post_update_react_and_delete(client: WebClient) -> None:
    metadata = {"event_type": "kept", "event_payload": {"key": "1"}}
    ts = client.chat_postMessage(channel="#general", text="one", blocks=[section("one")], metadata=metadata)["ts"]
    client.chat_postMessage(channel="C0GENERAL", text="two", thread_ts=ts)
    client.chat_update(channel="C0GENERAL", ts=ts, text="one, again")
    client.reactions_add(channel="C0GENERAL", timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError, match="already_reacted"):
        client.reactions_add(channel="C0GENERAL", timestamp=ts, name="eyes")
    client.reactions_remove(channel="C0GENERAL", timestamp=ts, name="eyes")
    with pytest.raises(SlackApiError, match="no_reaction"):
        client.reactions_remove(channel="C0GENERAL", timestamp=ts, name="eyes")

    root, reply = client.conversations_replies(channel="C0GENERAL", ts=ts, include_all_metadata=True)["messages"]
    assert (root["text"], root["reply_count"], root["metadata"]) == ("one, again", 1, metadata)
    assert "blocks" not in root
    assert (reply["thread_ts"], reply["parent_user_id"]) == (ts, "U0DESK")
    assert "metadata" not in client.conversations_replies(channel="C0GENERAL", ts=ts)["messages"][0]
    assert len(client.conversations_history(channel="C0GENERAL")["messages"]) == 1
    client.chat_delete(channel="C0GENERAL", ts=reply["ts"])
    assert len(client.conversations_replies(channel="C0GENERAL", ts=ts)["messages"]) == 1
    with pytest.raises(SlackApiError, match="msg_too_long"):
        client.chat_update(channel="C0GENERAL", ts=ts, text="x" * 4001)


def test_people_and_channels_are_found(client: WebClient) -> None:
    assert client.auth_test()["user_id"] == "U0DESK"
    assert client.users_info(user="U0ALICE")["user"]["profile"]["email"] == "alice.adams@example.com"
    assert client.users_lookupByEmail(email="BOB.brown@example.com")["user"]["id"] == "U0BOB"
    assert client.conversations_open(users=["U0ALICE"])["channel"]["id"] == "D0ALICE"
    assert client.conversations_info(channel="C0ITHELP")["channel"]["name"] == "it-help"
    assert client.conversations_members(channel="C0TRIAGE")["members"] == ["U0BOB", "U0DESK"]
    pages = [page["channels"] for page in client.conversations_list(types="public_channel,private_channel", limit=2)]
    assert [channel["name"] for page in pages for channel in page] == ["general", "it-help", "it-triage"]


def test_a_file_needs_the_bots_token_or_a_login_page_comes_back(sandbox: Sandbox, client: WebClient) -> None:
    ts = sandbox.workspace.upload("U0ALICE", "D0ALICE", "a note.txt", b"content")
    file = client.conversations_replies(channel="D0ALICE", ts=ts)["messages"][0]["files"][0]
    assert client.files_info(file=file["id"])["file"]["size"] == 7

    def fetch(headers: dict[str, str]) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(file["url_private"], headers=headers)) as answer:
            content: bytes = answer.read()
            return content

    assert fetch({"Authorization": f"Bearer {sandbox.bot_token}"}) == b"content"
    assert b"Sign in" in fetch({})
