"""`/desk`: answered in the acknowledgement, but for a wish for a human, which opens a conversation."""

import re
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.answer_clicks import RETRIES
from bot.blocks.markup import escaped
from bot.blocks.outcomes import render
from bot.desk import Desk
from bot.message import Message, escape, plain
from bot.outcomes import Escalated, Handoff, HandoffReason, to_json
from bot.records import Conversation, Turn
from bot.slack_client import TRANSIENT
from bot.ticket_texts import list_lines, status_line

HELP = """What I can do here:
• `/desk help`: this list
• `/desk my tickets`: your open tickets
• `/desk status INC0000042`: how one of your tickets stands
• `/desk human my laptop is on fire`: bring in a person, with a word on what it's about
Or write to me in a direct message, as you would to a colleague."""
WANTS_HUMAN = re.compile(r"(?:human|talk to (?:a )?human|agent)\b[\s:,]*(.*)", re.IGNORECASE | re.DOTALL)
STATUS = re.compile(r"status\b\s*(.*)", re.IGNORECASE | re.DOTALL)
MY_TICKETS = re.compile(r"(?:my )?tickets?$", re.IGNORECASE)


class Commands:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._human = desk.durable.workflow("command_human", self._see_to_human)

    def answer(self, *, team: str, user: str, text: str, trigger: str) -> str:
        """What the person is told at once, in Slack's escaped form. `trigger` is Slack's id of this very command."""
        asked = text.strip()
        if MY_TICKETS.fullmatch(asked):
            with self._desk.database.reading() as session:
                return escape(list_lines(session, user))
        if found := STATUS.fullmatch(asked):
            if not found.group(1).strip():
                return "Which ticket? Write its number behind it: `/desk status INC0000042`"
            with self._desk.database.reading() as session:
                return escape(status_line(session, plain(found.group(1))[:40], user))
        if found := WANTS_HUMAN.fullmatch(asked):
            self._desk.durable.start(self._human, team, user, found.group(1)[:2000], trigger, key=f"command:{trigger}")
            return "I'm bringing in a person. Go on in our direct messages."
        return HELP

    def _see_to_human(self, team: str, user: str, about: str, trigger: str) -> None:
        self._desk.durable.step("open", self._open, team, user, about, trigger, retries=RETRIES, transient=TRANSIENT)

    def _open(self, team: str, user: str, about: str, trigger: str) -> None:
        """Begin a conversation in the direct messages, and hand it over as it is: nothing of it is to be understood."""
        desk, now, words = self._desk, self._desk.now(), plain(about)
        channel = desk.slack.workspace.dm(user)
        said = escaped(f"You asked for a human: {words}" if words else "You asked for a human.")
        ts = desk.slack.post(f"command:{trigger}"[:160], channel=channel, text=said, purpose="command")
        employee = desk.people.identify(team=team, user=user)
        handoff = Handoff(HandoffReason.EMPLOYEE_ASKED, words or "The employee asked for a human, without a word why.")
        message = Message(team=team, channel=channel, ts=ts, user=user, text=escape(words))
        with desk.database.transaction() as session:
            known = session.scalar(select(Turn).where(Turn.key == message.key))
            conversation, turn = (
                (session.get_one(Conversation, known.conversation_id), known)
                if known
                else self._begin(session, message, now)
            )
            ticket = desk.triage.open(
                session,
                conversation=conversation,
                turns=[turn],
                handoff=handoff,
                employee_name=employee.name,
                account=employee.account,
                opened_by=f"command:{trigger}",
            )
            outcome = Escalated(handoff, ticket=ticket)
            turn.outcome, turn.outcome_kind = to_json(outcome), outcome.kind
        rendered = render(outcome, surface=conversation.surface)
        place = {"channel": channel, "thread_ts": ts, "purpose": "handed_over", "ref": ticket}
        desk.slack.post(f"handed_over:{ticket}", text=rendered.text, blocks=rendered.blocks, **place)
        desk.triage.announce(ticket)

    @staticmethod
    def _begin(session: Session, message: Message, now: datetime) -> tuple[Conversation, Turn]:
        conversation = Conversation(
            team=message.team,
            channel=message.channel,
            thread_ts=message.root_ts,
            employee=message.user,
            surface="command",
            created_at=now,
            last_turn_at=now,
        )
        session.add(conversation)
        session.flush()
        turn = Turn(
            key=message.key,
            conversation_id=conversation.id,
            ts=message.ts,
            user=message.user,
            text=message.text,
            files=[],
            state="done",
            received_at=now,
            done_at=now,
        )
        session.add(turn)
        return conversation, turn
