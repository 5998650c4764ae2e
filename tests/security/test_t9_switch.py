"""T9, the switches: thrown between any two steps nothing more is done; what can't be read counts as off; on by two."""

import pytest
from sqlalchemy import text

from bot.routines.switches import NotSwitched, Switches, switch_off, switch_on
from bot.workflows.audit import first_broken
from store import Database
from tests.routines.shop import GROUPS, JoinSeveral, Shop


@pytest.mark.parametrize("scope", ["all", "workflow:several", "directory:demo"])
@pytest.mark.parametrize("after", range(len(GROUPS) + 1))
def test_t9_nothing_is_done_after_the_switch(database: Database, scope: str, after: int) -> None:
    shop = Shop(database)
    request = shop.request({}, workflow="several")
    do, real = shop.office.carrying, shop.directory._directory.add_member
    done: list[str] = []

    def add_member(person: str, group: str) -> None:
        real(person, group)
        done.append(group)
        if len(done) == after:
            throw(shop, scope)

    shop.demo.add_member = add_member  # type: ignore[method-assign,assignment]  # the switch is thrown in its midst
    if after == 0:
        throw(shop, scope)
    shop.course(JoinSeveral()).asking.see_to(request)

    assert len(done) == after
    assert do.switches.off("several", "demo")
    expected = {0: "refused", len(GROUPS): "done"}.get(after, "stuck")  # undoing is an effect too
    assert shop.state(request) == expected
    assert len(shop.news.stuck) == (expected == "stuck")


def throw(shop: Shop, scope: str) -> None:
    with shop.database.transaction() as session:
        switch_off(session, scope, by="bob", reason="something is wrong", now=shop.now())


def test_t9_a_switch_that_cant_be_read_is_off(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("DROP TABLE switches"))
    assert Switches(database).off("group_join", "demo")


def test_t9_one_person_switches_off_and_two_switch_on(database: Database) -> None:
    shop = Shop(database)
    with pytest.raises(NotSwitched), database.transaction() as session:
        switch_on(session, "all", by="bob", now=shop.now())
    throw(shop, "all")
    with database.transaction() as session:
        assert switch_on(session, "all", by="bob", now=shop.now()).off
    with pytest.raises(NotSwitched), database.transaction() as session:
        switch_on(session, "all", by="BOB", now=shop.now())
    with database.transaction() as session:
        assert not switch_on(session, "all", by="carol", now=shop.now()).off
    assert not Switches(database).off("group_join", "demo")
    with database.reading() as session:
        assert first_broken(session) is None
