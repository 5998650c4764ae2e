"""The one-time page on which a security key is registered: first the proof of a factor that there is, then the key.

What the key is made with is shown only in answer to that proof, never to whoever opens the link, so a stolen link is
worth nothing after the proof either.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from bot.directory.records import PersonRecord
from bot.factors.factor import Occasion, ProofMalformed
from bot.factors.second_factor import SecondFactor, Verdict, held_state
from bot.factors.webauthn import WebAuthn
from bot.once.links import Links
from bot.once.page import Page, unknown_link
from bot.people import Employee
from bot.workflows import audit
from bot.workflows.eligibility import Eligibility
from bot.workflows.key_texts import ASK_AGAIN
from bot.workflows.limits import locked, moment_text
from bot.workflows.password_change import POLICY, refused
from bot.workflows.records import KEY_OPEN, KeyRequest, held_key_request
from store import Database

WORKFLOW = "security_key"
PURPOSE, NOT_MINE = "key", "notmykey"
"""Of the links to the page, and to “this wasn't me”."""
UNNAMED = "Security key"
LONGEST_NAME = 64

GONE = {
    "registered": ("This link was used", "Your security key was registered with it. A link works once."),
    "cancelled": ("This link was cancelled", f"Nothing was registered. {ASK_AGAIN}"),
    "removed": ("This link was used", "The security key that was registered with it was removed again."),
    "superseded": ("This link is out of use", "You have asked again since. Use the newest link that I sent you."),
    "expired": ("This link's time is over", f"Nothing was registered. {ASK_AGAIN}"),
}
ELSEWHERE = Page(
    "said.html",
    409,
    "Go on where you began",
    f"You have proven that it's you in another window: register your security key there. If it is closed: {ASK_AGAIN}",
)


@dataclass(frozen=True)
class KeyPage:
    database: Database
    eligibility: Eligibility
    second_factor: SecondFactor
    webauthn: WebAuthn
    links: Links
    finish: Callable[[str], None]
    """Starts the durable workflow that tells of a registered key."""
    now: Callable[[], datetime]

    def show(self, token: str) -> Page:
        """The form, or why there is none. Changes nothing, so mail scanners and previews may look."""
        found = self._request(token)
        if isinstance(found, Page):
            return found
        return self._asking(found) if found.state == "linked" else ELSEWHERE

    def submit(self, token: str, fields: Mapping[str, str]) -> Page:
        request = self._request(token)
        if isinstance(request, Page):
            return request
        if request.state == "linked":
            return self._prove(request, fields)
        if attestation := fields.get("attestation"):
            return self._register(request, attestation)
        return ELSEWHERE

    def _prove(self, request: KeyRequest, fields: Mapping[str, str]) -> Page:
        try:
            verdict = self.second_factor.verify(occasion(request), fields, self._audit_proof(request))
        except ProofMalformed as error:
            return self._asking(request, str(error))
        if verdict.kind == "locked":
            return refused(locked(verdict.locked_until or self.now()))
        if verdict.kind == "wrong":
            return self._asking(request, self.second_factor.refusal(verdict))
        if denied := self._denied(request):
            return denied
        with self.database.transaction() as session:
            held = held_key_request(session, request.id)
            if gone := self._gone(held):
                return gone
            if held.state != "linked":
                return ELSEWHERE
            used = self.second_factor.use(session, held.account or "", verdict)
            if used:
                held.state, held.name = "proven", name_of(fields.get("name", ""))
                self._record(session, held, f"prove_by_{verdict.factor}", "allowed", "eligible")
        return self._creating(request) if used else self._asking(request, self.second_factor.used(verdict))

    def _register(self, request: KeyRequest, attestation: str) -> Page:
        if denied := self._denied(request):
            return denied
        now = self.now()
        with self.database.transaction() as session:
            held_state(session, request.account or "")
            held = held_key_request(session, request.id)
            if gone := self._gone(held):
                return gone
            key = self.webauthn.new_key(session, occasion(held), attestation)
            kept = key is not None and self.webauthn.keep(session, occasion(held), key, held.name or UNNAMED)
            if kept:
                held.state, held.settled_at = "registered", now
                person = session.get(PersonRecord, held.account)
                if person is not None:
                    person.recovery_changed_at = now
            self._record(session, held, "register", *(("done", "registered") if kept else ("denied", "refused_key")))
        if not kept:
            why = "That security key can't be registered: it has no PIN or fingerprint, or is registered already."
            return self._creating(request, why)
        self.finish(request.id)
        return Page(
            "said.html",
            title="Your security key is registered",
            text=f"You can reset your password with it from {moment_text(now + self.eligibility.limits.hold)} on; "
            "until then I reset it for nobody. You can close this page.",
        )

    def _denied(self, request: KeyRequest) -> Page | None:
        """A fresh look at the person, before anything is done; asks Slack and the directory."""
        employee = Employee(request.team, request.slack_user, "", request.account, request.directory_id)
        refusal = self.eligibility.refuse_person(employee, max_age=0)
        if refusal is None:
            return None
        with self.database.transaction() as session:
            self._record(session, request, "register", "denied", refusal.code)
        return refused(refusal)

    # What is shown

    def _asking(self, request: KeyRequest, error: str = "") -> Page:
        asks = self.second_factor.asks(occasion(request))
        shown = Page("key_proof.html", title="Register a security key", account=request.account or "", asks=asks)
        return replace(shown, error=error, status=422) if error else shown

    def _creating(self, request: KeyRequest, error: str = "") -> Page:
        with self.database.reading() as session:
            creation = self.webauthn.creation(session, occasion(request))
        title, account = "Register your security key", request.account or ""
        shown = Page("key_new.html", title=title, account=account, creation=creation)
        return replace(shown, error=error, status=422) if error else shown

    # The link

    def _request(self, token: str) -> KeyRequest | Page:
        request_id = self.links.read(PURPOSE, token)
        if request_id is None:
            return unknown_link()
        with self.database.reading() as session:
            request = session.get(KeyRequest, request_id)
        if request is None or request.state == "denied":
            return unknown_link()
        return self._gone(request) or request

    def _gone(self, request: KeyRequest) -> Page | None:
        expired = request.state in KEY_OPEN and self.now() >= request.expires_at
        if request.state in KEY_OPEN and not expired:
            return None
        title, text = GONE["expired" if expired else request.state]
        return Page("said.html", 410, title, text)

    # The audit trail

    def _audit_proof(self, request: KeyRequest) -> Callable[[Session, Verdict], None]:
        def wrong(session: Session, verdict: Verdict) -> None:
            self._record(session, request, verdict.factor, "denied", f"{verdict.kind}_{verdict.factor}")

        return wrong

    def _record(self, session: Session, request: KeyRequest, event: str, decision: str, reason: str) -> None:
        record(session, request, event, decision, reason, self.now())


def record(session: Session, request: KeyRequest, event: str, decision: str, reason: str, at: datetime) -> None:
    """A row of the audit trail on this request."""
    audit.record(
        session,
        at=at,
        workflow=WORKFLOW,
        subject=request.id,
        event=event,
        decision=decision,
        reason=reason,
        actor=f"{request.team}:{request.slack_user}",
        target=request.directory_id,
        policy=POLICY,
    )


def occasion(request: KeyRequest) -> Occasion:
    return Occasion(request.id, request.account or "", request.directory_id or "")


def name_of(written: str) -> str:
    """A name for a key that fits on one line."""
    words = " ".join("".join(character if character.isprintable() else " " for character in written).split())
    return words[:LONGEST_NAME].strip() or UNNAMED
