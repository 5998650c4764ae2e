"""Slack's app manifest: what Slack would refuse, and what the bot needs it to grant."""

import json
import re
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
MANIFEST: dict[str, Any] = json.loads((REPOSITORY / "manifest.json").read_text("utf-8"))
SCOPES: list[str] = MANIFEST["oauth_config"]["scopes"]["bot"]
EVENTS: list[str] = MANIFEST["settings"]["event_subscriptions"]["bot_events"]
SETUP = (REPOSITORY / "docs" / "slack-setup.md").read_text("utf-8")
SCOPE_OF_EVENT = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "assistant_thread_context_changed": None,
    "assistant_thread_started": None,
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "user_change": "users:read",
}
SCOPES_OF_METHOD = {
    "assistant.threads.setStatus": {"chat:write"},
    "assistant.threads.setSuggestedPrompts": {"assistant:write"},
    "assistant.threads.setTitle": {"assistant:write"},
    "auth.test": set(),
    "chat.appendStream": {"chat:write"},
    "chat.getPermalink": set(),
    "chat.postEphemeral": {"chat:write"},
    "chat.postMessage": {"chat:write", "chat:write.customize"},
    "chat.startStream": {"chat:write"},
    "chat.stopStream": {"chat:write"},
    "chat.update": {"chat:write"},
    "conversations.history": {"channels:history", "groups:history", "im:history"},
    "conversations.info": {"channels:read", "groups:read"},
    "conversations.members": {"channels:read", "groups:read"},
    "conversations.open": {"im:write"},
    "conversations.replies": {"channels:history", "groups:history", "im:history"},
    "files.info": {"files:read"},
    "reactions.add": {"reactions:write"},
    "reactions.remove": {"reactions:write"},
    "users.conversations": {"channels:read", "groups:read"},
    "users.info": {"users:read", "users:read.email"},
    "views.open": set(),
    "views.publish": set(),
    "views.push": set(),
    "views.update": set(),
}


def test_scopes_and_events_are_named_once() -> None:
    assert len(SCOPES) == len(set(SCOPES))
    assert len(EVENTS) == len(set(EVENTS))


def test_each_event_has_the_scope_that_slack_demands_for_it() -> None:
    assert set(EVENTS) == set(SCOPE_OF_EVENT)
    assert {scope for scope in SCOPE_OF_EVENT.values() if scope} <= set(SCOPES)


def test_no_scope_is_asked_for_that_nothing_needs() -> None:
    needed = set().union(*SCOPES_OF_METHOD.values()) | {scope for scope in SCOPE_OF_EVENT.values() if scope}

    assert set(SCOPES) == needed | {"commands"}


def test_the_setup_guide_names_the_scope_of_each_method_and_event() -> None:
    rows = {
        row[0].strip(" `"): set(re.findall(r"`([a-z_.]+:?[a-z.]*)`", row[1]))
        for row in re.findall(r"^\|([^|]+)\|([^|]+)\|", SETUP, re.MULTILINE)
    }

    for method, scopes in SCOPES_OF_METHOD.items():
        assert rows[method] == scopes, method
    for event, scope in SCOPE_OF_EVENT.items():
        assert rows[event] == ({scope} if scope else set()), event


def test_texts_keep_to_slacks_limits() -> None:
    about, features = MANIFEST["display_information"], MANIFEST["features"]

    assert len(about["name"]) <= 35
    assert len(about["description"]) <= 140
    assert 175 <= len(about["long_description"]) <= 4000
    assert len(features["agent_view"]["agent_description"]) <= 300
    assert len(features["agent_view"]["suggested_prompts"]) <= 4
    assert all(set(prompt) == {"title", "message"} for prompt in features["agent_view"]["suggested_prompts"])


def test_people_can_write_to_the_app_and_open_its_home() -> None:
    home = MANIFEST["features"]["app_home"]

    assert home == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    assert [command["command"] for command in MANIFEST["features"]["slash_commands"]] == ["/desk"]


def test_it_is_a_socket_mode_app_of_one_workspace_with_a_lasting_token() -> None:
    settings = MANIFEST["settings"]

    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"]["is_enabled"] is True
    assert settings["org_deploy_enabled"] is False
    assert settings["token_rotation_enabled"] is False


def code_of_the_bot() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((REPOSITORY / "bot").rglob("*.py")))


def test_the_events_of_the_manifest_are_those_that_the_bot_listens_to() -> None:
    listened = set(re.findall(r'app\.event\("([a-z_]+)"', code_of_the_bot()))

    assert {event.partition(".")[0] for event in EVENTS} == listened


def test_the_commands_of_the_manifest_are_those_that_the_bot_listens_to() -> None:
    listened = set(re.findall(r'app\.command\("(/[a-z]+)"', code_of_the_bot()))

    assert {command["command"] for command in MANIFEST["features"]["slash_commands"]} == listened


def test_the_scopes_are_those_of_the_methods_that_the_bot_calls() -> None:
    called = set(re.findall(r"(?:client|_reading)\.([a-z]+_[A-Za-z_]+)\(", code_of_the_bot()))
    methods = {call.replace("_", ".") for call in called} - {"web.client"}

    assert methods <= set(SCOPES_OF_METHOD), "a method without a known scope"
    # Files are fetched by their address, not by a method.
    needed = set().union(*(SCOPES_OF_METHOD[method] for method in methods)) | {"files:read", "commands"}
    assert set(SCOPES) == needed | {scope for scope in SCOPE_OF_EVENT.values() if scope}
