"""From the desk to a human: the ticket, its card in the triage channel, and the relay between the two threads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.agents import Agents
from bot.blocks.markup import escaped, relayed
from bot.blocks.triage import Card, card
from bot.cases import file_names, handoff_of, keep_handoff, title_of
from bot.message import Message, plain
from bot.outcomes import Handoff
from bot.records import AgentMessage, Conversation, HandoffRecord, Post, Turn
from bot.slack import TRANSIENT, Slack
from store import Database
from store.durable import Durable
from tickets import opening, queries, worklog
from tickets.numbers import Kind
from tickets.records import ConversationRef, Ticket

DESK = "deskmate"
"""The actor in a ticket's events when the desk itself acts."""
INTERNAL = "//"
RETRIES = 9


@dataclass(frozen=True)
class TicketRef:
    """An open ticket of a conversation."""

    number: str
    title: str
    claimed_by: str | None
    """Slack id of the agent."""


class Triage:
    """The triage channel and what goes through it. Without a channel, tickets are opened all the same."""

    def __init__(self, *, database: Database, slack: Slack, now: Callable[[], datetime], channel: str | None) -> None:
        self._database = database
        self._slack = slack
        self._now = now
        self._agents = Agents(slack, channel)

    def durable(self, durable: Durable) -> None:
        """Register the workflows; before the durable runtime is launched."""
        self._durable = durable
        self._relaying = durable.workflow("relay_to_employee", self._see_to_relay)

    def is_agent(self, user: str) -> bool:
        """Whether Slack says, at most a minute ago, that this person is a member of the triage channel."""
        return self._agents.include(user)

    def alert(self, key: str, text: str) -> None:
        """A line for the agents, once per key; `text` is plain. Without a triage channel it is only in the log."""
        if channel := self._agents.channel():
            self._slack.post(f"alert:{key}", channel=channel, text=escaped(text), purpose="alert")

    # The ticket

    def open(
        self,
        session: Session,
        *,
        conversation: Conversation,
        turns: Sequence[Turn],
        handoff: Handoff,
        employee_name: str,
        account: str | None,
        opened_by: str | None = None,
    ) -> str:
        """Open the conversation's ticket, or return the one that is open already; its number.

        `opened_by` names what opened it, if that has to know itself again.
        """
        now = self._now()
        ticket = opening.open_ticket(
            session,
            kind=Kind.INCIDENT,
            title=title_of(turns, handoff),
            description=handoff.summary,
            requester=conversation.employee,
            requester_account=account,
            conversation=ConversationRef(conversation.team, conversation.channel, conversation.thread_ts),
            actor=DESK,
            now=now,
        )
        if session.get(HandoffRecord, ticket.number) is None:
            files = file_names(turns)
            keep_handoff(
                session,
                ticket.number,
                conversation=conversation,
                handoff=handoff,
                employee=employee_name,
                files=files,
                opened_by=opened_by,
                now=now,
            )
        return ticket.number

    def follow_up(self, session: Session, *, ticket: str, turn: Turn) -> None:
        """Put the employee's further message into the ticket's worklog, once."""
        said = plain(turn.text) or ", ".join(file_names([turn])) or "(no words)"
        text = f"(edited) {said}" if turn.edited_ts else said
        worklog.reply(session, ticket, author=turn.user, text=text, now=self._now(), key=turn.key)

    def ticket_of(self, session: Session, conversation_id: int) -> TicketRef | None:
        """The open ticket of this conversation."""
        conversation = session.get_one(Conversation, conversation_id)
        place = ConversationRef(conversation.team, conversation.channel, conversation.thread_ts)
        ticket = queries.open_ticket_in(session, place)
        return TicketRef(ticket.number, ticket.title, ticket.assignee) if ticket else None

    def opened_by(self, session: Session, ticket: str) -> str | None:
        record = session.get(HandoffRecord, ticket)
        return record.handoff.get("opened_by") if record else None

    def handoff_of(self, session: Session, ticket: str) -> Handoff:
        return handoff_of(session.get_one(HandoffRecord, ticket))

    # Its card

    def announce(self, ticket: str) -> None:
        """Show the ticket in the triage channel, or bring its card up to date."""
        channel = self._agents.channel()
        with self._database.reading() as session:
            record = session.get(HandoffRecord, ticket)
        if channel is None or record is None:
            return
        rendered = card(self.card_of(ticket))
        key = f"handoff:{ticket}"
        if record.triage_channel is not None and record.triage_ts is not None:
            place = {"channel": record.triage_channel, "ts": record.triage_ts}
            self._slack.update(**place, text=rendered.text, blocks=rendered.blocks)
            return
        ts = self._slack.post(
            key, channel=channel, text=rendered.text, blocks=rendered.blocks, purpose="triage_card", ref=ticket
        )
        with self._database.transaction() as session:
            kept = session.get_one(HandoffRecord, ticket)
            kept.triage_channel, kept.triage_ts = channel, ts

    def card_of(self, ticket: str) -> Card:
        """What the card shows now. Errors: `TicketNotFound`."""
        with self._database.reading() as session:
            found = queries.find(session, ticket)
            record = session.get_one(HandoffRecord, found.number)
        return Card(
            number=found.number,
            title=found.title,
            employee=str(record.handoff.get("employee") or found.requester),
            handoff=handoff_of(record),
            priority=f"{found.priority_level.code} {found.priority_level.label}",
            state=found.state.value.replace("_", " "),
            open=found.state.is_open,
            claimed_by=self.name_of(found.assignee) if found.assignee else None,
            opened_at=found.created_at,
            files=tuple(record.handoff.get("files") or ()),
        )

    def name_of(self, user: str) -> str:
        """A person's name for display; the desk's own is its name."""
        return "Deskmate" if user == DESK else self._slack.user(user, max_age=3600).name

    # The relay

    def relay_to_agents(self, ticket: str, *, key: str, name: str, text: str) -> None:
        """Say in the ticket's triage thread what the employee wrote, once per key; `text` is Slack's escaped form."""
        self.tell_agents(ticket, key=f"relay:{key}", text=relayed(text) or "(a file)", name=name)

    def tell_agents(self, ticket: str, *, key: str, text: str, name: str | None = None) -> None:
        """A line in the ticket's triage thread, once per key, under a person's name or the desk's own."""
        with self._database.reading() as session:
            record = session.get(HandoffRecord, ticket)
        if record is None or record.triage_channel is None or record.triage_ts is None:
            return
        self._slack.post(
            key,
            channel=record.triage_channel,
            thread_ts=record.triage_ts,
            text=text,
            username=name,
            purpose="triage",
            ref=ticket,
        )

    def tell_employee(self, ticket: str, *, key: str, text: str, name: str | None = None) -> None:
        """A line in the employee's thread, once per key, under a person's name or the desk's own."""
        with self._database.reading() as session:
            record = session.get_one(HandoffRecord, ticket)
            conversation = session.get_one(Conversation, record.conversation_id)
        self._slack.post(
            key,
            channel=conversation.channel,
            thread_ts=conversation.thread_ts,
            text=text,
            username=name,
            purpose="relay",
            ref=ticket,
        )

    def is_triage_thread(self, channel: str, thread_ts: str | None) -> bool:
        """Whether a message belongs to a ticket's thread in the triage channel."""
        return thread_ts is not None and self._ticket_at(channel, thread_ts) is not None

    def _ticket_at(self, channel: str, ts: str) -> str | None:
        with self._database.reading() as session:
            known = session.scalar(
                select(HandoffRecord.ticket).where(
                    HandoffRecord.triage_channel == channel, HandoffRecord.triage_ts == ts
                )
            )
            # The card is out before its place is recorded here; the post knows it a moment earlier.
            return known or session.scalar(
                select(Post.ref).where(Post.channel == channel, Post.ts == ts, Post.purpose == "triage_card")
            )

    def receive_from_agent(self, message: Message) -> None:
        """Record a message of a triage thread durably; it is relayed or noted afterwards, in order."""
        ticket = self._ticket_at(message.channel, message.root_ts)
        if ticket is None:
            return
        with self._database.transaction() as session:
            if session.get(AgentMessage, message.key) is None:
                files = "".join(f"\n📎 {escaped(file.name)}" for file in message.files)
                session.add(
                    AgentMessage(
                        key=message.key,
                        ticket=ticket,
                        channel=message.channel,
                        ts=message.ts,
                        user=message.user,
                        text=("(edited) " if message.edited_ts else "") + message.text + files,
                        at=self._now(),
                    )
                )
        key = f"agent:{message.key}"
        self._durable.enqueue(self._relaying, message.key, key=key, partition=f"triage:{ticket}")

    def _see_to_relay(self, key: str) -> None:
        self._durable.step("relay", self._relay, key, retries=RETRIES, transient=TRANSIENT)

    def _relay(self, key: str) -> None:
        with self._database.transaction() as session:
            message = session.get_one(AgentMessage, key)
            ticket = queries.held(session, message.ticket)
            goes_out = self._goes_out(ticket, message)
            said = plain(message.text) or "(no words)"
            if goes_out:
                worklog.reply(
                    session, ticket.id, author=message.user, text=said, now=self._now(), by_agent=True, key=key
                )
            else:
                note = said.removeprefix(INTERNAL).strip() or "(no words)"
                worklog.note(session, ticket.id, author=message.user, text=note, now=self._now(), key=key)
        if goes_out:
            name = self.name_of(message.user)
            self.tell_employee(message.ticket, key=f"relay:{key}", text=relayed(message.text), name=name)
            self._slack.react(channel=message.channel, ts=message.ts, name="incoming_envelope")
            self.announce(message.ticket)
        elif ticket.assignee == message.user and not ticket.state.is_open:
            place = {"channel": message.channel, "user": message.user, "thread_ts": message.ts}
            self._slack.whisper(**place, text=f"{ticket.number} is {ticket.state.value}, so I kept this as a note.")

    @staticmethod
    def _goes_out(ticket: Ticket, message: AgentMessage) -> bool:
        """Only what the agent who has the ticket writes, and not what they mark as internal."""
        mine = ticket.assignee == message.user and ticket.state.is_open
        return mine and not plain(message.text).startswith(INTERNAL)
