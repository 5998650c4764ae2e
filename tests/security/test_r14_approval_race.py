"""R14. Approve, deny, cancel, expire and the switch, released together: one end, and something is done only if it was
approved."""

import random

import pytest

from bot.routines.records import AT_WORK
from bot.routines.switches import switch_off
from store import Database
from tests.routines.shop import TEAM, Shop, all_at_once

ENDS = {"approved", "denied", "cancelled", "expired", "done", "failed"}


def trial(shop: Shop, chance: random.Random, number: int) -> None:
    course = shop.course()
    request = shop.request({"what": "reviewed", "reason": "the race"})
    assert course.asking.asked(request) is None
    (approval,) = shop.approvals(request)
    switched = chance.random() < 0.3

    def decide(verdict: str) -> str | None:
        return course._decided(approval.id, TEAM, "U0DANA", verdict, "because")

    def switch() -> None:
        if switched:
            with shop.database.transaction() as session:
                switch_off(session, f"workflow:trial{number}", by="carol", reason="race", now=shop.now())

    deeds = [
        lambda: decide("approved"),
        lambda: decide("denied"),
        lambda: course._cancelled(request),
        lambda: course._waiting._expired(request),
        switch,
    ]
    chance.shuffle(deeds)
    before = len(shop.directory.changes)
    results = all_at_once(*deeds)
    assert not [result for result in results if isinstance(result, Exception)]
    if shop.state(request) == "asked":  # approved: nobody has gone on with it yet
        course.asking.see_to(request)

    state = shop.state(request)
    approved = [each for each in shop.approvals(request) if each.state == "approved"]
    assert state in ENDS, state
    assert state not in AT_WORK
    assert len(shop.directory.changes) - before == (state == "done")
    assert (state == "done") <= bool(approved)
    assert shop.is_in("reviewed") == (state == "done")
    if state == "done":
        shop.demo.remove_member(shop.people["alice"], shop.group_id("reviewed"))


@pytest.mark.parametrize("trials", [25, pytest.param(1000, marks=pytest.mark.trials)])
def test_r14_one_end_and_one_effect_at_most(database: Database, trials: int) -> None:
    shop, chance = Shop(database), random.Random(14)
    for number in range(trials):
        trial(shop, chance, number)
