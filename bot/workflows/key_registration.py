"""A security key or passkey as a second factor, from a wish in Slack to a key that is registered.

The wish gives a link to a one-time page, the page asks for a factor that there is and then for the key, and
everybody concerned is told of it.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.routing import BaseRoute

from bot.directory.directory import Directory
from bot.factors.records import count_credentials, credential_of_request
from bot.factors.register import factors
from bot.factors.second_factor import SecondFactor
from bot.factors.webauthn import MOST_KEYS, WebAuthn
from bot.notices import Notices
from bot.once.links import Links
from bot.once.page import OncePages
from bot.outcomes import Declined, InProgress
from bot.people import Employee, People
from bot.records import Conversation
from bot.routines.switches import Switches
from bot.slack import Slack
from bot.workflows import key_texts
from bot.workflows.eligibility import A_PERSON, Eligibility
from bot.workflows.key_news import KeyNews
from bot.workflows.key_page import NOT_MINE, PURPOSE, WORKFLOW, KeyPage, record
from bot.workflows.limits import Limits, Refusal
from bot.workflows.records import (
    KEY_OPEN,
    KeyRequest,
    count_key_requests,
    held_key_request,
    key_request_of_turn,
    newest_open,
    open_key_requests,
)
from bot.workflows.repudiation import VALID, Deed, Repudiation
from bot.workflows.reset_news import attempt
from bot.workflows.stoppable import Stoppable
from store import Database
from store.durable import Durable

if TYPE_CHECKING:
    from slack_bolt import Ack, App


def undo(session: Session, request: KeyRequest) -> None:
    """The key is gone at once; the others of the account stay."""
    if request.state in KEY_OPEN:
        request.state = "cancelled"
    if (key := credential_of_request(session, request.id)) is not None:
        session.delete(key)
        request.state = "removed"


DEED = Deed(
    requests=KeyRequest,
    purpose=NOT_MINE,
    prefix="key",
    name="registration of a security key",
    asked="If you didn't ask to register a security key",
    suspicion="repudiated_key",
    undo=undo,
    record=record,
)


class KeyRegistration:
    """Satisfies `Workflow`."""

    name = WORKFLOW
    title = "Register a security key"
    examples = (
        "register a security key",
        "add a passkey",
        "I want to register my YubiKey",
        "set up a passkey for my account",
        "add a security key to my account",
        "register a new passkey",
        "I got a security key, how do I register it with you",
        "enroll my FIDO2 key",
    )

    def __init__(
        self,
        *,
        database: Database,
        slack: Slack,
        people: People,
        directory: Directory,
        notices: Notices,
        secret_key: str,
        public_url: str,
        alert: Callable[[str, str], None],
        show_card: Callable[[str], None],
        is_agent: Callable[[str], bool],
        directory_name: str,
        now: Callable[[], datetime],
        limits: Limits | None = None,
    ) -> None:
        """The arguments are those of `PasswordReset`."""
        self._database = database
        self._now = now
        self._limits = limits or Limits()
        links = Links(secret_key=secret_key, public_url=public_url)
        second_factor = SecondFactor(
            database=database,
            factors=factors(secret_key=secret_key, public_url=public_url, limits=self._limits, now=now),
            limits=self._limits,
            now=now,
        )
        self._webauthn = WebAuthn(secret_key=secret_key, public_url=public_url, hold=self._limits.hold, now=now)
        self._eligibility = Eligibility(
            database=database,
            people=people,
            directory=directory,
            notices=notices,
            limits=self._limits,
            second_factor=second_factor,
            workflow=self.name,
            needs=frozenset(),
            switches=Switches(database),
            directory_name=directory_name,
            is_agent=is_agent,
            now=now,
        )
        self.page = KeyPage(
            database=database,
            eligibility=self._eligibility,
            second_factor=second_factor,
            webauthn=self._webauthn,
            links=links,
            finish=self._start_finish,
            now=now,
        )
        self.repudiation = Repudiation(
            deed=DEED,
            database=database,
            directory=directory,
            people=people,
            links=links,
            alert=alert,
            show_card=show_card,
            begin=self._start_repudiation,
            now=now,
        )
        self._news = KeyNews(
            database=database, slack=slack, notices=notices, links=links, hold=self._limits.hold, now=now
        )
        self._durable: Durable | None = None

    # In the turn

    def check(self, employee: Employee) -> str | None:
        if self._webauthn.party is None:
            why = "Our pages aren't at an address at which browsers use security keys"
            return Refusal("address", f"{why}. {A_PERSON}")
        refusal = self._eligibility.refuse_person(employee)
        if refusal is not None or employee.account is None:
            return refusal
        with self._database.reading() as session:
            if count_credentials(session, employee.account) >= MOST_KEYS:
                return Refusal("keys", f"You have {MOST_KEYS} security keys, and more I don't keep. {A_PERSON}")
            lately = self._now() - timedelta(hours=1)
            if count_key_requests(session, employee.account, lately) >= self._limits.requests:
                return Refusal("requests", f"You have asked for this several times already. Wait an hour. {A_PERSON}")
            return self._limits.refuse_locked(session, employee.account, self._now())

    def start(
        self,
        session: Session,
        *,
        key: str,
        employee: Employee,
        conversation: Conversation,
        refusal: str | None,
        given: Mapping[str, str],
        now: datetime,
    ) -> InProgress | Declined:
        request = key_request_of_turn(session, key)
        if request is None:
            request = KeyRequest(
                id=secrets.token_hex(16),
                key=key,
                team=employee.team,
                slack_user=employee.user,
                account=employee.account,
                directory_id=employee.directory_id,
                channel=conversation.channel,
                thread_ts=conversation.thread_ts,
                state="denied" if refusal is not None else "linked",
                refusal=refusal,
                expires_at=now + timedelta(minutes=key_texts.LINK_MINUTES),
                created_at=now,
            )
            if refusal is None and employee.account is not None:
                for older in open_key_requests(session, employee.account):
                    older.state = "superseded"
                    record(session, older, "request", "denied", "superseded", now)
            session.add(request)
            session.flush()
            reason = getattr(refusal, "code", "refused") if refusal is not None else "eligible"
            record(session, request, "request", "denied" if refusal is not None else "allowed", reason, now)
        if request.refusal is not None:
            # Why somebody is refused isn't for a channel to read.
            return Declined(key_texts.NOT_HERE if conversation.surface == "channel" else request.refusal)
        near = conversation.surface in ("im", "assistant")
        return InProgress(
            workflow=self.name,
            text=key_texts.LINK_BELOW if near else key_texts.LINK_ELSEWHERE,
            request=request.id,
        )

    def stoppable(self, session: Session, *, team: str, user: str) -> Stoppable | None:
        found = newest_open(session, KeyRequest, KEY_OPEN, team, user)
        return Stoppable(self.name, found.id, self.title, found.created_at) if found else None

    def stop(self, session: Session, request: str, *, now: datetime) -> bool:
        held = held_key_request(session, request)
        if held.state in KEY_OPEN:
            held.state = "cancelled"
            record(session, held, "cancel", "done", "asked", now)
        return held.state == "cancelled"

    def put_away(self, request: str) -> None:
        """Nothing: the link says itself that it was cancelled."""

    def announce(self, request: str) -> None:
        self._news.link(request)
        self._start(self._requested, request, key=f"key:{request}:requested")

    def listen(self, app: "App") -> None:
        def page_opened(ack: "Ack") -> None:
            ack()

        app.action(key_texts.OPEN_PAGE)(page_opened)

    def routes(self) -> list[BaseRoute]:
        pages = OncePages()
        return [
            pages.route(PURPOSE, show=self.page.show, submit=self.page.submit),
            pages.route(NOT_MINE, show=self.repudiation.show, submit=self.repudiation.submit),
        ]

    # Its durable workflows

    def durable(self, durable: Durable) -> None:
        def requested(request: str) -> None:
            self._news.mail_everybody(durable, request, "requested")

        def registered(request: str) -> None:
            attempt(durable, "say", self._news.say_registered, request)
            self._news.mail_everybody(durable, request, "registered")

        def repudiated(request: str) -> None:
            self.repudiation.run(durable, request)

        self._durable = durable
        self._requested = durable.workflow("security_key_requested", requested)
        self._registered = durable.workflow("security_key_registered", registered)
        self._repudiated = durable.workflow("security_key_repudiated", repudiated)

    def tick(self) -> None:
        """Nothing is due: a link that wasn't used is refused when it is."""

    def resume(self) -> None:
        """See to registered keys and “not me”s whose process died before it could tell of them; called once the durable
        runtime runs. What was told already isn't told again."""
        with self._database.reading() as session:
            registered = session.scalars(
                select(KeyRequest.id).where(
                    KeyRequest.state == "registered", KeyRequest.settled_at > self._now() - VALID
                )
            ).all()
            repudiated = session.scalars(
                select(KeyRequest.id).where(KeyRequest.repudiated_at.is_not(None), KeyRequest.incident.is_(None))
            ).all()
        for request in registered:
            self._start_finish(request)
        for request in repudiated:
            self._start_repudiation(request)

    def _start(self, workflow: Callable[..., None], *args: Any, key: str) -> None:
        if self._durable is None:
            raise RuntimeError("the workflow isn't registered with the durable runtime")
        self._durable.start(workflow, *args, key=key)

    def _start_finish(self, request: str) -> None:
        self._start(self._registered, request, key=f"key:{request}:registered")

    def _start_repudiation(self, request: str) -> None:
        self._start(self._repudiated, request, key=f"key:{request}:notme")
