"""Which messages correct or complete what was just asked for, and what they change."""

from datetime import timedelta

import pytest

from bot.routines.correcting import Correcting, corrects
from bot.routines.memberships import JoinGroup
from bot.routines.offers import Offer, Offers
from bot.routines.records import RoutineRequest
from store import Database
from tests.routines.shop import TEAM, Shop

ALICE = "U0ALICE"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no, until Friday", True),
        ("actually the price-lists group", True),
        ("sorry, I meant design-tools", True),
        ("make it the 4th", True),
        ("design-tools instead", True),
        ("until Friday", True),
        ("because we check all prices", True),
        ("is it until Friday?", False),
        ("how do I add a printer", False),
        ("notes app crashes", False),
        ("printer broken until Monday", False),
        (f"no, {'word ' * 30}", False),
    ],
)
def test_a_correction_is_told_by_its_first_words(text: str, wanted: bool) -> None:
    assert corrects(text) is wanted


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


@pytest.fixture
def correcting() -> Correcting:
    names = ("design-tools", "price-lists")
    return Correcting([JoinGroup()], Offers([Offer(kind="group", name=name, group=name) for name in names]))


def test_only_what_is_said_changes_and_only_of_ones_own_latest_draft(shop: Shop, correcting: Correcting) -> None:
    request = shop.request({"what": "design-tools", "reason": "a test"})
    with shop.database.transaction() as session:
        found = correcting.find(session, team=TEAM, user=ALICE, text="no, price-lists", now=shop.now())
        assert found is not None
        assert (found.request, found.values, found.too_late) == (request, {"what": "price-lists"}, False)
        assert found.title == "Put you into the group price-lists"
        assert correcting.find(session, team=TEAM, user="U0BOB", text="no, price-lists", now=shop.now()) is None
        assert correcting.find(session, team="T0OTHER", user=ALICE, text="no, price-lists", now=shop.now()) is None
        assert correcting.find(session, team=TEAM, user=ALICE, text="no, design-tools", now=shop.now()) is None
        assert correcting.find(session, team=TEAM, user=ALICE, text="no, admins", now=shop.now()) is None
        later = shop.now() + timedelta(hours=1)
        assert correcting.find(session, team=TEAM, user=ALICE, text="no, price-lists", now=later) is None
        assert correcting.apply(session, request, found.values, shop.now())
    with shop.database.transaction() as session:
        session.get_one(RoutineRequest, request).state = "asked"
        found = correcting.find(session, team=TEAM, user=ALICE, text="no, design-tools", now=shop.now())
        assert found is not None
        assert found.too_late
        assert not correcting.apply(session, request, {"what": "design-tools"}, shop.now())
