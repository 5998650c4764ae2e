"""What an agent writes in a ticket's triage thread: kept, and either for the employee or a note. SQL only."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.blocks.markup import escaped
from bot.message import Message, plain
from bot.records import AgentMessage
from tickets import worklog
from tickets.records import Ticket, WorklogEntry

INTERNAL = "//"
EDITED = "(edited) "


def keep_message(session: Session, ticket: str, message: Message, *, now: datetime) -> None:
    """Keep a message until it is relayed or noted; delivered again, it is kept once."""
    if session.get(AgentMessage, message.key) is None:
        files = "".join(f"\n📎 {escaped(file.name)}" for file in message.files)
        session.add(
            AgentMessage(
                key=message.key,
                ticket=ticket,
                channel=message.channel,
                ts=message.ts,
                user=message.user,
                text=(EDITED if message.edited_ts else "") + message.text + files,
                at=now,
            )
        )


def log_message(
    session: Session, ticket: Ticket, message: AgentMessage, *, has_reader: bool, now: datetime
) -> WorklogEntry:
    """The message in the ticket's worklog, once. A reply, to be relayed, is only what the agent who has the open
    ticket writes without marking it as internal, and if an employee reads along; everything else is a note."""
    said = plain(message.text) or "(no words)"
    if has_reader and ticket.assignee == message.user and ticket.state.is_open and not is_internal(message):
        return worklog.reply(
            session, ticket.id, author=message.user, text=said, now=now, by_agent=True, key=message.key
        )
    note = said.removeprefix(EDITED).removeprefix(INTERNAL).strip() or "(no words)"
    return worklog.note(session, ticket.id, author=message.user, text=note, now=now, key=message.key)


def is_internal(message: AgentMessage) -> bool:
    return plain(message.text).removeprefix(EDITED).lstrip().startswith(INTERNAL)


def why_kept(ticket: Ticket, user: str) -> str | None:
    """What an agent has to know when their words, meant for the employee maybe, stayed inside."""
    if ticket.state.is_open:
        if ticket.assignee is None:
            return f"{ticket.number} isn't claimed, so I kept this as a note. Press Claim to write to the employee."
        return None
    if ticket.assignee == user:
        return f"{ticket.number} is {ticket.state.value}, so I kept this as a note."
    return None
