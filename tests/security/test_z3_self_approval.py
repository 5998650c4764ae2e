"""Z3 and Z4. Nobody approves their own request, in whatever disguise, and a right that ended before the deed doesn't
count."""

from collections.abc import Callable

import pytest

from bot.directory.records import Binding, PersonRecord
from store import Database
from tests.routines.shop import TEAM, Shop

WISH = {"what": "reviewed", "reason": "for me"}


def own_manager(shop: Shop) -> None:
    shop.add("alice", "alice")


def second_account(shop: Shop) -> None:
    """Another account with one of her addresses, which she has made her manager."""
    shop.add("alicia", None, emails=("alicia@shop.example", "ALICE@shop.example"))
    shop.add("alice", "alicia")


def second_account_by_the_feed(shop: Shop) -> None:
    shop.add("alicia", None)
    shop.add("alice", "alicia")
    with shop.database.transaction() as session:
        session.add(
            PersonRecord(
                account="alicia",
                directory_id=shop.people["alicia"],
                name="Alicia",
                emails=["alice@shop.example"],
                groups=[],
                manager=None,
                privileged=False,
            )
        )


def managers_slack_is_hers(shop: Shop) -> None:
    """Her manager's account is bound to her own Slack user."""
    with shop.database.transaction() as session:
        bound = session.query(Binding).filter_by(account="dana").one()
        session.delete(session.query(Binding).filter_by(account="alice").one())
        session.flush()
        bound.slack_user_id = "U0ALICE"


def disabled_manager(shop: Shop) -> None:
    shop.demo.disable(shop.people["dana"])


def suspended_manager(shop: Shop) -> None:
    with shop.database.transaction() as session:
        session.query(Binding).filter_by(account="dana").one().suspended_at = shop.now()


@pytest.mark.parametrize(
    "disguise",
    [
        own_manager,
        second_account,
        second_account_by_the_feed,
        managers_slack_is_hers,
        disabled_manager,
        suspended_manager,
    ],
)
def test_z3_nobody_is_asked_to_approve_for_themselves(database: Database, disguise: Callable[[Shop], None]) -> None:
    shop = Shop(database)
    disguise(shop)
    request = shop.request(WISH)

    shop.course().asking.see_to(request)

    assert shop.state(request) == "refused"
    assert shop.approvals(request) == []
    assert shop.directory.changes == []


@pytest.mark.parametrize("user", ["U0ALICE", "U0BOB", "U0CAROL"])
def test_z3_only_who_was_asked_decides(database: Database, user: str) -> None:
    shop = Shop(database)
    course, request = shop.course(), shop.request(WISH)
    course.asking.see_to(request)
    (approval,) = shop.approvals(request)

    assert course._decided(approval.id, TEAM, user, "approved", None)
    assert course._decided(approval.id, "T0OTHER", "U0DANA", "approved", None)
    assert shop.state(request) == "asked"


def new_manager(shop: Shop) -> None:
    shop.add("alice", "bob")


def approver_left(shop: Shop) -> None:
    shop.demo.disable(shop.people["dana"])


def requester_left(shop: Shop) -> None:
    shop.demo.disable(shop.people["alice"])


def requester_is_suspended(shop: Shop) -> None:
    shop.refused["alice"] = "suspended"


def became_one_person(shop: Shop) -> None:
    shop.add("dana", "bob", emails=("dana@shop.example", "alice@shop.example"))


def group_became_privileged(shop: Shop) -> None:
    shop.demo._privileged = frozenset({"reviewed"})


@pytest.mark.parametrize(
    "change",
    [new_manager, approver_left, requester_left, requester_is_suspended, became_one_person, group_became_privileged],
)
def test_z4_what_ended_between_approval_and_deed_stops_it(database: Database, change: Callable[[Shop], None]) -> None:
    shop = Shop(database)
    course, request = shop.course(), shop.request(WISH)
    course.asking.see_to(request)
    (approval,) = shop.approvals(request)
    assert course._decided(approval.id, TEAM, "U0DANA", "approved", None) is None
    change(shop)

    course.asking.see_to(request)

    assert shop.state(request) in ("failed", "refused")
    assert shop.directory.changes == []


def test_z4_an_approver_whose_own_standing_ended_decides_nothing(database: Database) -> None:
    shop = Shop(database)
    course, request = shop.course(), shop.request(WISH)
    course.asking.see_to(request)
    (approval,) = shop.approvals(request)
    shop.refused["dana"] = "Your Slack account is suspended."

    assert course._decided(approval.id, TEAM, "U0DANA", "approved", None) == "Your Slack account is suspended."
    assert shop.state(request) == "asked"


def test_a_group_that_gives_special_rights_is_nobodys_to_ask_for(database: Database) -> None:
    shop = Shop(database)
    request = shop.request({"what": "admins", "reason": "for me"})

    shop.course().asking.see_to(request)

    assert shop.state(request) == "refused"
    assert shop.directory.changes == []
