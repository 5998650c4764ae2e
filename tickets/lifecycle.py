"""A ticket's way from one state to the next, after it was opened; each step says by whom and when."""

from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tickets.errors import ConversationHasAnotherTicket, NotAllowedInThisState, NotARating
from tickets.events import record
from tickets.priority import Impact, Urgency, priority_of
from tickets.queries import held, open_ticket_in
from tickets.records import EventType, Ticket
from tickets.states import State
from tickets.texts import required, storable


def start(session: Session, number: str | int, *, agent: str, now: datetime) -> Ticket:
    """Begin or resume work."""
    ticket = held(session, number)
    if ticket.state is State.IN_PROGRESS:
        return ticket
    if not ticket.state.is_open:  # a resolved one is reopened, which is another wish
        raise NotAllowedInThisState(ticket.number, ticket.state, "started")
    return _moved(session, ticket, State.IN_PROGRESS, EventType.STARTED, "started", agent, now)


def hold(session: Session, number: str | int, *, agent: str, reason: str, now: datetime) -> Ticket:
    """Wait for the employee, a supplier, an approval."""
    ticket = held(session, number)
    if ticket.state is State.PENDING:
        return ticket
    return _moved(session, ticket, State.PENDING, EventType.HELD, "put on hold", agent, now, reason=storable(reason))


def resolve(session: Session, number: str | int, *, agent: str, resolution: str, now: datetime) -> Ticket:
    """Say that it is done, and how. An unclaimed ticket counts as the resolver's.

    Saying the same again changes nothing. Raises `EmptyText`, `NotAllowedInThisState`.
    """
    how = required(resolution, "resolution")
    ticket = held(session, number)
    if ticket.state is State.RESOLVED and ticket.resolution == how:
        return ticket
    changes = {
        "resolution": how,
        "resolved_at": now,
        "open_conversation": None,
        "assignee": ticket.assignee or agent,
    }
    return _moved(session, ticket, State.RESOLVED, EventType.RESOLVED, "resolved", agent, now, changes)


def reopen(session: Session, number: str | int, *, actor: str, reason: str, now: datetime) -> Ticket:
    """Take up a resolved ticket again, by the agent who had it; the old resolution stays in the events.

    Raises `ConversationHasAnotherTicket` if another was opened in its conversation since then.
    """
    ticket = held(session, number)
    conversation = ticket.conversation
    changes: dict[str, Any] = {"resolution": None, "resolved_at": None, "rating": None}
    if conversation is not None:
        changes["open_conversation"] = conversation.key
    try:
        with session.begin_nested():
            return _moved(
                session,
                ticket,
                State.IN_PROGRESS,
                EventType.REOPENED,
                "reopened",
                actor,
                now,
                changes,
                reason=storable(reason),
                only_from=State.RESOLVED,
            )
    except IntegrityError as error:
        other = conversation and open_ticket_in(session, conversation)
        raise ConversationHasAnotherTicket(ticket.number, other.number if other else "another ticket") from error


def cancel(session: Session, number: str | int, *, actor: str, reason: str, now: datetime) -> Ticket:
    """End an open ticket that is no longer wanted."""
    ticket = held(session, number)
    if ticket.state is State.CANCELLED:
        return ticket
    changes = {"closed_at": now, "open_conversation": None}
    return _moved(
        session,
        ticket,
        State.CANCELLED,
        EventType.CANCELLED,
        "cancelled",
        actor,
        now,
        changes,
        reason=storable(reason),
    )


def rate(session: Session, number: str | int, stars: int, *, actor: str, now: datetime) -> Ticket:
    """Note how content the employee is, 1 to 5 stars; a later rating replaces the earlier one.

    Raises `NotARating`, and `NotAllowedInThisState` before the ticket is resolved.
    """
    if stars not in range(1, 6):
        raise NotARating
    ticket = held(session, number)
    if ticket.state not in (State.RESOLVED, State.CLOSED):
        raise NotAllowedInThisState(ticket.number, ticket.state, "rated")
    if ticket.rating != stars:
        record(session, ticket, EventType.RATED, actor=actor, now=now, changes={"rating": stars})
    return ticket


def prioritise(
    session: Session, number: str | int, *, impact: Impact, urgency: Urgency, actor: str, now: datetime
) -> Ticket:
    """Weigh an open ticket anew."""
    ticket = held(session, number)
    if not ticket.state.is_open:
        raise NotAllowedInThisState(ticket.number, ticket.state, "prioritised")
    priority = priority_of(impact, urgency)
    changes = {"impact": int(impact), "urgency": int(urgency), "priority": int(priority)}
    if any(getattr(ticket, column) != value for column, value in changes.items()):
        record(session, ticket, EventType.PRIORITISED, actor=actor, now=now, changes=changes)
    return ticket


def _moved(
    session: Session,
    ticket: Ticket,
    state: State,
    type_: EventType,
    wish: str,
    actor: str,
    now: datetime,
    changes: dict[str, Any] | None = None,
    *,
    reason: str | None = None,
    only_from: State | None = None,
) -> Ticket:
    if not ticket.state.may_become(state) or only_from not in (None, ticket.state):
        raise NotAllowedInThisState(ticket.number, ticket.state, wish)
    facts = {} if reason is None else {"reason": reason}
    record(session, ticket, type_, actor=actor, now=now, changes={"state": state, **(changes or {})}, **facts)
    return ticket
