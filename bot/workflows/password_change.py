"""The one-time page's deed: from a form to a changed password, in one request, the password in memory only.

The order is fixed: the link, the proof of a second factor, the form, a fresh look at the person, the record that a
change begins, the change, its verification. A process that dies in between leaves a record that says what to find out
(`settle`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from bot.directory.directory import Ability, Directory, DirectoryUnavailable, PasswordRefused
from bot.factors.factor import Occasion, ProofMalformed
from bot.factors.second_factor import SecondFactor, Verdict
from bot.once.links import Links
from bot.once.page import Page, unknown_link
from bot.people import Employee
from bot.workflows import audit
from bot.workflows.eligibility import Eligibility
from bot.workflows.limits import Refusal, locked
from bot.workflows.records import ResetRequest, held_request
from bot.workflows.reset_texts import ASK_AGAIN
from store import Database

POLICY = "3"
"""Version of the rules, for the audit trail; raised when they change."""
WORKFLOW = "password_reset"
PURPOSE, NOT_ME = "reset", "notme"
"""Of the links to the page, and to “this wasn't me”."""
SHORTEST, LONGEST = 12, 256

GONE = {
    "changed": ("This link was used", "Your password was changed with it. A link works once."),
    "changing": ("This link was used", "Your password is being changed. You'll get a message in Slack."),
    "unsure": (
        "This link was used",
        "I'm finding out whether your password was changed. You'll get a message in Slack.",
    ),
    "unchanged": ("This link was used", f"Your password was not changed. {ASK_AGAIN}"),
    "cancelled": ("This link was cancelled", f"Nothing was changed. {ASK_AGAIN}"),
    "superseded": ("This link is out of use", "You have asked again since. Use the newest link that I sent you."),
    "expired": ("This link's time is over", f"Nothing was changed. {ASK_AGAIN}"),
}


@dataclass(frozen=True)
class PasswordChange:
    database: Database
    directory: Directory
    eligibility: Eligibility
    second_factor: SecondFactor
    links: Links
    finish: Callable[[str, int, str], None]
    """Starts the durable workflow that sees an attempt to its end: request, attempt, and what tells repeats apart."""
    now: Callable[[], datetime]

    def show(self, token: str) -> Page:
        """The form, or why there is none. Changes nothing, so mail scanners and previews may look."""
        found = self._request(token)
        return found if isinstance(found, Page) else self._form(found)

    def submit(self, token: str, fields: Mapping[str, str]) -> Page:
        """Change the password. Nothing that is stored, logged or sent ever holds it."""
        request = self._request(token)
        if isinstance(request, Page):
            return request
        try:
            verdict = self.second_factor.verify(occasion(request), fields, self._audit_proof(request))
        except ProofMalformed as error:
            return self._form(request, str(error))
        if verdict.kind == "locked":
            return refused(locked(verdict.locked_until or self.now()))
        if verdict.kind == "wrong":
            return self._form(request, self.second_factor.refusal(verdict))
        new = fields.get("new", "")
        if flaw := flaw_of(new, fields.get("again", ""), request.account or ""):
            return self._form(request, flaw)
        employee = Employee(request.team, request.slack_user, "", request.account, request.directory_id)
        if refusal := self.eligibility.refuse(employee, max_age=0):
            self._note(request, "denied", refusal.code)
            return refused(refusal)
        return self._change(request, verdict, new)

    def _change(self, request: ResetRequest, verdict: Verdict, new: str) -> Page:
        target = request.directory_id or ""
        try:
            marker = self.directory.password_marker(target)
        except DirectoryUnavailable:
            return self._form(request, "The directory doesn't answer at the moment. Try again in a minute.")
        begun = self._begin(request.id, verdict, marker)
        if isinstance(begun, Page):
            return begun
        self.finish(request.id, begun, "")
        try:
            self.directory.set_password(target, new)
        except PasswordRefused as error:
            return self._taken_back(request, begun, verdict, str(error))
        except DirectoryUnavailable:
            return self._unsure(request.id, begun)
        if not self._holds(target, new, marker):
            return self._unsure(request.id, begun)
        self.settle(request.id, begun, "changed")
        return Page(
            "said.html", title="Your password is changed", text="Sign in with it from now on. You can close this page."
        )

    def _holds(self, target: str, new: str, marker: str) -> bool:
        """Whether the directory says that the password is the new one, or where none can be tried, another than it was;
        False also when it doesn't say."""
        try:
            if Ability.SIGN_IN in self.directory.abilities:
                return self.directory.check_password(target, new)
            return self.directory.password_marker(target) != marker
        except DirectoryUnavailable:
            return False

    def _begin(self, request_id: str, verdict: Verdict, marker: str) -> int | Page:
        """Use up the link and the proof together, and keep how the directory stood before; the attempt's number."""
        with self.database.transaction() as session:
            request = held_request(session, request_id)
            if gone := self._gone(request):
                return gone
            if self.second_factor.use(session, request.account or "", verdict):
                request.state, request.marker, request.changing_at = "changing", marker, self.now()
                request.attempt += 1
                self._record(session, request, f"change_by_{verdict.factor}", "allowed", "eligible")
                return request.attempt
        return self._form(request, self.second_factor.used(verdict))

    def _taken_back(self, request: ResetRequest, attempt: int, verdict: Verdict, why: str) -> Page:
        """The directory refused this password, and nothing changed: link and code are good for another one."""
        with self.database.transaction() as session:
            held = held_request(session, request.id)
            if held.attempt == attempt and held.state == "changing":
                held.state, held.marker, held.changing_at = "linked", None, None
                self.second_factor.give_back(session, held.account or "", verdict)
                self._record(session, held, "change", "denied", "directory_policy")
        return self._form(request, why)

    def _unsure(self, request_id: str, attempt: int) -> Page:
        with self.database.transaction() as session:
            request = held_request(session, request_id)
            if request.attempt == attempt and request.state == "changing":
                request.state = "unsure"
        return Page(
            "said.html",
            202,
            "The directory didn't answer",
            "I'm finding out what happened, and tell you in Slack within a minute or two.",
        )

    def settle(self, request_id: str, attempt: int, state: str) -> None:
        """Record how an attempt ended, once. A change that shows itself late corrects an earlier `unchanged`."""
        with self.database.transaction() as session:
            request = held_request(session, request_id)
            late = request.state == "unchanged" and state == "changed"
            if request.attempt != attempt or (request.state not in ("changing", "unsure") and not late):
                return
            request.state, request.settled_at = state, self.now()
            self._record(session, request, "change", "done" if state == "changed" else "failed", state)
        if late:
            self.finish(request_id, attempt, "late")

    # The link

    def _request(self, token: str) -> ResetRequest | Page:
        request_id = self.links.read(PURPOSE, token)
        if request_id is None:
            return unknown_link()
        with self.database.reading() as session:
            request = session.get(ResetRequest, request_id)
        if request is None or request.state in ("offered", "denied"):
            return unknown_link()
        return self._gone(request) or request

    def _gone(self, request: ResetRequest) -> Page | None:
        expired = request.expires_at is None or self.now() >= request.expires_at
        state = "expired" if request.state == "linked" and expired else request.state
        if state == "linked":
            return None
        title, text = GONE[state]
        return Page("said.html", 410, title, text)

    def _form(self, request: ResetRequest, error: str = "") -> Page:
        asks = self.second_factor.asks(occasion(request))
        shown = Page("password.html", title="Choose a new password", account=request.account or "", asks=asks)
        return replace(shown, error=error, status=422) if error else shown

    # The audit trail

    def _audit_proof(self, request: ResetRequest) -> Callable[[Session, Verdict], None]:
        def wrong(session: Session, verdict: Verdict) -> None:
            self._record(session, request, verdict.factor, "denied", f"{verdict.kind}_{verdict.factor}")

        return wrong

    def _note(self, request: ResetRequest, decision: str, reason: str) -> None:
        with self.database.transaction() as session:
            self._record(session, request, "change", decision, reason)

    def _record(self, session: Session, request: ResetRequest, event: str, decision: str, reason: str) -> None:
        record(session, request, event, decision, reason, self.now())


def record(session: Session, request: ResetRequest, event: str, decision: str, reason: str, at: datetime) -> None:
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


def occasion(request: ResetRequest) -> Occasion:
    return Occasion(request.id, request.account or "", request.directory_id or "")


def refused(refusal: Refusal) -> Page:
    return Page("said.html", 403, "That isn't possible now", str(refusal))


def flaw_of(new: str, again: str, account: str) -> str | None:
    """What is wrong with a password before the directory is asked."""
    if new != again:
        return "The two passwords aren't the same."
    if len(new) < SHORTEST:
        return f"The password needs at least {SHORTEST} characters."
    if len(new) > LONGEST:
        return f"The password can have {LONGEST} characters at most."
    if account and account.casefold() in new.casefold():
        return "The password must not contain your account name."
    return None
