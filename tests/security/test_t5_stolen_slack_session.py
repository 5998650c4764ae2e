"""T5. Whoever has Alice's Slack session, and not her second factor, changes nothing, however often they try."""

from bot.outcomes import Declined, InProgress
from tests.reset.desk import NEW_PASSWORD, OLD_PASSWORD, ResetDesk


def test_t5_guessed_codes_reset_nothing_and_close_the_door_for_a_day(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    wrong = [f"{(int(desk.code()) + step) % 1_000_000:06}" for step in range(1_000, 1_020)]

    statuses = [desk.submit(path, code=code)[0] for code in wrong]

    assert statuses == [422, 422] + [403] * 18
    assert desk.submit(path)[0] == 403  # the right one neither
    assert desk.password_is("alice", OLD_PASSWORD)
    desk.clock.forward(minutes=1439)
    assert isinstance(desk.ask("U0ALICE"), Declined)
    desk.clock.forward(minutes=2)
    assert isinstance(desk.ask("U0ALICE"), InProgress)


def test_t5_asking_again_and_again_sends_no_more_than_five_links_an_hour(desk: ResetDesk) -> None:
    """There is no push that could wear somebody out: each proof is typed. What is sent is mail, and that is bounded."""
    outcomes = [desk.ask("U0ALICE") for _ in range(40)]

    assert sum(isinstance(outcome, InProgress) for outcome in outcomes) == 5
    assert desk.password_is("alice", OLD_PASSWORD)


def test_t5_three_wrong_codes_spread_over_links_and_pages_are_three(desk: ResetDesk) -> None:
    wrong = f"{(int(desk.code()) + 7) % 1_000_000:06}"
    assert desk.submit(desk.link(desk.linked("U0ALICE")), code=wrong)[0] == 422
    desk.clock.forward(minutes=1)
    key_page = desk.link(desk.key_requested("U0ALICE"), "key")
    assert desk.web.post(key_page, data={"code": wrong, "name": "mine"}).status_code == 422
    desk.clock.forward(minutes=1)
    assert desk.submit(desk.link(desk.linked("U0ALICE")), code=wrong)[0] == 403
    desk.clock.forward(minutes=1)
    assert desk.web.post(key_page, data={"code": desk.code(), "name": "mine"}).status_code == 403


def test_t5_the_right_code_of_a_minute_ago_is_no_use(desk: ResetDesk) -> None:
    path = desk.link(desk.linked("U0ALICE"))
    code = desk.code()
    assert desk.submit(path, code=code)[0] == 200
    desk.clock.forward(hours=25)
    again = desk.link(desk.linked("U0ALICE"))
    assert desk.submit(again, code=code, new=f"{NEW_PASSWORD} more")[0] == 422
    assert desk.password_is("alice", NEW_PASSWORD)
