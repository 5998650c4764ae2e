"""Opening a ticket, once."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tickets.events import record
from tickets.numbers import Kind
from tickets.priority import Impact, Urgency, priority_of
from tickets.queries import held, open_ticket_in
from tickets.records import ConversationRef, EntryKind, EventType, Ticket
from tickets.states import State
from tickets.texts import storable, title_of
from tickets.worklog import add_entry

ATTEMPTS = 5


def open_ticket(
    session: Session,
    *,
    kind: Kind,
    title: str,
    description: str,
    requester: str,
    requester_account: str | None = None,
    conversation: ConversationRef | None,
    impact: Impact = Impact.LOW,
    urgency: Urgency = Urgency.MEDIUM,
    category: str | None = None,
    assignment_group: str | None = None,
    actor: str,
    now: datetime,
    key: str | None = None,
) -> Ticket:
    """Open the one ticket that a conversation may have, or return it if it is open already.

    A second report in the conversation becomes a reply on the open ticket. `key` names what asked (a message, a
    workflow's run): asking again with the same key returns the same ticket unchanged, whatever became of it.
    Unique constraints decide true races. Raises `EmptyText` for an empty title.
    """
    columns: dict[str, Any] = {
        "kind": kind,
        "state": State.NEW,
        "impact": int(impact),
        "urgency": int(urgency),
        "priority": int(priority_of(impact, urgency)),
        "category": category,
        "title": title_of(title),
        "description": storable(description),
        "requester": requester,
        "requester_account": requester_account,
        "assignment_group": assignment_group,
        "conversation_team": conversation and conversation.team,
        "conversation_channel": conversation and conversation.channel,
        "conversation_thread_ts": conversation and conversation.thread_ts,
        "open_conversation": conversation and conversation.key,
        "opening_key": key,
        "created_at": now,
    }
    for _ in range(ATTEMPTS):
        if key is not None and (same := session.scalar(select(Ticket).where(Ticket.opening_key == key))) is not None:
            return same
        if conversation is not None and (known := open_ticket_in(session, conversation)) is not None:
            ticket = held(session, known.id)
            if ticket.open_conversation == conversation.key:
                text = columns["description"] or columns["title"]
                add_entry(session, ticket, EntryKind.REPLY, EventType.REPORTED_AGAIN, actor, text, now, key, {})
                return ticket
            continue  # it was resolved while we waited for it
        ticket = Ticket(**columns, updated_at=now)
        try:
            with session.begin_nested():
                session.add(ticket)
                session.flush()
        except IntegrityError:
            continue  # another was quicker; now theirs is to be seen
        record(session, ticket, EventType.OPENED, actor=actor, now=now, changes=columns)
        return ticket
    raise RuntimeError(f"No ticket could be opened in {ATTEMPTS} attempts.")
