"""“This wasn't me”: a page with one button, for whoever got a mail about something they didn't do."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.cases import keep_handoff
from bot.directory.directory import Ability, Directory, DirectoryUnavailable
from bot.errors import SlackUnavailable
from bot.handoff import DESK
from bot.once.links import Links
from bot.once.page import Page, unknown_link
from bot.outcomes import Handoff, HandoffReason
from bot.people import People
from bot.records import HandoffRecord
from bot.routines.records import RoutineRequest
from bot.workflows.limits import moment_text
from bot.workflows.records import KeyRequest, ResetRequest
from store import Database
from store.durable import TRANSIENT, Durable, StepFailed
from tickets import worklog
from tickets.numbers import Kind
from tickets.opening import open_ticket
from tickets.priority import Impact, Urgency

VALID = timedelta(days=7)
RETRIES = 12
DISABLED, NOT_YET, NEVER = "disabled", "not_yet", "never"
NEWS = {
    DISABLED: "The account is disabled.",
    NOT_YET: "The account is NOT disabled yet: the directory doesn't do it. It is tried again.",
    NEVER: "The account could NOT be disabled: the directory doesn't do it. Disable it by hand, now.",
}

log = logging.getLogger(__name__)

PATIENT = (*TRANSIENT, SlackUnavailable, DirectoryUnavailable)
PRESS = (
    "press the button. Your account is disabled at once, your Slack account is unlinked, and IT is told to call you. "
    "Nothing happens until you press it."
)
DONE = Page(
    "said.html",
    title="Thank you: your account is being disabled",
    text="IT is told and will call you. You can close this page.",
)


Repudiable = ResetRequest | KeyRequest | RoutineRequest


@dataclass(frozen=True)
class Deed:
    """What somebody may say they didn't do."""

    requests: Any
    """The class of its records, of `Repudiable`."""
    purpose: str
    """Of the links."""
    prefix: str
    """Of the keys under which it is carried out once."""
    name: str
    """`password reset`."""
    asked: str
    """What its owner is asked: `If you didn't ask for a new password`."""
    suspicion: str
    """Why the binding is suspended, of `SUSPICIONS`."""
    undo: Callable[[Session, Any], None]
    """Ends the request, and takes back what can be taken back, in the transaction that says that it wasn't them."""
    record: Callable[[Session, Any, str, str, str, datetime], None]
    """Adds a row on the request to the audit trail."""


@dataclass(frozen=True)
class Repudiation:
    deed: Deed
    database: Database
    directory: Directory
    people: People
    links: Links
    alert: Callable[[str, str], None]
    show_card: Callable[[str], None]
    """Shows the agents the card of a ticket."""
    begin: Callable[[str], None]
    """Starts `run` durably for a request, once."""
    now: Callable[[], datetime]

    def show(self, token: str) -> Page:
        found = self._request(token)
        if isinstance(found, Page):
            return found
        if found.repudiated_at is not None:
            self.begin(found.id)
            return DONE
        return Page("repudiate.html", title="Was this you?", text=f"{self.deed.asked}, {PRESS}")

    def submit(self, token: str, fields: Mapping[str, str]) -> Page:
        found = self._request(token)
        if isinstance(found, Page):
            return found
        if found.repudiated_at is not None:
            self.begin(found.id)  # once more: the first time the process may have died before this
            return DONE
        with self.database.transaction() as session:
            request = self._held(session, found.id)
            if request.repudiated_at is None:
                request.repudiated_at = self.now()
                self.deed.undo(session, request)
                self.deed.record(session, request, "repudiation", "allowed", "not_me", self.now())
        self.begin(found.id)
        return DONE

    def run(self, durable: Durable, request: str) -> None:
        """The durable workflow: the binding suspended, an incident of the highest priority, the account disabled.

        People are told within seconds, whether the directory answers or not.
        """
        durable.step("suspend", self._suspend, request)
        incident = durable.step("incident", self._incident, request)
        disabled = self._tried(durable, "disable", request, retries=2)
        self._alerted(durable, request, incident, DISABLED if disabled else NOT_YET)
        if not disabled:
            disabled = self._tried(durable, "disable later", request, retries=RETRIES)
            self._alerted(durable, request, incident, DISABLED if disabled else NEVER)

    def _tried(self, durable: Durable, name: str, request: str, *, retries: int) -> bool:
        try:
            durable.step(name, self._disable, request, retries=retries, transient=PATIENT)
        except StepFailed as failure:
            log.error("the account of the repudiated request %s isn't disabled: %s", request, failure)
            return False
        return True

    def _alerted(self, durable: Durable, request: str, incident: str, news: str) -> None:
        step = durable.step
        step(f"note {news}", self._note, request, incident, news)
        try:
            step(f"alert {news}", self._tell_agents, request, incident, news, retries=RETRIES, transient=PATIENT)
        except StepFailed as failure:
            log.error("the agents could not be told of %s: %s", incident, failure)

    def _request(self, token: str) -> Repudiable | Page:
        request_id = self.links.read(self.deed.purpose, token)
        if request_id is None:
            return unknown_link()
        request = self._read(request_id)
        if request is None:
            return unknown_link()
        if request.repudiated_at is None and self.now() > request.created_at + VALID:
            return Page("said.html", 410, "This link's time is over", "Call IT if something about your account is odd.")
        return request

    def _read(self, request_id: str) -> Repudiable | None:
        with self.database.reading() as session:
            found: Repudiable | None = session.get(self.deed.requests, request_id)
            return found

    def _held(self, session: Session, request_id: str) -> Repudiable:
        found: Repudiable = session.get_one(self.deed.requests, request_id, with_for_update=True)
        return found

    def _disable(self, request_id: str) -> None:
        request = self._read(request_id)
        if request is not None and request.directory_id is not None:
            self.directory.disable(request.directory_id)
            if Ability.SESSIONS in self.directory.abilities:
                self.directory.end_sessions(request.directory_id)

    def _suspend(self, request_id: str) -> None:
        request = self._read(request_id)
        if request is not None:
            self.people.suspend(request.team, request.slack_user, self.deed.suspicion)

    def _incident(self, request_id: str) -> str:
        with self.database.transaction() as session:
            request = self._held(session, request_id)
            ticket = open_ticket(
                session,
                kind=Kind.INCIDENT,
                title=f"Possible take-over of the account {request.account}",
                description=(
                    f"The owner of {request.account} says that the {self.deed.name} of "
                    f"{moment_text(request.created_at)} wasn't theirs (request {request.id}, "
                    f"{request.state}). It is unlinked from the Slack user {request.slack_user}; the worklog says "
                    "whether it is disabled. Call its owner on a number from HR, end its sessions, and give it "
                    "a new password in person."
                ),
                requester=DESK,  # not the Slack user, who may be the thief and would see it among their tickets
                requester_account=None,
                conversation=None,
                impact=Impact.HIGH,
                urgency=Urgency.HIGH,
                category="security",
                actor=DESK,
                now=self.now(),
                key=self._key(request.id),
            )
            request.incident = ticket.number
            if session.get(HandoffRecord, ticket.number) is None:
                keep_handoff(
                    session,
                    ticket.number,
                    conversation=None,
                    handoff=Handoff(HandoffReason.POLICY, ticket.description),
                    employee=f"the owner of {request.account}",
                    files=(),
                    opened_by=None,
                    now=self.now(),
                )
            return ticket.number

    def _note(self, request_id: str, incident: str, news: str) -> None:
        with self.database.transaction() as session:
            key = f"{self._key(request_id)}:{news}"
            worklog.note(session, incident, author=DESK, text=NEWS[news], now=self.now(), key=key)

    def _tell_agents(self, request_id: str, incident: str, news: str) -> None:
        request = self._read(request_id)
        if request is not None:
            self.show_card(incident)
            self.alert(
                f"{self._key(request_id)}:{news}",
                f"{incident}, P1: the owner of {request.account} says that a {self.deed.name} wasn't theirs. "
                f"{NEWS[news]} It is unlinked from Slack. Call its owner, and end its sessions.",
            )

    def _key(self, request_id: str) -> str:
        return f"{self.deed.prefix}:{request_id}:notme"
