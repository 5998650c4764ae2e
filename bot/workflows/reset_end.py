"""How a password change ends: found out by reading back where it must be, recorded as a ticket, told to people."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.directory.directory import Ability, Directory, DirectoryUnavailable
from bot.workflows import reset_texts
from bot.workflows.password_change import PasswordChange
from bot.workflows.records import held_request
from bot.workflows.reset_news import ResetNews, attempt, step
from store import Database
from store.durable import Durable, StepFailed
from tickets.lifecycle import resolve
from tickets.numbers import Kind
from tickets.opening import open_ticket
from tickets.queries import open_ticket_in
from tickets.records import ConversationRef

PATIENCE = timedelta(seconds=30)
"""How long a page's request may take to change a password before its end is found out by reading back."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 15.0
MOST_LOOKS = 250
"""About an hour of a directory that doesn't answer; then people are asked to look."""


@dataclass(frozen=True)
class ResetEnd:
    database: Database
    directory: Directory
    change: PasswordChange
    news: ResetNews
    alert: Callable[[str, str], None]
    now: Callable[[], datetime]

    def run(self, durable: Durable, request: str, number: int) -> None:
        """The durable workflow of one attempt to change a password."""
        state = self._wait(durable, request, number)
        if state == "changed":
            attempt(durable, "end sessions", self._end_sessions, request)
            step(durable, "ticket", self._ticket, request)
            attempt(durable, "say", self.news.say_end, request, f"reset:{request}:changed")
            attempt(durable, "mark done", self.news.mark_done, request)
            self.news.mail_everybody(durable, request, "changed")
        elif state == "unchanged":
            step(durable, "say", self.news.say_end, request, f"reset:{request}:{number}:unchanged")
        elif state == "waiting":
            attempt(durable, "say", self.news.say, request, f"reset:{request}:unsettled", reset_texts.UNSETTLED)
            text = f"It isn't known whether the password reset {request} took effect: the directory doesn't answer."
            step(durable, "alert", self.alert, f"reset:{request}:unsettled", text)

    def _wait(self, durable: Durable, request: str, number: int) -> str:
        state, pause = "waiting", FIRST_PAUSE_SECONDS
        for _ in range(MOST_LOOKS):
            try:
                state = step(durable, "settle", self._settle, request, number)
            except StepFailed as error:
                if error.kind != DirectoryUnavailable.__name__:
                    raise
            if state != "waiting":
                break
            durable.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        return state

    def _settle(self, request: str, number: int) -> str:
        """`changed` or `unchanged`; `open` when the directory refused the password and another may be tried; `waiting`
        while the page's request may still be at work.

        Errors: `DirectoryUnavailable`.
        """
        found = self.news.read(request)
        if found.attempt == number and found.state in ("changing", "unsure") and found.changing_at is not None:
            late = self.now() >= found.changing_at + PATIENCE
            if not late and found.state == "changing":
                return "waiting"
            moved = self.directory.password_marker(found.directory_id or "") != found.marker
            if not moved and not late:
                return "waiting"
            self.change.settle(request, number, "changed" if moved else "unchanged")
            found = self.news.read(request)
        return found.state if found.attempt == number and found.state in ("changed", "unchanged") else "open"

    def _end_sessions(self, request: str) -> None:
        """Whoever was signed in with the old password, maybe not its owner, has to sign in anew."""
        if Ability.SESSIONS in self.directory.abilities:
            self.directory.end_sessions(self.news.read(request).directory_id or "")

    def _ticket(self, request: str) -> str:
        with self.database.transaction() as session:
            held = held_request(session, request)
            place = ConversationRef(held.team, held.channel, held.thread_ts)
            ticket = open_ticket(
                session,
                kind=Kind.SERVICE_REQUEST,
                title="Password reset",
                description=f"{held.account} changed their password on the one-time page (request {held.id}).",
                requester=held.slack_user,
                requester_account=held.account,
                # A conversation has one open ticket; somebody's trouble there isn't solved by this.
                conversation=None if open_ticket_in(session, place) else place,
                category="password",
                actor="deskmate",
                now=self.now(),
                key=f"reset:{held.id}",
            )
            if held.ticket is None:
                resolve(
                    session,
                    ticket.number,
                    agent="deskmate",
                    resolution="Password changed and verified.",
                    now=self.now(),
                )
                held.ticket = ticket.number
            return ticket.number
