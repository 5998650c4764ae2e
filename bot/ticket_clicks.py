"""What agents do on a ticket's card, and what the employee says once it is resolved."""

import logging
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.answer_clicks import RETRIES
from bot.blocks.markup import escaped
from bot.blocks.triage import RATE, STILL_BROKEN, TRIAGE_CLAIM, Entry, details, resolve_form, resolved, settled
from bot.cases import turns_of
from bot.clicks import OLD, Click, clicked, keep_view, opened_view
from bot.desk import Desk
from bot.message import escape, plain
from bot.outcomes import Escalated, from_json
from bot.records import Conversation, HandoffRecord, Post
from bot.slack_client import TRANSIENT
from tickets import claiming, lifecycle, queries
from tickets.errors import TicketError
from tickets.records import EntryKind, Ticket

log = logging.getLogger(__name__)

NO_AGENT = "Only members of the triage channel can do that."
RESOLUTION_PURPOSE = "resolved"


class TicketClicks:
    """Clicks on triage cards and on messages that ask how it went; carried out durably, twice as if once."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._clicked = desk.durable.workflow("ticket_click", self._see_to_click)
        self._resolving = desk.durable.workflow("ticket_resolved", self._see_to_resolution)

    # Within Slack's three seconds

    def receive(self, click: Click) -> None:
        self._desk.durable.start(self._clicked, click.as_json(), key=click.key)

    def open_resolve_form(self, click: Click) -> None:
        ticket = self._for_agent(click)
        if ticket is not None and not ticket.state.is_open:
            self._whisper(click, f"{ticket.number} is {ticket.state.value} already.")
        elif ticket is not None:
            view = opened_view(self._desk.slack, click, resolve_form(ticket.number, ticket.title))
            if view is None:
                return
            with self._desk.database.transaction() as session:
                keep_view(session, view, purpose="resolve", ref=ticket.number, user=click.user, now=self._desk.now())

    def show_details(self, click: Click) -> None:
        if ticket := self._for_agent(click):
            with self._desk.database.reading() as session:
                worklog = queries.worklog_of(session, ticket)
            entries = [
                Entry(self._desk.triage.name_of(entry.author), entry.kind is EntryKind.REPLY, entry.text, entry.at)
                for entry in worklog
            ]
            card = self._desk.triage.card_of(ticket.number)
            opened_view(self._desk.slack, click, details(card, entries))

    def resolve(self, *, view: str, ticket: str, agent: str, resolution: str) -> str | None:
        """Resolve the ticket; why not, or None. The employee is told afterwards."""
        if not self._desk.triage.is_agent(agent):
            return NO_AGENT
        try:
            with self._desk.database.transaction() as session:
                lifecycle.resolve(session, ticket, agent=agent, resolution=resolution, now=self._desk.now())
        except TicketError as error:
            return str(error)
        self._desk.durable.start(self._resolving, ticket, view, key=f"resolved:{view}")
        return None

    # After it

    def _see_to_click(self, click: dict[str, Any]) -> None:
        self._desk.durable.step("act", self._act, click, retries=RETRIES, transient=TRANSIENT)

    def _see_to_resolution(self, ticket: str, view: str) -> None:
        step = self._desk.durable.step
        step("tell", self._tell_of_resolution, ticket, view, retries=RETRIES, transient=TRANSIENT)

    def _act(self, kept: dict[str, Any]) -> None:
        click = Click(**kept)
        if click.action == TRIAGE_CLAIM:
            self._claim(click)
            return
        with self._desk.database.reading() as session:
            post = clicked(session, click, RESOLUTION_PURPOSE)
            ticket = queries.find(session, post.ref) if post is not None and post.ref else None
        if post is None or ticket is None or ticket.requester != click.user:
            self._whisper(click, OLD)
        elif click.action == STILL_BROKEN:
            self._reopen(click, post, ticket)
        elif click.action.startswith(RATE) and click.number is not None:
            self._rate(click, post, ticket, click.number)

    def _for_agent(self, click: Click) -> Ticket | None:
        """The ticket of the card that was clicked on; None, and the clicker is told, if that isn't theirs to do."""
        with self._desk.database.reading() as session:
            post = clicked(session, click, "triage_card")
            ticket = queries.find(session, post.ref) if post is not None and post.ref else None
        if ticket is None or not self._desk.triage.is_agent(click.user):
            self._whisper(click, OLD if ticket is None else NO_AGENT)
            return None
        return ticket

    def _claim(self, click: Click) -> None:
        ticket = self._for_agent(click)
        if ticket is None:
            return
        try:
            with self._desk.database.transaction() as session:
                claim = claiming.claim(session, ticket.id, agent=click.user, now=self._desk.now())
        except TicketError as error:
            self._whisper(click, str(error))
            return
        if not claim.won:
            self._whisper(click, f"{self._desk.triage.name_of(claim.assignee)} has {ticket.number} already.")
            return
        agent = self._desk.triage.name_of(click.user)
        text = f"{agent} is looking into it ({ticket.number}) and will write to you here."
        self._desk.triage.tell_employee(ticket.number, key=f"claimed:{ticket.number}:{click.user}", text=escape(text))
        self._desk.triage.announce(ticket.number)

    def _tell_of_resolution(self, number: str, view: str) -> None:
        with self._desk.database.reading() as session:
            ticket = queries.find(session, number)
            place = session.get_one(HandoffRecord, ticket.number).conversation_id
            conversation = session.get_one(Conversation, place) if place is not None else None
            turns = turns_of(session, place) if place is not None else []
        if conversation is None:
            self._desk.triage.announce(ticket.number)
            return
        agent = self._desk.triage.name_of(ticket.assignee) if ticket.assignee else "Deskmate"
        rendered = resolved(ticket.number, agent, ticket.resolution or "")
        self._desk.slack.post(
            f"resolved:{view}",
            channel=conversation.channel,
            thread_ts=conversation.thread_ts,
            text=rendered.text,
            blocks=rendered.blocks,
            purpose=RESOLUTION_PURPOSE,
            ref=ticket.number,
        )
        self._desk.triage.announce(ticket.number)
        for turn in turns:
            outcome = from_json(turn.outcome) if turn.outcome else None
            if isinstance(outcome, Escalated) and not outcome.handed_over:
                self._desk.slack.mark_done(channel=conversation.channel, ts=turn.ts)

    def _reopen(self, click: Click, post: Post, ticket: Ticket) -> None:
        try:
            if not ticket.state.is_open:
                with self._desk.database.transaction() as session:
                    reason = "The employee says that it is still broken."
                    lifecycle.reopen(session, ticket.id, actor=click.user, reason=reason, now=self._desk.now())
        except TicketError as error:
            self._whisper(click, str(error))
            return
        triage, number = self._desk.triage, ticket.number
        key = f"reopened:{post.key}"
        text = f"Sorry about that. {number} is open again; an agent goes on with it. Tell us here what still happens."
        triage.tell_employee(number, key=key, text=escape(text))
        triage.tell_agents(number, key=f"{key}:agents", text=escape(f"{number} is still broken, says the employee."))
        triage.announce(number)
        self._put_away(post, ticket, "You said that it is still broken.")

    def _rate(self, click: Click, post: Post, ticket: Ticket, stars: int) -> None:
        try:
            with self._desk.database.transaction() as session:
                rated = session.get_one(Ticket, ticket.id).rating
                if rated is None:
                    lifecycle.rate(session, ticket.id, stars, actor=click.user, now=self._desk.now())
        except TicketError as error:
            self._whisper(click, str(error))
            return
        if rated is not None and rated != stars:
            self._whisper(click, f"You have rated {ticket.number} already, with {rated} of 5 stars. Thanks!")
            return
        text = escaped(f"The employee rated {ticket.number} with {stars} of 5 stars.")
        self._desk.triage.tell_agents(ticket.number, key=f"rated:{post.key}", text=text)
        self._put_away(post, ticket, f"You gave it {stars} of 5 stars. Thanks!")

    def _put_away(self, post: Post, ticket: Ticket, thanks: str) -> None:
        """Take the buttons off the message that asked, since they are answered. Last of all, for Slack may refuse it:
        the message may be gone, or too old to be edited."""
        if post.ts is None:
            return
        agent = self._desk.triage.name_of(ticket.assignee) if ticket.assignee else "Deskmate"
        rendered = settled(ticket.number, agent, plain(escape(ticket.resolution or "")), thanks)
        try:
            self._desk.slack.update(channel=post.channel, ts=post.ts, text=rendered.text, blocks=rendered.blocks)
        except SlackApiError as error:
            log.warning("the buttons under %s stay: %s", post.key, error.response.get("error"))

    def _whisper(self, click: Click, text: str) -> None:
        self._desk.slack.whisper(channel=click.channel, user=click.user, text=escape(text), thread_ts=click.thread_ts)
