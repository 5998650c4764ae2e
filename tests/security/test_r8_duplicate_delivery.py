"""R8: Slack delivers an event up to four times; it is processed exactly once, and a retry alone is enough.

By default N = 20 events for each of the two; with `make trials`, N = 200. Zero failures in 200 trials bound the rate of
failure at about 1.5 % with 95 % confidence, in 20 at about 15 %.
"""

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from bot.records import Turn
from tests.bot.conftest import ALICE, BOB, WAIT
from tests.faults.over_http import Line, Request

FEW, MANY = 20, pytest.param(200, marks=[pytest.mark.trials, pytest.mark.timeout(1200)])
HUMAN, QUESTION = "I want to talk to a human", "How do I connect to the VPN from home?"


def written(line: Line, count: int) -> list[str]:
    """Messages that Slack tried to deliver in vain, four times each; every second is an escalation."""
    line.tap.closed = True
    texts = [f"{HUMAN} about desk {n}" if n % 2 else QUESTION for n in range(count)]
    stamps = [line.place.says(ALICE, text) for text in texts]
    line.place.until(lambda: len(line.tap.requests) == 4 * count, seconds=WAIT + count)
    line.tap.closed = False
    return stamps


def first_deliveries(line: Line) -> list[Request]:
    return [request for request in line.tap.requests if not request.is_retry]


def check(line: Line, stamps: list[str]) -> None:
    """One reply to each, and one ticket and one card for each escalation."""
    place = line.place
    for ts in stamps:
        place.reply(ts)
    place.settled()
    assert [len(place.replies(place.dm(), ts)) for ts in stamps] == [1] * len(stamps)
    assert len(place.tickets()) == len(stamps) // 2
    assert len([m for m in place.sandbox.workspace.messages("C0TRIAGE", BOB) if m.bot_id]) == len(stamps) // 2


@pytest.mark.parametrize("count", [FEW, MANY])
def test_each_of_n_events_delivered_four_times_at_once_is_processed_once(line: Line, count: int) -> None:
    stamps = written(line, count)
    for request in first_deliveries(line):
        assert line.send_at_once(request, *(request.retried(number) for number in (1, 2, 3))) == [200] * 4
    check(line, stamps)


@pytest.mark.parametrize("count", [FEW, MANY])
def test_each_of_n_events_whose_first_delivery_failed_before_the_commit_is_processed_by_its_retry_alone(
    line: Line, count: int
) -> None:
    """The failure is raised when all is written and nothing committed; tests/faults kills the process."""
    stamps = written(line, count)
    requests = first_deliveries(line)
    event.listen(Session, "before_commit", dies_with_a_turn)
    try:
        assert {line.send(request) for request in requests} == {500}
    finally:
        event.remove(Session, "before_commit", dies_with_a_turn)
    with line.place.desk.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Turn)) == 0

    assert {line.send(request.retried(1)) for request in requests} == {200}
    check(line, stamps)


class Crash(Exception):
    pass


def dies_with_a_turn(session: Session) -> None:
    turns = [kept for kept in session.new if isinstance(kept, Turn)]
    session.flush()
    if turns:
        raise Crash
