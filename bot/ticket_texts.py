"""Tickets in a line of plain text, as an employee reads them."""

from sqlalchemy.orm import Session

from tickets import queries
from tickets.errors import TicketNotFound
from tickets.records import Ticket

NOT_YOURS = "I don't find a ticket {asked} of yours. Check the number, or ask for “my tickets”."


def one_line(ticket: Ticket) -> str:
    state = ticket.state.value.replace("_", " ")
    return f"{ticket.number} ({state}): {ticket.title}, last changed {ticket.updated_at:%Y-%m-%d %H:%M} UTC"


def status_line(session: Session, asked: str, user: str) -> str:
    """How one's own ticket stands; somebody else's is as unknown as one that doesn't exist."""
    try:
        ticket = queries.find(session, asked)
    except TicketNotFound:
        return NOT_YOURS.format(asked=asked)
    return one_line(ticket) if ticket.requester == user else NOT_YOURS.format(asked=asked)


def list_lines(session: Session, user: str) -> str:
    lines = [one_line(ticket) for ticket in queries.open_tickets_of(session, user)]
    return (
        "\n".join(["Your open tickets:", *(f"• {line}" for line in lines[:20])])
        if lines
        else "You have no open tickets."
    )
