"""`/desk`: answered in the acknowledgement, but for a wish for a human, which opens a conversation."""

import re

from bot.answer_clicks import RETRIES
from bot.desk import Desk
from bot.message import Message, escape
from bot.slack import TRANSIENT
from bot.ticket_texts import list_lines, status_line
from bot.turns import Turns

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
    def __init__(self, desk: Desk, turns: Turns) -> None:
        self._desk = desk
        self._turns = turns
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
                return escape(status_line(session, found.group(1).strip()[:40], user))
        if found := WANTS_HUMAN.fullmatch(asked):
            self._desk.durable.start(self._human, team, user, found.group(1)[:2000], trigger, key=f"command:{trigger}")
            return "I'm bringing in a person. Go on in our direct messages."
        return HELP

    def _see_to_human(self, team: str, user: str, about: str, trigger: str) -> None:
        self._desk.durable.step("open", self._open, team, user, about, trigger, retries=RETRIES, transient=TRANSIENT)

    def _open(self, team: str, user: str, about: str, trigger: str) -> None:
        channel = self._desk.slack.dm(user)
        said = f"You asked for a human{f': {about}' if about else ''}."
        ts = self._desk.slack.post(f"command:{trigger}"[:160], channel=channel, text=escape(said), purpose="command")
        self._turns.receive(
            Message(team=team, channel=channel, ts=ts, user=user, text=escape(f"Talk to a human: {about}")),
            surface="command",
        )
