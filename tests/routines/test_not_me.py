"""“This wasn't me” about a request that waits: it is stopped with its approvals and its ticket."""

from bot.routines.memberships import JoinGroup
from bot.routines.not_me import deed_of
from bot.routines.records import RoutineRequest
from store import Database
from tests.routines.shop import TEAM, Shop


def test_what_waits_for_an_approval_can_not_be_approved_after_it(database: Database) -> None:
    shop = Shop(database)
    course, request = shop.course(), shop.request({"what": "reviewed", "reason": "a test"})
    course.asking.asked(request)
    (approval,) = shop.approvals(request)
    with database.transaction() as session:
        deed_of(JoinGroup(), shop.office.carrying, course.stopped).undo(
            session, session.get_one(RoutineRequest, request)
        )

    assert shop.approvals(request)[0].state == "closed"
    assert shop.approving.decide(approval.id, team=TEAM, user="U0DANA", verdict="approved")
    assert (shop.state(request), shop.is_in("reviewed")) == ("cancelled", False)
