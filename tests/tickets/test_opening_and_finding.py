import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from store import Database
from tickets.claiming import claim
from tickets.errors import EmptyText, TicketNotFound
from tickets.events import events_of
from tickets.lifecycle import resolve
from tickets.numbers import Kind
from tickets.priority import Impact, Urgency, priority_of
from tickets.queries import (
    assigned_to,
    find,
    latest_ticket_in,
    listed,
    open_ticket_in,
    open_tickets_of,
    shown,
    tickets,
    unassigned,
    worklog_of,
)
from tickets.records import ConversationRef, EntryKind, EventType, Ticket
from tickets.worklog import attach, note, reply

Opened = Callable[..., Ticket]


def test_all_kinds_share_one_sequence_of_numbers(database: Database, opened: Opened) -> None:
    with database.transaction() as session:
        first = opened(session)
        second = opened(session, kind=Kind.SERVICE_REQUEST, conversation=None)

    assert (first.number, second.number) == ("INC0000001", "REQ0000002")


@pytest.mark.parametrize("asked", ["1", 1, "#1", "INC0000001", "inc 1", " Inc-0001 ", "INC#1"])
def test_a_ticket_is_found_however_its_number_is_written(database: Database, opened: Opened, asked: str | int) -> None:
    with database.transaction() as session:
        opened(session)

    with database.reading() as session:
        assert find(session, asked).number == "INC0000001"


@pytest.mark.parametrize("asked", ["2", "0", "-1", "REQ0000001", "INC", "", "1; DROP", "9999999999", "٣", "1 1"])
def test_what_names_no_ticket_is_not_found(database: Database, opened: Opened, asked: str) -> None:
    with database.transaction() as session:
        opened(session)

    with database.reading() as session, pytest.raises(TicketNotFound):
        find(session, asked)


def test_a_second_report_in_a_conversation_is_a_reply_on_its_open_ticket(
    database: Database, opened: Opened, minute: Callable[[int], datetime]
) -> None:
    with database.transaction() as session:
        first = opened(session, key="m1")
    with database.transaction() as session:
        again = opened(session, key="m2", description="It also beeps", now=minute(5))
    with database.transaction() as session:
        assert opened(session, key="m2", description="It also beeps", now=minute(6)).id == first.id
        assert opened(session, key="m1", now=minute(6)).id == first.id

    with database.reading() as session:
        assert again.id == first.id
        assert [(entry.kind, entry.text) for entry in worklog_of(session, again)] == [
            (EntryKind.REPLY, "It also beeps")
        ]
        assert [event.type for event in events_of(session, again)] == [EventType.OPENED, EventType.REPORTED_AGAIN]
        assert find(session, first.id).updated_at == minute(5)


def test_after_it_is_resolved_a_conversation_may_have_another_ticket(
    database: Database, opened: Opened, noon: datetime, thread: ConversationRef
) -> None:
    with database.transaction() as session:
        first = opened(session)
        resolve(session, first.id, agent="U9", resolution="New badge", now=noon)
        assert open_ticket_in(session, thread) is None
        second = opened(session)
        latest = latest_ticket_in(session, thread)

        assert second.id != first.id
        assert latest is not None
        assert latest.id == second.id


def test_the_same_key_is_the_same_ticket_even_when_it_is_resolved(
    database: Database, opened: Opened, noon: datetime
) -> None:
    with database.transaction() as session:
        first = opened(session, key="run 1", conversation=None)
        resolve(session, first.id, agent="deskmate", resolution="Done", now=noon)

    with database.transaction() as session:
        assert opened(session, key="run 1", conversation=None).id == first.id


def test_twenty_reports_at_once_open_one_ticket(database: Database, opened: Opened) -> None:
    def report(number: int) -> int:
        with database.transaction() as session:
            return opened(session, key=f"message {number}", description=f"report {number}").id

    with ThreadPoolExecutor(20) as threads:
        numbers = set(threads.map(report, range(20)))

    with database.reading() as session:
        (ticket,) = tickets(session)
        assert numbers == {ticket.id}
        assert len(worklog_of(session, ticket)) == 19
        assert [event.seq for event in events_of(session, ticket)] == list(range(1, 21))


def test_twenty_deliveries_of_one_key_at_once_open_one_ticket(database: Database, opened: Opened) -> None:
    def report(_: int) -> int:
        with database.transaction() as session:
            return opened(session, key="run 1", conversation=None).id

    with ThreadPoolExecutor(20) as threads:
        assert len(set(threads.map(report, range(20)))) == 1


def test_what_a_database_refuses_is_taken_out_and_a_title_is_one_line(database: Database, opened: Opened) -> None:
    with database.transaction() as session:
        ticket = opened(session, title="a\x00b\n c \ud800 " + "word " * 100, description="x\x00" * 50_000)
        assert ticket.title.startswith("ab c ? word")
        assert len(ticket.title) <= 200
        assert ticket.title.endswith("word…")
        assert len(ticket.description) == 40_000

    with database.transaction() as session, pytest.raises(EmptyText):
        opened(session, title=" \x00 ")


def test_impact_and_urgency_make_the_priority() -> None:
    matrix = [[priority_of(impact, urgency).code for urgency in Urgency] for impact in Impact]

    assert matrix == [["P1", "P2", "P3"], ["P2", "P3", "P4"], ["P3", "P4", "P5"]]
    assert priority_of(Impact.HIGH, Urgency.HIGH).label == "P1 Critical"


def test_people_find_what_is_theirs_to_do(database: Database, opened: Opened, noon: datetime) -> None:
    with database.transaction() as session:
        low = opened(session, conversation=None)
        urgent = opened(session, conversation=None, impact=Impact.HIGH, urgency=Urgency.HIGH, requester_account="alice")
        mine = opened(session, conversation=None)
        done = opened(session, conversation=None)
        claim(session, mine.id, agent="U9", now=noon)
        resolve(session, done.id, agent="U9", resolution="ok", now=noon)

        assert [ticket.id for ticket in open_tickets_of(session, "U1")] == [mine.id, urgent.id, low.id]
        assert [ticket.id for ticket in open_tickets_of(session, "alice")] == [urgent.id]
        assert [ticket.id for ticket in unassigned(session)] == [urgent.id, low.id]
        assert [ticket.id for ticket in assigned_to(session, "U9")] == [mine.id]


def test_the_json_has_the_promised_shape(
    database: Database, opened: Opened, noon: datetime, minute: Callable[[int], datetime]
) -> None:
    with database.transaction() as session:
        ticket = opened(session)
        opened(session, conversation=None)
        note(session, ticket.id, author="U9", text="looks broken", now=minute(1))
        reply(session, ticket.id, author="U9", text="On my way", by_agent=True, now=minute(2))

    with database.reading() as session:
        alone, first = (listed(ticket) for ticket in tickets(session))
        whole = json.loads(json.dumps(shown(session, find(session, "INC0000001"))))

    assert first == {
        "number": "INC0000001",
        "kind": "incident",
        "state": "in_progress",
        "priority": "P4",
        "title": "My badge stopped working",
        "requester": "U1",
        "assignee": None,
        "conversation": {"team": "T1", "channel": "C1", "thread_ts": "1700000000.000100"},
        "created_at": "2026-03-02T12:00:00+00:00",
        "updated_at": "2026-03-02T12:02:00+00:00",
    }
    assert alone["conversation"] is None
    assert {key: whole[key] for key in first} == first
    assert whole["worklog"] == [
        {"kind": "note", "author": "U9", "text": "looks broken", "at": "2026-03-02T12:01:00+00:00"},
        {"kind": "reply", "author": "U9", "text": "On my way", "at": "2026-03-02T12:02:00+00:00"},
    ]
    assert [(event["seq"], event["type"], event["actor"]) for event in whole["events"]] == [
        (1, "opened", "U1"),
        (2, "noted", "U9"),
        (3, "replied", "U9"),
    ]


def test_a_file_is_noted_once(database: Database, opened: Opened, noon: datetime) -> None:
    with database.transaction() as session:
        ticket = opened(session)
        file = {"file_id": "F1", "name": "badge.png", "mimetype": "image/png", "size": 12, "path": "files/F1"}
        first = attach(session, ticket.id, **file, actor="U1", now=noon)  # type: ignore[arg-type]  # one dict, many types
        assert attach(session, ticket.id, **file, actor="U1", now=noon).id == first.id  # type: ignore[arg-type]  # as above
        assert [event.type for event in events_of(session, ticket)] == [EventType.OPENED, EventType.ATTACHED]
