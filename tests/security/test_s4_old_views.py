"""S4. Old buttons, double clicks, forms sent twice, approvals past their time: nothing happens twice, or too late."""

from datetime import timedelta

import pytest

from bot.records import OpenView
from bot.routines.carrying import Carrying
from bot.routines.forms import OLD_FORM
from bot.routines.memberships import JoinGroup
from bot.routines.records import RoutineRequest
from store import Database
from tests.routines.shop import TEAM, Shop

WISH = {"what": "reviewed", "reason": "a test"}


def opened(shop: Shop, request: str) -> OpenView:
    return OpenView(view_id="V1", purpose="group_join_form", ref=request, user="U0ALICE", opened_at=shop.now())


def test_s4_an_approval_past_its_time_approves_nothing(database: Database) -> None:
    shop = Shop(database)
    course, request = shop.course(), shop.request(WISH)
    course.asking.asked(request)
    (approval,) = shop.approvals(request)
    shop.moved = timedelta(days=8)
    course.tick()

    said = course._decided(approval.id, TEAM, "U0DANA", "approved", None)

    assert said
    assert shop.state(request) == "expired"
    assert not shop.is_in("reviewed")


@pytest.mark.parametrize("first", ["approved", "denied"])
def test_s4_a_second_decision_is_told_that_there_is_one(database: Database, first: str) -> None:
    shop = Shop(database)
    course, request = shop.course(), shop.request(WISH)
    course.asking.asked(request)
    (approval,) = shop.approvals(request)
    course._see_to_decision(approval.id, TEAM, "U0DANA", first, "because")
    state, changes = shop.state(request), list(shop.directory.changes)

    for verdict in ("approved", "denied", "approved"):
        said = shop.approving.decide(approval.id, team=TEAM, user="U0DANA", verdict=verdict, reason="again")
        assert (said is None) == (verdict == first)  # the same once more is what there is already

    assert shop.state(request) == state
    assert shop.directory.changes == changes


@pytest.mark.parametrize("state", ["asked", "approved", "doing", "done", "cancelled", "denied", "expired", "refused"])
def test_s4_a_form_that_was_opened_before_changes_nothing_any_more(database: Database, state: str) -> None:
    shop = Shop(database)
    request = shop.request(WISH)
    carrying = Carrying(JoinGroup(), shop.office)
    with database.transaction() as session:
        session.add(opened(shop, request))
        session.get_one(RoutineRequest, request).state = state

    assert carrying.take_form("V1", "U0ALICE", {"what": "one", "reason": "another"}) == {"what": OLD_FORM}
    with database.reading() as session:
        assert session.get_one(RoutineRequest, request).wish == WISH


def test_s4_a_form_of_somebody_else_or_of_none_is_refused(database: Database) -> None:
    shop = Shop(database)
    carrying, request = Carrying(JoinGroup(), shop.office), shop.request(WISH)
    with database.transaction() as session:
        session.add(opened(shop, request))

    for view, user in (("V1", "U0DANA"), ("V2", "U0ALICE"), ("", "")):
        assert carrying.take_form(view, user, {"what": "one", "reason": "another"}) == {"what": OLD_FORM}
        assert carrying.take_denial(view, user, {"reason": "because"}) == {"reason": OLD_FORM}
    assert shop.state(request) == "drafted"
