"""T1: a Slack display name changed to a victim's. The target is always the requester's bound account."""

import pytest

from bot.outcomes import InProgress
from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, ResetDesk

NAMES = [
    "Victor",
    "victor",
    "VICTOR",
    "Vіctor",
    "ｖｉｃｔｏｒ",
    "Victor\u200b",
    "U0VICTOR",
    "<@U0VICTOR>",
    "Victor (CEO)",
]


@pytest.mark.parametrize("name", NAMES)
def test_t1_whatever_somebody_calls_themselves_they_get_their_own_account(desk: ResetDesk, name: str) -> None:
    before = desk.identify("U0ALICE").account
    desk.client.users["U0ALICE"]["profile"] |= {"display_name": name, "real_name": name}
    desk.client.users["U0ALICE"] |= {"name": name, "real_name": name}

    outcome = desk.ask("U0ALICE")

    assert before == desk.identify("U0ALICE").account == "alice"
    assert isinstance(outcome, InProgress)
    assert desk.request(outcome.request or "").directory_id == desk.person("alice").directory_id


def test_t1_a_reset_under_the_victims_name_changes_the_requesters_password(desk: ResetDesk) -> None:
    desk.client.users["U0ALICE"]["profile"]["display_name"] = "Victor"
    path = desk.link(desk.linked("U0ALICE"))

    assert desk.web.post(
        path, data={"code": desk.code(), "new": NEW_PASSWORD, "again": NEW_PASSWORD, "account": "victor"}
    ).is_success

    assert desk.password_is("alice", NEW_PASSWORD)
    assert desk.password_is("victor", OLD_PASSWORD)
