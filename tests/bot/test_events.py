"""What of Slack's events is a person's message, and whose workspace it came to."""

from typing import Any

import pytest

from bot.blocks.markup import link
from bot.listeners.messages import is_from_a_person
from bot.message import workspace_of
from bot.people import standing
from bot.workspace import SlackUser


@pytest.mark.parametrize("subtype", [None, "file_share", "thread_broadcast", "me_message"])
def test_a_persons_own_message_is_heard(subtype: str | None) -> None:
    assert is_from_a_person({"user": "U1", "text": "hi", "subtype": subtype})


@pytest.mark.parametrize("subtype", ["channel_join", "message_deleted", "bot_message", "channel_topic"])
def test_a_notice_of_slack_is_not(subtype: str) -> None:
    assert not is_from_a_person({"user": "U1", "text": "hi", "subtype": subtype})


@pytest.mark.parametrize(
    ("body", "team"),
    [
        ({"team_id": "T1"}, "T1"),
        ({"team_id": "T1", "authorizations": []}, "T1"),
        ({"team_id": "T2THEIRS", "authorizations": [{"team_id": "T1"}]}, "T1"),
        ({"team_id": "T1", "authorizations": [{"team_id": None, "enterprise_id": "E1"}]}, "T1"),
    ],
)
def test_an_event_of_a_shared_channel_came_to_the_workspace_that_has_the_app(body: dict[str, Any], team: str) -> None:
    assert workspace_of(body) == team


def test_who_is_named_by_their_enterprise_is_looked_up_and_who_is_of_another_workspace_is_an_outsider() -> None:
    ours = SlackUser(id="U1", team="T1", name="Alice")
    assert standing(ours, team="T1", user_team="E1") is None
    assert standing(ours, team="T1", user_team="T2") is not None
    assert standing(SlackUser(id="U1", team="T2", name="Mallory"), team="T1", user_team="E1") is not None


def test_a_link_that_would_not_fit_into_a_text_of_slack_is_its_label() -> None:
    long = "https://kb.example/?" + "&" * 900
    assert link("A title", long) == "A title"
    assert link("A title", "https://kb.example/?a&b") == "<https://kb.example/?a&amp;b|A title>"
