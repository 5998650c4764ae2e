"""Who works on a ticket."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from tickets.errors import NotAllowedInThisState
from tickets.events import record
from tickets.queries import find, held
from tickets.records import EventType, Ticket
from tickets.states import OPEN, State


@dataclass(frozen=True)
class ClaimResult:
    """Who has the ticket now; `won` if it is the one who claimed."""

    ticket: Ticket
    assignee: str
    won: bool


def claim(session: Session, number: str | int, *, agent: str, now: datetime) -> ClaimResult:
    """Take a ticket that nobody has. Of many who try at once one wins, and the others learn who.

    Raises `NotAllowedInThisState` if the ticket is no longer open.
    """
    asked = find(session, number)
    taken = session.execute(
        update(Ticket)
        .where(Ticket.id == asked.id, Ticket.assignee.is_(None), Ticket.state.in_(OPEN))
        .values(assignee=agent, state=case((Ticket.state == State.NEW, State.ASSIGNED), else_=Ticket.state))
        .returning(Ticket.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    ticket = held(session, asked.id)
    if taken is not None:
        changes = {"assignee": agent, "state": ticket.state}
        record(session, ticket, EventType.CLAIMED, actor=agent, now=now, changes=changes)
        return ClaimResult(ticket, agent, won=True)
    if ticket.assignee is None or not ticket.state.is_open:
        raise NotAllowedInThisState(ticket.number, ticket.state, "claimed")
    return ClaimResult(ticket, ticket.assignee, won=ticket.assignee == agent)


def assign(session: Session, number: str | int, *, to: str, actor: str, now: datetime) -> Ticket:
    """Give an open ticket to an agent, whoever had it before."""
    ticket = _open(session, number, "assigned")
    if ticket.assignee != to:
        changes = {"assignee": to, "state": State.ASSIGNED if ticket.state is State.NEW else ticket.state}
        record(session, ticket, EventType.ASSIGNED, actor=actor, now=now, changes=changes, before=ticket.assignee)
    return ticket


def release(session: Session, number: str | int, *, actor: str, now: datetime) -> Ticket:
    """Give an open ticket back, for others to claim."""
    ticket = _open(session, number, "released")
    if ticket.assignee is not None:
        changes = {"assignee": None, "state": State.NEW}
        record(session, ticket, EventType.RELEASED, actor=actor, now=now, changes=changes, before=ticket.assignee)
    return ticket


def _open(session: Session, number: str | int, wish: str) -> Ticket:
    ticket = held(session, number)
    if not ticket.state.is_open:
        raise NotAllowedInThisState(ticket.number, ticket.state, wish)
    return ticket
