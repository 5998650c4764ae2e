"""T11. An agent, rogue or fooled, sees no secret, chooses none, and can't turn a reset towards somebody else."""

from datetime import timedelta

import pytest

from bot.directory.feed import PersonFeed
from bot.outcomes import Declined, InProgress
from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, SEED, START, TEAM, ResetDesk


def test_t11_an_agents_wish_is_about_their_own_account_and_refused(desk: ResetDesk) -> None:
    desk.agents.add("U0VICTOR")
    assert isinstance(desk.ask("U0VICTOR"), Declined)
    assert {row.target for row in desk.audit()} <= {desk.person("victor").directory_id}
    assert desk.password_is("alice", OLD_PASSWORD)


def test_t11_an_agent_who_has_the_link_can_neither_use_it_nor_read_anything_from_it(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    page = desk.web.get(path).text
    for secret in (SEED, OLD_PASSWORD, desk.code(), "home.example"):
        assert secret not in page
    for guess in ("", "123456", "000000"):
        desk.submit(path, code=guess)
    assert desk.password_is("alice", OLD_PASSWORD)


def test_t11_nobody_but_the_person_hears_of_the_new_password(desk: ResetDesk) -> None:
    request = desk.linked("U0ALICE")
    assert desk.submit(desk.link(request))[0] == 200
    desk.finished(request)
    heard = [*desk.said(), *desk.mailbox.texts(), *(text for _, text in desk.alerts)]
    heard += [str(vars(row)) for row in desk.audit()]
    assert not [text for text in heard if NEW_PASSWORD in text or OLD_PASSWORD in text]


@pytest.mark.parametrize(
    "changed", [{"emails": ("alice@harbour.example", "mallory@evil.example")}, {"totp_secret": "K" * 32}]
)
def test_t11_an_address_or_a_factor_that_was_edited_first_holds_everything_for_72_hours(
    desk: ResetDesk, changed: dict[str, object]
) -> None:
    entry: dict[str, object] = {
        "account": "alice",
        "name": "Alice",
        "emails": ("alice@harbour.example", "alice@home.example"),
        "groups": ("staff",),
        "manager": "victor",
        "team_id": TEAM,
        "slack_user_id": "U0ALICE",
        "bound_at": START - timedelta(days=30),
        "totp_secret": SEED,
        "password": OLD_PASSWORD,
    }
    desk.people.import_feed([PersonFeed.model_validate(entry | changed)])

    assert isinstance(desk.ask("U0ALICE"), Declined)
    desk.clock.forward(hours=71)
    assert isinstance(desk.ask("U0ALICE"), Declined)
    desk.clock.forward(hours=1, minutes=1)
    assert isinstance(desk.ask("U0ALICE"), InProgress)
