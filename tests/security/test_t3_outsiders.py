"""T3: guests, Slack Connect externals, bots, other workspaces. No sensitive action, no groups."""

import pytest

from bot.outcomes import Declined
from tests.reset.desk import ResetDesk

FLAGS = [
    {"is_restricted": True},
    {"is_ultra_restricted": True, "is_restricted": True},
    {"is_stranger": True},
    {"is_bot": True},
    {"team_id": "T0OTHER"},
    {"deleted": True},
]


@pytest.mark.parametrize("flags", FLAGS)
def test_t3_an_outsider_gets_no_reset_and_no_groups(desk: ResetDesk, flags: dict[str, object]) -> None:
    desk.client.users["U0ALICE"] |= flags

    outcome = desk.ask("U0ALICE")

    assert isinstance(outcome, Declined)
    assert desk.identify("U0ALICE").groups == frozenset()
    assert desk.identify("U0ALICE").account is None


@pytest.mark.parametrize("flags", FLAGS)
def test_t3_who_becomes_an_outsider_after_the_card_is_out_gets_no_further(
    desk: ResetDesk, flags: dict[str, object]
) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    desk.client.users["U0ALICE"] |= flags

    status, _ = desk.submit(path)

    assert status == 403
    assert desk.directory.password_marker(desk.person("alice").directory_id) == "1"


def test_t3_a_message_from_another_workspace_in_a_shared_channel_is_nobodys(desk: ResetDesk) -> None:
    outcome = desk.ask("U0ALICE", user_team="T0OTHER")

    assert isinstance(outcome, Declined)
    assert desk.identify("U0ALICE", user_team="T0OTHER").groups == frozenset()


def test_t3_the_same_user_id_in_another_workspace_is_somebody_else(desk: ResetDesk) -> None:
    assert desk.people.identify(team="T0OTHER", user="U0ALICE").account is None


def test_t3_a_click_from_another_workspace_opens_nothing(desk: ResetDesk) -> None:
    request = desk.offered("U0ALICE")

    desk.click("U0ALICE", request, user={"id": "U0ALICE", "team_id": "T0OTHER"})

    assert desk.request(request).state == "denied"
