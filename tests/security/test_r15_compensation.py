"""R15. Every step fails, and then every undoing too: all is as before, or a human knows; never a silent half."""

import pytest

from store import Database
from tests.routines.shop import GROUPS, JoinSeveral, Shop

FOR_GOOD = 99


def groups_of(shop: Shop) -> list[bool]:
    return [shop.is_in(name) for name in GROUPS]


@pytest.mark.parametrize("failing", range(len(GROUPS)))
@pytest.mark.parametrize("lost", [False, True], ids=["not done", "done, but the answer was lost"])
def test_r15_a_step_that_fails_leaves_all_as_it_was(database: Database, failing: int, lost: bool) -> None:
    shop = Shop(database)
    course = shop.course(JoinSeveral())
    request = shop.request({}, workflow="several")
    step = shop.group_id(GROUPS[failing]) + "add_member"
    (shop.directory.after if lost else shop.directory.before)[step] = FOR_GOOD

    course.asking.see_to(request)

    if lost:  # it shows in the directory, so it is settled by reading back
        assert (shop.state(request), groups_of(shop)) == ("done", [True] * 3)
    else:
        assert (shop.state(request), groups_of(shop)) == ("failed", [False] * 3)
        assert [key for key, _ in shop.news.said] == ["failed"]
    assert shop.news.stuck == []


@pytest.mark.parametrize("failing", range(1, len(GROUPS)))
@pytest.mark.parametrize("kept", range(len(GROUPS) - 1))
def test_r15_what_cant_be_undone_is_a_humans(database: Database, failing: int, kept: int) -> None:
    if kept >= failing:
        return
    shop = Shop(database)
    course = shop.course(JoinSeveral())
    request = shop.request({}, workflow="several")
    shop.directory.before[shop.group_id(GROUPS[failing]) + "add_member"] = FOR_GOOD
    shop.directory.before[shop.group_id(GROUPS[kept]) + "remove_member"] = FOR_GOOD

    course.asking.see_to(request)

    assert shop.state(request) == "stuck"
    assert groups_of(shop) == [number == kept for number in range(3)]  # all else was undone
    (summary,) = shop.news.stuck
    assert "put you into the group one: " in summary
    assert [key for key, _ in shop.news.said] == ["stuck"]


def test_r15_what_was_so_before_isnt_undone(database: Database) -> None:
    shop = Shop(database)
    shop.demo.add_member(shop.people["alice"], shop.group_id("one"))
    request = shop.request({}, workflow="several")
    shop.directory.before[shop.group_id("two") + "add_member"] = FOR_GOOD

    shop.course(JoinSeveral()).asking.see_to(request)

    assert (shop.state(request), groups_of(shop)) == ("failed", [True, False, False])


def test_r16_an_answer_that_is_lost_makes_no_second_grant(database: Database) -> None:
    shop = Shop(database)
    shop.directory.after[shop.group_id("two") + "add_member"] = 1
    request = shop.request({}, workflow="several")

    shop.course(JoinSeveral()).asking.see_to(request)

    assert shop.state(request) == "done"
    assert [name for name, _, _ in shop.directory.changes] == ["add_member"] * 3


def test_r16_a_directory_that_comes_back_in_time_is_waited_for(database: Database) -> None:
    shop = Shop(database)
    shop.directory.before[shop.group_id("two") + "add_member"] = 3
    request = shop.request({}, workflow="several")

    shop.course(JoinSeveral()).asking.see_to(request)

    assert (shop.state(request), groups_of(shop)) == ("done", [True] * 3)
