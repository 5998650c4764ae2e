"""S3. Rightly signed clicks whose button names something else: what is done follows from where and who, not from it."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.clicks import Click
from bot.records import Post
from bot.routines.cards import APPROVAL_CARD, CARD
from bot.routines.course import Course
from bot.routines.memberships import JoinGroup
from store import Database
from tests.routines.shop import TEAM, Shop

USERS = ("U0ALICE", "U0BOB", "U0CAROL", "U0DANA", "U0MALLORY")


@dataclass
class Desk:
    shop: Shop
    course: Course
    requests: tuple[str, str]
    """Alice's, and Dana's own."""
    approvals: tuple[int, int]
    """Dana's, of Alice's request, and Bob's, of Dana's."""

    def click(self, user: str, ts: str, action: str, value: Any) -> Click:
        return Click(TEAM, user, "D1", ts, None, f"group_join_{action}", str(value), "trigger", "1.5")


@pytest.fixture
def desk(database: Database) -> Desk:
    shop = Shop(database)
    course = shop.course(JoinGroup())
    requests = tuple(
        shop.request({"what": "reviewed", "reason": "a test"}, account=account) for account in ("alice", "dana")
    )
    for request in requests:
        assert course.asking.asked(request) is None
    approvals = tuple(shop.approvals(request)[0].id for request in requests)
    with database.transaction() as session:
        for purpose, refs in ((CARD, requests), (APPROVAL_CARD, approvals)):
            for number, ref in enumerate(refs):
                post = {"channel": "D1", "ts": f"{purpose}.{number}", "purpose": purpose, "ref": str(ref)}
                session.add(Post(key=f"{purpose}:{number}", **post, created_at=shop.now()))
    return Desk(shop, course, requests, approvals)  # type: ignore[arg-type]  # none of the tuples is longer or shorter than two


def test_s3_a_value_that_names_another_request_changes_nothing(desk: Desk) -> None:
    own = {("U0ALICE", f"{CARD}.0"): desk.requests[0], ("U0DANA", f"{CARD}.1"): desk.requests[1]}
    tried = 0
    for user in USERS:
        for ts in (f"{CARD}.0", f"{CARD}.1", f"{APPROVAL_CARD}.0", "9.9"):
            for value in (*desk.requests, *desk.approvals, "", "all"):
                for action in ("confirm", "cancel", "fill_in"):
                    found = desk.course.own(desk.click(user, ts, action, value))
                    assert (found.id if found else None) == own.get((user, ts))
                    tried += 1
    assert tried == 5 * 4 * 6 * 3


def test_s3_a_value_that_names_another_approval_decides_nothing(desk: Desk) -> None:
    own = {("U0DANA", f"{APPROVAL_CARD}.0"): desk.approvals[0], ("U0BOB", f"{APPROVAL_CARD}.1"): desk.approvals[1]}
    for user in USERS:
        for ts in (f"{APPROVAL_CARD}.0", f"{APPROVAL_CARD}.1", f"{CARD}.0", "9.9"):
            for value in (*desk.requests, *desk.approvals, "", "all"):
                found = desk.course.asked_of(desk.click(user, ts, "approve", value))
                assert (found[0].id if found else None) == own.get((user, ts))
    assert [desk.shop.state(request) for request in desk.requests] == ["asked", "asked"]


def test_s3_a_click_of_another_routines_name_on_this_ones_card_is_nobodys(desk: Desk) -> None:
    other = desk.shop.course(type("Other", (JoinGroup,), {"name": "other"})())
    assert other.own(desk.click("U0ALICE", f"{CARD}.0", "cancel", "")) is None


def test_s3_whoever_decides_must_be_the_one_who_was_asked(desk: Desk) -> None:
    for approval, asked in zip(desk.approvals, ("U0DANA", "U0BOB"), strict=True):
        for user in USERS:
            if user != asked:
                assert desk.shop.approving.decide(approval, team=TEAM, user=user, verdict="approved")
        assert desk.shop.approving.decide(approval, team="T0OTHER", user=asked, verdict="approved")
    assert [desk.shop.state(request) for request in desk.requests] == ["asked", "asked"]
    click = desk.click("U0DANA", f"{APPROVAL_CARD}.0", "approve", desk.approvals[1])
    desk.course._see_to_click(replace(click, value=str(desk.approvals[1])).as_json())
    assert [desk.shop.state(request) for request in desk.requests] == ["done", "asked"]
