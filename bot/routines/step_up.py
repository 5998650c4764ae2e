"""Who asks for something of level L2 proves that it's them, on a one-time page and with a second factor, now.

The link is no secret: the page does nothing without the proof, and nothing at all once it was given.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.factors.factor import Occasion, ProofMalformed
from bot.factors.second_factor import SecondFactor, Verdict
from bot.once.links import Links
from bot.once.page import Page, unknown_link
from bot.people import Employee
from bot.routines.carrying_out import note
from bot.routines.records import RoutineRequest, held
from bot.routines.routine import Level, Routine
from bot.workflows.eligibility import Eligibility
from bot.workflows.limits import Refusal, locked
from store import Database

LINK = timedelta(minutes=10)
GONE = Page(
    "said.html",
    410,
    "This link was used, or its time is over",
    "Look at the card in Slack: it says how things stand, and gives you a new link if one is needed.",
)
PROVEN = Page("said.html", title="Thank you", text="I go on in Slack. You can close this page.")


@dataclass(frozen=True)
class Assurance:
    """How sure it is made who asks."""

    database: Database
    links: Links
    second_factor: SecondFactor
    eligibility: Eligibility
    """Of no workflow; each looks at its own switch."""
    alert: Callable[[str, str], None]
    now: Callable[[], datetime]


class StepUp:
    """Of one routine. `proven` is called with a request's id once its owner has proven themselves."""

    def __init__(self, routine: Routine[Any], assurance: Assurance, proven: Callable[[str], None]) -> None:
        self.guarded = routine.level is not Level.L1
        """Nothing is done for whom nothing may be done that needs a second factor, holds and limits included."""
        self.needed = routine.level is Level.L2
        """A proof on the page is."""
        self.purpose = purpose("prove", routine.name)
        self._title = routine.title
        self._desk = assurance
        self._eligibility = replace(assurance.eligibility, workflow=routine.name, needs=routine.needs)
        self._proven = proven

    def refuse(self, employee: Employee, *, max_age: float = 60) -> Refusal | None:
        """Why it isn't done for this person now. No transaction may be open: it asks Slack and the directory."""
        return self._eligibility.refuse(employee, max_age=max_age)

    def url(self, request: str) -> str:
        return self._desk.links.url(self.purpose, request)

    def missing(self, request: RoutineRequest) -> bool:
        """Whether a proof is needed that isn't there, or was given too long ago."""
        return self.needed and (request.proven_at is None or self._desk.now() >= request.proven_at + LINK)

    def is_over(self, request: RoutineRequest) -> bool:
        """Whether the time of the link is."""
        return self._desk.now() >= request.changed_at + LINK

    # The page

    def show(self, token: str) -> Page:
        """Changes nothing, so mail scanners and previews may look."""
        found = self._request(token)
        return found if isinstance(found, Page) else self._form(found)

    def submit(self, token: str, fields: Mapping[str, str]) -> Page:
        request = self._request(token)
        if isinstance(request, Page):
            return request
        try:
            verdict = self._desk.second_factor.verify(occasion(request), fields, self._audited(request))
        except ProofMalformed as error:
            return self._form(request, str(error))
        if verdict.kind == "locked":
            return refused(locked(verdict.locked_until or self._desk.now()))
        if verdict.kind == "wrong":
            return self._form(request, self._desk.second_factor.refusal(verdict))
        employee = Employee(request.team, request.slack_user, "", request.account, request.directory_id)
        if refusal := self.refuse(employee, max_age=0):
            with self._desk.database.transaction() as session:
                note(session, request, "prove", "denied", refusal.code, self._desk.now())
            return refused(refusal)
        return self._taken(request.id, verdict)

    def _taken(self, request_id: str, verdict: Verdict) -> Page:
        second_factor, now = self._desk.second_factor, self._desk.now()
        with self._desk.database.transaction() as session:
            request = held(session, request_id)
            if request.state != "proving" or self.is_over(request):
                return GONE
            if not second_factor.use(session, request.account or "", verdict):
                return self._form(request, second_factor.used(verdict))
            request.state, request.proven_at, request.changed_at = "proven", now, now
            note(session, request, f"prove_by_{verdict.factor}", "allowed", "eligible", now)
        self._proven(request_id)
        return PROVEN

    def _request(self, token: str) -> RoutineRequest | Page:
        request_id = self._desk.links.read(self.purpose, token)
        if request_id is None:
            return unknown_link()
        with self._desk.database.reading() as session:
            request = session.get(RoutineRequest, request_id)
        if request is None:
            return unknown_link()
        return GONE if request.state != "proving" or self.is_over(request) else request

    def _form(self, request: RoutineRequest, error: str = "") -> Page:
        asks = self._desk.second_factor.asks(occasion(request))
        shown = Page("proof.html", title=self._title, account=request.account or "", asks=asks)
        return replace(shown, error=error, status=422) if error else shown

    def _audited(self, request: RoutineRequest) -> Callable[[Session, Verdict], None]:
        def wrong(session: Session, verdict: Verdict) -> None:
            reason = f"{verdict.kind}_{verdict.factor}"
            note(session, request, verdict.factor, "denied", reason, self._desk.now())

        return wrong


def purpose(what: str, routine: str) -> str:
    """Of a link: small letters only."""
    return what + "".join(filter(str.isalpha, routine))


def occasion(request: RoutineRequest) -> Occasion:
    return Occasion(request.id, request.account or "", request.directory_id or "")


def refused(refusal: Refusal) -> Page:
    return Page("said.html", 403, "That isn't possible now", str(refusal))
