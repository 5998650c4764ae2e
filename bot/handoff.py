"""From the desk to a human: the ticket, its card in the triage channel, and the relay between the two threads."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.agents import Agents
from bot.blocks.markup import escaped, pieces, relayed
from bot.blocks.outcomes import Rendered
from bot.blocks.triage import Card, card
from bot.cases import file_names, handoff_of, keep_handoff, title_of
from bot.message import Message, plain
from bot.outcomes import Handoff
from bot.records import AgentMessage, Conversation, HandoffRecord, Post, Turn
from bot.relay import is_internal, keep_message, log_message, why_kept
from bot.slack import Slack
from bot.slack_client import TRANSIENT
from store import Database
from store.durable import Durable, StepFailed
from tickets import lifecycle, opening, queries, worklog
from tickets.numbers import Kind
from tickets.records import ConversationRef, EntryKind, Ticket

DESK = "deskmate"
"""The actor in a ticket's events when the desk itself acts."""
RETRIES = 14
"""Pausing twice as long each time, from half a second: some four hours."""
REMEMBERED = timedelta(days=14)
"""How long “still broken” in the thread of a resolved ticket reopens it."""
PART = 2_900
"""Characters of a relayed message; a longer one goes in parts, since a message's text is cut at 3,000."""
GONE = frozenset({"message_not_found", "channel_not_found", "is_archived", "cant_update_message", "edit_window_closed"})

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TicketRef:
    """A ticket of a conversation."""

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
        self._watchers: list[Callable[[Ticket], None]] = []
        self._cards = tuple(threading.Lock() for _ in range(16))

    def durable(self, durable: Durable) -> None:
        """Register the workflows; before the durable runtime is launched."""
        self._durable = durable
        self._relaying = durable.workflow("relay_to_employee", self._see_to_relay)

    def watch(self, changed: Callable[[Ticket], None]) -> None:
        """Have this called with each ticket that changed; it must not raise."""
        self._watchers.append(changed)

    def is_agent(self, user: str) -> bool:
        """Whether Slack says, at most a minute ago, that this person is a member of the triage channel."""
        return self._agents.include(user)

    def channel(self) -> str | None:
        """The triage channel's id, if there is one."""
        return self._agents.channel()

    def alert(self, key: str, text: str) -> None:
        """A line for the agents, once per key; `text` is plain. Without a triage channel it is only in the log."""
        if channel := self.channel():
            self._slack.post(f"alert:{key}", channel=channel, text=escaped(text), purpose="alert")
        else:
            log.warning("there is no triage channel to say this in: %s", text)

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

        `opened_by` names what opened it, if that has to know itself again: the same again changes nothing.
        """
        now = self._now()
        ticket = opening.open_ticket(
            session,
            kind=Kind.INCIDENT,
            title=title_of(turns, handoff),
            description=handoff.summary,
            requester=turns[-1].user if turns else conversation.employee,
            requester_account=account,
            conversation=ConversationRef(conversation.team, conversation.channel, conversation.thread_ts),
            actor=DESK,
            now=now,
            key=opened_by,
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
        """Put the employee's further message into the ticket's worklog, once; a resolved ticket is open again then."""
        if not queries.find(session, ticket).state.is_open:
            lifecycle.reopen(session, ticket, actor=turn.user, reason="The employee says so.", now=self._now())
        said = plain(turn.text).strip() or ", ".join(file_names([turn])) or "(no words)"
        text = f"(edited) {said}" if turn.edited_ts else said
        worklog.reply(session, ticket, author=turn.user, text=text, now=self._now(), key=turn.key)

    def ticket_of(self, session: Session, conversation_id: int) -> TicketRef | None:
        """The open ticket of this conversation."""
        conversation = session.get_one(Conversation, conversation_id)
        place = ConversationRef(conversation.team, conversation.channel, conversation.thread_ts)
        ticket = queries.open_ticket_in(session, place)
        return TicketRef(ticket.number, ticket.title, ticket.assignee) if ticket else None

    def resolved_lately(self, session: Session, conversation_id: int) -> TicketRef | None:
        """The conversation's last ticket, if it was resolved and isn't older than people remember."""
        conversation = session.get_one(Conversation, conversation_id)
        place = ConversationRef(conversation.team, conversation.channel, conversation.thread_ts)
        ticket = queries.latest_ticket_in(session, place)
        if ticket is None or ticket.resolved_at is None or self._now() - ticket.resolved_at > REMEMBERED:
            return None
        return TicketRef(ticket.number, ticket.title, ticket.assignee)

    def opened_by(self, session: Session, ticket: str) -> str | None:
        record = session.get(HandoffRecord, ticket)
        return record.handoff.get("opened_by") if record else None

    def handoff_of(self, session: Session, ticket: str) -> Handoff:
        return handoff_of(session.get_one(HandoffRecord, ticket))

    # Its card

    def announce(self, ticket: str) -> None:
        """Show the ticket in the triage channel, or bring its card up to date; then tell those who watch."""
        # The newest state must be the last one shown, so nobody else may read it between here and Slack.
        with self._cards[hash(ticket) % len(self._cards)]:
            self._show(ticket)
        with self._database.reading() as session:
            changed = queries.find(session, ticket)
        for watcher in self._watchers:
            watcher(changed)

    def _show(self, ticket: str) -> None:
        channel = self.channel()
        with self._database.reading() as session:
            record = session.get(HandoffRecord, ticket)
        if channel is None or record is None:
            return
        rendered = card(self.card_of(ticket))
        if record.triage_channel is not None and record.triage_ts is not None:
            self._update(record.triage_channel, record.triage_ts, rendered)
            return
        ts = self._slack.post(
            f"handoff:{ticket}",
            channel=channel,
            text=rendered.text,
            blocks=rendered.blocks,
            purpose="triage_card",
            ref=ticket,
        )
        with self._database.transaction() as session:
            kept = session.get_one(HandoffRecord, ticket)
            kept.triage_channel, kept.triage_ts = channel, ts

    def _update(self, channel: str, ts: str, rendered: Rendered) -> None:
        try:
            self._slack.update(channel=channel, ts=ts, text=rendered.text, blocks=rendered.blocks)
        except SlackApiError as error:
            if error.response.get("error") not in GONE:
                raise
            log.warning("the card %s:%s is gone, so it isn't kept up to date", channel, ts)

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
            priority=found.priority_level.label,
            state=found.state.value.replace("_", " "),
            open=found.state.is_open,
            claimed_by=self.name_of(found.assignee) if found.assignee else None,
            opened_at=found.created_at,
            files=tuple(record.handoff.get("files") or ()),
            has_reader=record.conversation_id is not None,
        )

    def name_of(self, user: str) -> str:
        """A person's name for display; the desk's own is its name."""
        if user == DESK:
            return "Deskmate"
        try:
            return self._slack.workspace.user(user, max_age=3600).name
        except SlackApiError as error:
            log.warning("Slack doesn't tell the name of %s: %s", user, error.response.get("error"))
            return user

    # The relay

    def relay_to_agents(self, ticket: str, *, key: str, name: str, text: str) -> None:
        """Say in the ticket's triage thread what the employee wrote, once per key; `text` is Slack's escaped form."""
        self.tell_agents(ticket, key=f"relay:{key}", text=relayed(text) or "(a file)", name=name)

    def tell_agents(self, ticket: str, *, key: str, text: str, name: str | None = None) -> None:
        """Say something in the ticket's triage thread, once per key, under a person's name or the desk's own."""
        record = self._record_of(ticket)
        if record is not None and record.triage_ts is None:
            # The card isn't out yet, and what is said would be lost; whoever is about to show it finds it shown.
            self.announce(ticket)
            record = self._record_of(ticket)
        if record is None or record.triage_channel is None or record.triage_ts is None:
            return
        for number, part in enumerate(pieces(text, PART)):
            self._slack.post(
                f"{key}:{number}" if number else key,
                channel=record.triage_channel,
                thread_ts=record.triage_ts,
                text=part,
                username=name,
                purpose="triage",
                ref=ticket,
            )

    def _record_of(self, ticket: str) -> HandoffRecord | None:
        with self._database.reading() as session:
            return session.get(HandoffRecord, ticket)

    def tell_employee(self, ticket: str, *, key: str, text: str, name: str | None = None) -> None:
        """Say something in the employee's thread, if there is one, once per key, under this name or the desk's own."""
        with self._database.reading() as session:
            record = session.get_one(HandoffRecord, ticket)
            if record.conversation_id is None:
                return
            conversation = session.get_one(Conversation, record.conversation_id)
        for number, part in enumerate(pieces(text, PART)):
            self._slack.post(
                f"{key}:{number}" if number else key,
                channel=conversation.channel,
                thread_ts=conversation.thread_ts,
                text=part,
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
            keep_message(session, ticket, message, now=self._now())
        key = f"agent:{message.key}"
        self._durable.enqueue(self._relaying, message.key, key=key, partition=f"triage:{ticket}")

    def _see_to_relay(self, key: str) -> None:
        step = self._durable.step
        try:
            step("relay", self._relay, key, retries=RETRIES, transient=TRANSIENT)
        except StepFailed:
            step("tell", self._say_undelivered, key, retries=RETRIES, transient=TRANSIENT)
            raise

    def _say_undelivered(self, key: str) -> None:
        with self._database.reading() as session:
            message = session.get_one(AgentMessage, key)
            thread = session.get_one(HandoffRecord, message.ticket).triage_ts
        text = "This didn't reach the employee: Slack refused it. It is in the ticket; please reach them another way."
        self._slack.whisper(channel=message.channel, user=message.user, thread_ts=thread, text=text)

    def _relay(self, key: str) -> None:
        with self._database.transaction() as session:
            message = session.get_one(AgentMessage, key)
            ticket = queries.held(session, message.ticket)
            record = session.get_one(HandoffRecord, message.ticket)
            has_reader, thread = record.conversation_id is not None, record.triage_ts
            entry = log_message(session, ticket, message, has_reader=has_reader, now=self._now())
        # The entry says what was decided the first time, also if the ticket was resolved since.
        if entry.kind is EntryKind.REPLY:
            name = self.name_of(message.user)
            self.tell_employee(message.ticket, key=f"relay:{key}", text=relayed(message.text), name=name)
            try:
                self._slack.react(channel=message.channel, ts=message.ts, name="incoming_envelope")
                self.announce(message.ticket)
            except SlackApiError as error:  # the employee has it all the same
                log.warning("the agents don't see that %s was passed on: %s", key, error.response.get("error"))
        elif not is_internal(message) and (why := why_kept(ticket, message.user)):
            self._slack.whisper(channel=message.channel, user=message.user, thread_ts=thread, text=why)
