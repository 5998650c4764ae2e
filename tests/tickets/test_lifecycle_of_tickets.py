from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import Database
from tickets.claiming import assign, claim, release
from tickets.errors import ConversationHasAnotherTicket, EmptyText, NotAllowedInThisState, NotARating, TicketError
from tickets.events import events_of, recompute, row_of
from tickets.lifecycle import cancel, hold, prioritise, rate, reopen, resolve, start
from tickets.priority import Impact, Urgency
from tickets.queries import find, worklog_of
from tickets.records import EventType, Ticket
from tickets.states import NEXT, State
from tickets.worklog import note, reply

Opened = Callable[..., Ticket]
Minute = Callable[[int], datetime]


def test_of_twenty_agents_who_claim_at_once_one_wins_and_the_others_learn_who(
    database: Database, opened: Opened, noon: datetime
) -> None:
    with database.transaction() as session:
        number = opened(session).number

    def try_to_claim(agent: str) -> tuple[bool, str]:
        with database.transaction() as session:
            result = claim(session, number, agent=agent, now=noon)
            return result.won, result.assignee

    with ThreadPoolExecutor(20) as threads:
        results = list(threads.map(try_to_claim, [f"agent {n}" for n in range(20)]))

    with database.reading() as session:
        ticket = find(session, number)
        assert sorted(won for won, _ in results) == [False] * 19 + [True]
        assert {assignee for _, assignee in results} == {ticket.assignee}
        assert ticket.state is State.ASSIGNED
        assert [event.type for event in events_of(session, ticket)] == [EventType.OPENED, EventType.CLAIMED]


def test_claiming_again_changes_nothing_and_a_resolved_ticket_is_not_claimed(
    database: Database, opened: Opened, noon: datetime
) -> None:
    with database.transaction() as session:
        ticket = opened(session)
        assert claim(session, ticket.id, agent="U9", now=noon).won
        assert claim(session, ticket.id, agent="U9", now=noon).won
        assert len(events_of(session, ticket)) == 2
        resolve(session, ticket.id, agent="U9", resolution="done", now=noon)
        with pytest.raises(NotAllowedInThisState, match="INC0000001 is resolved, so it can't be claimed"):
            claim(session, ticket.id, agent="U8", now=noon)


def test_twenty_notes_at_once_have_twenty_numbers(database: Database, opened: Opened, noon: datetime) -> None:
    with database.transaction() as session:
        number = opened(session).id

    def add(n: int) -> None:
        with database.transaction() as session:
            note(session, number, author="U9", text=f"note {n}", now=noon)

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(add, range(20)))

    with database.reading() as session:
        assert [event.seq for event in events_of(session, find(session, number))] == list(range(1, 22))


def test_a_ticket_goes_from_new_to_resolved(database: Database, opened: Opened, minute: Minute) -> None:
    with database.transaction() as session:
        ticket = opened(session)
        states = [ticket.state]
        for step in (
            lambda: claim(session, ticket.id, agent="U9", now=minute(1)),
            lambda: reply(session, ticket.id, author="U9", text="Looking", by_agent=True, now=minute(2)),
            lambda: hold(session, ticket.id, agent="U9", reason="waiting for Alice", now=minute(3)),
            lambda: reply(session, ticket.id, author="U1", text="Here you are", now=minute(4)),
            lambda: resolve(session, ticket.id, agent="U9", resolution="New badge", now=minute(5)),
            lambda: rate(session, ticket.id, 5, actor="U1", now=minute(6)),
        ):
            step()
            states.append(ticket.state)

        assert states == ["new", "assigned", "in_progress", "pending", "in_progress", "resolved", "resolved"]
        assert (ticket.resolved_at, ticket.closed_at) == (minute(5), None)
        assert (ticket.resolution, ticket.rating, ticket.open_conversation) == ("New badge", 5, None)


def test_a_reopened_ticket_is_in_progress_with_the_same_agent(
    database: Database, opened: Opened, minute: Minute
) -> None:
    with database.transaction() as session:
        ticket = opened(session)
        resolve(session, ticket.id, agent="U9", resolution="New badge", now=minute(1))
        resolve(session, ticket.id, agent="U9", resolution="New badge", now=minute(1))
        reopen(session, ticket.id, actor="U1", reason="still broken", now=minute(2))

        assert (ticket.state, ticket.assignee, ticket.resolution) == (State.IN_PROGRESS, "U9", None)
        assert ticket.open_conversation is not None
        assert len(events_of(session, ticket)) == 3
        with pytest.raises(NotAllowedInThisState):
            reopen(session, ticket.id, actor="U1", reason="again", now=minute(3))


def test_a_ticket_is_not_reopened_beside_another_in_its_conversation(
    database: Database, opened: Opened, noon: datetime
) -> None:
    with database.transaction() as session:
        first = opened(session)
        resolve(session, first.id, agent="U9", resolution="New badge", now=noon)
        opened(session)
        with pytest.raises(ConversationHasAnotherTicket, match="INC0000002 is open in the same conversation"):
            reopen(session, first.id, actor="U1", reason="still broken", now=noon)

    with database.reading() as session:
        ticket = find(session, first.id)
        assert ticket.state is State.RESOLVED
        assert row_of(ticket) == recompute(events_of(session, ticket))


def test_agents_hand_over_and_give_back(database: Database, opened: Opened, noon: datetime) -> None:
    with database.transaction() as session:
        ticket = opened(session)
        assign(session, ticket.id, to="U8", actor="U9", now=noon)
        assert (ticket.assignee, ticket.state) == ("U8", State.ASSIGNED)
        release(session, ticket.id, actor="U8", now=noon)
        assert (ticket.assignee, ticket.state) == (None, State.NEW)
        assert claim(session, ticket.id, agent="U7", now=noon).won


def test_a_reply_relayed_twice_is_added_once(database: Database, opened: Opened, noon: datetime) -> None:
    with database.transaction() as session:
        ticket = opened(session)
        for _ in range(2):
            reply(session, ticket.id, author="U1", text="Hello?", now=noon, key="T1:C1:2.2")

        assert [entry.text for entry in worklog_of(session, ticket, public_only=True)] == ["Hello?"]


def test_what_makes_no_sense_is_refused_with_words_for_people(
    database: Database, opened: Opened, noon: datetime
) -> None:
    with database.transaction() as session:
        ticket = opened(session)
        with pytest.raises(NotAllowedInThisState, match="is new, so it can't be rated"):
            rate(session, ticket.id, 5, actor="U1", now=noon)
        with pytest.raises(EmptyText):
            resolve(session, ticket.id, agent="U9", resolution=" ", now=noon)
        with pytest.raises(EmptyText):
            note(session, ticket.id, author="U9", text="", now=noon)
        cancel(session, ticket.id, actor="U1", reason="found it", now=noon)
        with pytest.raises(NotARating):
            rate(session, ticket.id, 6, actor="U1", now=noon)
        with pytest.raises(NotAllowedInThisState, match="is cancelled, so it can't be put on hold"):
            hold(session, ticket.id, agent="U9", reason="", now=noon)
        with pytest.raises(NotAllowedInThisState):
            start(session, ticket.id, agent="U9", now=noon)


ACTIONS: dict[str, Callable[..., Any]] = {
    "claim": lambda s, n, now, i: claim(s, n, agent=f"agent {i}", now=now),
    "assign": lambda s, n, now, i: assign(s, n, to=f"agent {i}", actor="lead", now=now),
    "release": lambda s, n, now, i: release(s, n, actor="lead", now=now),
    "start": lambda s, n, now, i: start(s, n, agent=f"agent {i}", now=now),
    "hold": lambda s, n, now, i: hold(s, n, agent="a", reason="r" * i, now=now),
    "agent replies": lambda s, n, now, i: reply(s, n, author="a", text=f"t{i}", by_agent=True, now=now, key=f"k{i}"),
    "employee replies": lambda s, n, now, i: reply(s, n, author="e", text=f"t{i}", now=now),
    "note": lambda s, n, now, i: note(s, n, author="a", text="note", now=now),
    "prioritise": lambda s, n, now, i: prioritise(
        s, n, impact=Impact(i), urgency=Urgency(4 - i), actor="lead", now=now
    ),
    "resolve": lambda s, n, now, i: resolve(s, n, agent="a", resolution=f"fix {i}", now=now),
    "reopen": lambda s, n, now, i: reopen(s, n, actor="e", reason="again", now=now),
    "rate": lambda s, n, now, i: rate(s, n, i + 2, actor="e", now=now),
    "cancel": lambda s, n, now, i: cancel(s, n, actor="e", reason="never mind", now=now),
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(sorted(ACTIONS)), st.integers(1, 3)), max_size=15))
def test_the_row_is_what_the_events_add_up_to(
    database: Database, opened: Opened, noon: datetime, steps: list[tuple[str, int]]
) -> None:
    with database.transaction() as session:
        ticket = opened(session, conversation=None)
        states = [ticket.state]
        for minutes, (action, number) in enumerate(steps, start=1):
            try:
                ACTIONS[action](session, ticket.id, noon + timedelta(minutes=minutes), number)
            except TicketError:
                continue
            finally:
                session.expire_all()
                states.append(ticket.state)

        events = events_of(session, ticket)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert row_of(ticket) == recompute(events)
        assert all(later == earlier or later in NEXT[earlier] for earlier, later in pairwise(states))
