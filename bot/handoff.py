"""From the desk to a human: the ticket, its card in the triage channel, and the relay between the two threads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.message import Message
from bot.outcomes import Handoff
from bot.records import Conversation, Turn
from bot.slack import Slack
from store import Database
from store.durable import Durable


@dataclass(frozen=True)
class TicketRef:
    """An open ticket of a conversation."""

    number: str
    title: str
    claimed_by: str | None
    """The agent's name, for display."""


class Triage:
    """The triage channel and what goes through it. Without a channel, tickets are opened all the same."""

    def __init__(
        self, *, database: Database, slack: Slack, now: Callable[[], datetime], channel: str | None
    ) -> None:
        self._database = database
        self._slack = slack
        self._now = now
        self._channel = channel

    def open(
        self,
        session: Session,
        *,
        conversation: Conversation,
        turns: Sequence[Turn],
        handoff: Handoff,
        employee_name: str,
        account: str | None,
    ) -> str:
        """Open the conversation's ticket, or return the one that is open already; its number."""
        raise NotImplementedError

    def follow_up(self, session: Session, *, ticket: str, turn: Turn) -> None:
        """Put the employee's further message into the ticket's worklog, once."""
        raise NotImplementedError

    def ticket_of(self, session: Session, conversation_id: int) -> TicketRef | None:
        """The open ticket of this conversation."""
        raise NotImplementedError

    def announce(self, ticket: str) -> None:
        """Show the ticket in the triage channel, or bring its card up to date."""
        raise NotImplementedError

    def relay_to_agents(self, ticket: str, *, key: str, name: str, text: str) -> None:
        """Say in the ticket's triage thread what the employee wrote, once per key; `text` is Slack's escaped form."""
        raise NotImplementedError

    def is_triage_thread(self, channel: str, thread_ts: str | None) -> bool:
        """Whether a message belongs to a ticket's thread in the triage channel."""
        raise NotImplementedError

    def receive_from_agent(self, message: Message) -> None:
        """Record a message of a triage thread durably; it is relayed or noted afterwards."""
        raise NotImplementedError

    def durable(self, durable: Durable) -> None:
        """Register the workflows; before the durable runtime is launched."""
        raise NotImplementedError
