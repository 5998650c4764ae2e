"""A new password, from a wish in Slack to a ticket that records it.

The card asks, Continue gives a link to a one-time page, the page changes the password, and `finish` tells of it.
Nothing but the directory and the page's one request ever sees the password.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.routing import BaseRoute

from bot.directory.directory import Ability, Directory
from bot.factors.register import factors
from bot.factors.second_factor import SecondFactor
from bot.notices import Notices
from bot.once.links import Links
from bot.once.page import OncePages
from bot.outcomes import Declined, InProgress
from bot.people import Employee, People
from bot.records import Conversation
from bot.routines.switches import Switches
from bot.slack import Slack
from bot.workflows import reset_texts
from bot.workflows.eligibility import Eligibility
from bot.workflows.limits import Limits
from bot.workflows.password_change import NOT_ME, PURPOSE, WORKFLOW, PasswordChange, record
from bot.workflows.records import (
    OPEN,
    ResetRequest,
    held_request,
    newest_open,
    open_requests,
    request_of_key,
    request_of_message,
    unsettled_requests,
)
from bot.workflows.repudiation import Deed, Repudiation
from bot.workflows.reset_end import ResetEnd
from bot.workflows.reset_news import ResetNews, attempt, step
from bot.workflows.stoppable import Stoppable
from store import Database
from store.durable import Durable

if TYPE_CHECKING:
    from slack_bolt import Ack, App

log = logging.getLogger(__name__)


def undo(session: Session, request: ResetRequest) -> None:
    """A password that was changed can't be taken back; the account is disabled instead."""
    if request.state in OPEN:
        request.state = "cancelled"


DEED = Deed(
    requests=ResetRequest,
    purpose=NOT_ME,
    prefix="reset",
    name="password reset",
    asked="If you didn't ask for a new password",
    suspicion="repudiated",
    undo=undo,
    record=record,
)


class PasswordReset:
    """Satisfies `Workflow`."""

    name = WORKFLOW
    title = "Reset your password"
    examples = (
        "reset my password",
        "I forgot my password",
        "I can't remember my password, please reset it",
        "my password has expired and I can't log in",
        "I need a new password",
        "can you reset my Windows password",
        "locked out because I don't know my password any more",
        "password reset please",
        "change my password",
        "how do I reset my password",
        "I want to change my password",
        "forgot password",
        "I lost my password",
        "I don't know my password any more",
        "my password expired",
        "can't log in, I forgot my password",
        "please give me a new password",
        "somebody please reset my password, I forgot it",
        "I would like to set a new password",
        "after my holiday I can't remember my password",
        "my password doesn't work, I think I need a new one",
        "I want my password to be reset",
        "I need to get my password reset for Windows",
        "please can I get my password reset this morning",
        "forgot my password again",
        "reset password",
        "I set a new password last week and forgot it",
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
        """`alert(key, text)` writes a plain line into the triage channel, once per key; `show_card(number)` shows the
        card of a ticket there."""
        self._database = database
        self._slack = slack
        self._now = now
        self._links = Links(secret_key=secret_key, public_url=public_url)
        self._limits = limits or Limits()
        second_factor = SecondFactor(
            database=database,
            factors=factors(secret_key=secret_key, public_url=public_url, limits=self._limits, now=now),
            limits=self._limits,
            now=now,
        )
        self._eligibility = Eligibility(
            database=database,
            people=people,
            directory=directory,
            notices=notices,
            limits=self._limits,
            second_factor=second_factor,
            workflow=self.name,
            needs=frozenset({Ability.PASSWORD}),
            switches=Switches(database),
            directory_name=directory_name,
            is_agent=is_agent,
            now=now,
        )
        self.change = PasswordChange(
            database=database,
            directory=directory,
            eligibility=self._eligibility,
            second_factor=second_factor,
            links=self._links,
            finish=self._start_finish,
            now=now,
        )
        self.repudiation = Repudiation(
            deed=DEED,
            database=database,
            directory=directory,
            people=people,
            links=self._links,
            alert=alert,
            show_card=show_card,
            begin=self._start_repudiation,
            now=now,
        )
        self._news = ResetNews(database=database, slack=slack, notices=notices, links=self._links, now=now)
        self._end = ResetEnd(
            database=database, directory=directory, change=self.change, news=self._news, alert=alert, now=now
        )
        self._durable: Durable | None = None

    # In the turn

    def check(self, employee: Employee) -> str | None:
        refusal = self._eligibility.refuse(employee)
        if refusal is None and employee.account is not None:
            with self._database.reading() as session:
                refusal = self._limits.refuse_request(session, employee.account, self._now())
        return refusal

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
        request = request_of_key(session, key)
        if request is None:
            request = ResetRequest(
                id=secrets.token_hex(16),
                key=key,
                team=employee.team,
                slack_user=employee.user,
                account=employee.account,
                directory_id=employee.directory_id,
                conversation_id=conversation.id,
                channel=conversation.channel,
                thread_ts=conversation.thread_ts,
                state="denied" if refusal is not None else "offered",
                refusal=refusal,
                attempt=0,
                created_at=now,
            )
            if refusal is None and employee.account is not None:
                for older in open_requests(session, employee.account):
                    older.state = "superseded"
                    record(session, older, "request", "denied", "superseded", now)
            session.add(request)
            session.flush()
            reason = getattr(refusal, "code", "refused") if refusal is not None else "eligible"
            record(session, request, "request", "denied" if refusal is not None else "allowed", reason, now)
        if request.refusal is not None:
            # Why somebody is refused isn't for a channel to read.
            return Declined(reset_texts.NOT_HERE if conversation.surface == "channel" else request.refusal)
        return InProgress(
            workflow=self.name,
            text=reset_texts.CARD_BELOW if conversation.surface in ("im", "assistant") else reset_texts.CARD_ELSEWHERE,
            request=request.id,
        )

    def stoppable(self, session: Session, *, team: str, user: str) -> Stoppable | None:
        found = newest_open(session, ResetRequest, OPEN, team, user)
        return Stoppable(self.name, found.id, self.title, found.created_at) if found else None

    def stop(self, session: Session, request: str, *, now: datetime) -> bool:
        held = held_request(session, request)
        if held.state in OPEN:
            held.state = "cancelled"
            record(session, held, "cancel", "done", "asked", now)
        return held.state == "cancelled"

    def put_away(self, request: str) -> None:
        self._start(self._away, request, key=f"reset:{request}:put_away")

    def announce(self, request: str) -> None:
        self._news.card(request)
        self._start(self._requested, request, key=f"reset:{request}:requested")

    # Its buttons

    def listen(self, app: "App") -> None:
        def clicked(ack: "Ack", body: dict[str, Any]) -> None:
            self.clicked(body)
            ack()

        def page_opened(ack: "Ack") -> None:
            ack()

        app.action(reset_texts.CONTINUE)(clicked)
        app.action(reset_texts.CANCEL)(clicked)
        app.action(reset_texts.OPEN_PAGE)(page_opened)

    def clicked(self, body: dict[str, Any]) -> None:
        """Take a click on a card, durably. Whose and which it is comes from what Slack signed about the message and the
        person; what the button carries isn't read."""
        container, action = body.get("container") or {}, body["actions"][0]
        with self._database.reading() as session:
            request = request_of_message(session, str(container.get("channel_id")), str(container.get("message_ts")))
        user = body["user"]["id"]
        team = (body.get("team") or {}).get("id") or body["user"].get("team_id")
        click = str(action.get("action_ts") or body.get("trigger_id"))[:64]
        if request is None or (request.team, request.slack_user) != (team, user):
            log.warning("a click of %s on a card that isn't theirs has no effect", user)
            channel = str(container.get("channel_id"))
            self._start(self._stray, channel, user, key=f"reset:stray:{channel}:{user}:{click}")
            return
        user_team = body["user"].get("team_id") or team
        wish = "cancel" if action["action_id"] == reset_texts.CANCEL else "continue"
        self._start(self._click, request.id, wish, user_team, click, key=f"reset:{request.id}:{wish}:{click}")

    def _admit(self, request: str, user_team: str, click: str) -> str | None:
        """What is said instead of a link, or None when the page is open now."""
        found = self._news.read(request)
        if found.state == "linked" and found.click == click:
            return None
        if said := self._too_late(found):
            return said
        employee = Employee(found.team, found.slack_user, "", found.account, found.directory_id)
        refusal = self._eligibility.refuse(employee, user_team=user_team, max_age=0)
        now = self._now()
        with self._database.transaction() as session:
            held = held_request(session, request)
            if said := self._too_late(held):
                return said
            if refusal is not None:
                held.state, held.refusal = "denied", refusal
                record(session, held, "continue", "denied", refusal.code, now)
                return str(refusal)
            held.state, held.click, held.expires_at = "linked", click, now + timedelta(minutes=reset_texts.LINK_MINUTES)
            record(session, held, "continue", "allowed", "eligible", now)
        return None

    def _cancel(self, request: str, click: str) -> str:
        with self._database.transaction() as session:
            held = held_request(session, request)
            if held.state in OPEN:
                held.state, held.click = "cancelled", click
                record(session, held, "cancel", "done", "asked", self._now())
            elif held.state != "cancelled" or held.click != click:
                return self._too_late(held) or ""
        return f"Cancelled: your password stays as it is. {reset_texts.ASK_AGAIN}"

    def _too_late(self, request: ResetRequest) -> str:
        expired = request.state == "linked" and request.expires_at is not None and self._now() >= request.expires_at
        return reset_texts.CLICKED_LATE["expired" if expired else request.state]

    # Its pages

    def routes(self) -> list[BaseRoute]:
        pages = OncePages()
        return [
            pages.route(PURPOSE, show=self.change.show, submit=self.change.submit),
            pages.route(NOT_ME, show=self.repudiation.show, submit=self.repudiation.submit),
        ]

    # Its durable workflows

    def durable(self, durable: Durable) -> None:
        def requested(request: str) -> None:
            self._news.mail_everybody(durable, request, "requested")

        def clicked(request: str, wish: str, user_team: str, click: str) -> None:
            self._carry_out_click(durable, request, wish, user_team, click)

        def put_away(request: str) -> None:
            attempt(durable, "card", self._news.put_card_away, request, reset_texts.CARD_CLOSED)

        def clicked_astray(channel: str, user: str) -> None:
            self._answer_stray_click(durable, channel, user)

        def finish(request: str, number: int) -> None:
            self._end.run(durable, request, number)

        def repudiated(request: str) -> None:
            self.repudiation.run(durable, request)

        self._durable = durable
        self._requested = durable.workflow("password_reset_requested", requested)
        self._click = durable.workflow("password_reset_click", clicked)
        self._away = durable.workflow("password_reset_stopped", put_away)
        self._stray = durable.workflow("password_reset_stray_click", clicked_astray)
        self._finish = durable.workflow("password_reset_finish", finish)
        self._repudiated = durable.workflow("password_reset_repudiated", repudiated)

    def tick(self) -> None:
        """Nothing is due: a link that wasn't used is refused when it is."""

    def resume(self) -> None:
        """See to changes and “not me”s whose process died before it could ask for that; called once the durable runtime
        runs."""
        with self._database.reading() as session:
            unsettled = [(request.id, request.attempt) for request in unsettled_requests(session)]
            repudiated = list(
                session.scalars(
                    select(ResetRequest.id).where(
                        ResetRequest.repudiated_at.is_not(None), ResetRequest.incident.is_(None)
                    )
                )
            )
        for request, number in unsettled:
            self._start_finish(request, number, "")
        for request in repudiated:
            self._start_repudiation(request)

    def _start(self, workflow: Callable[..., None], *args: Any, key: str) -> None:
        if self._durable is None:
            raise RuntimeError("the workflow isn't registered with the durable runtime")
        self._durable.start(workflow, *args, key=key)

    def _start_finish(self, request: str, attempt: int, again: str) -> None:
        key = f"reset:{request}:{attempt}" + (f":{again}" if again else "")
        self._start(self._finish, request, attempt, key=key)

    def _start_repudiation(self, request: str) -> None:
        self._start(self._repudiated, request, key=f"reset:{request}:notme")

    def _carry_out_click(self, durable: Durable, request: str, wish: str, user_team: str, click: str) -> None:
        if wish == "cancel":
            said = step(durable, "cancel", self._cancel, request, click)
        else:
            said = step(durable, "admit", self._admit, request, user_team, click)
        if said is None:
            step(durable, "link", self._news.link, request)
            attempt(durable, "card", self._news.put_card_away, request, reset_texts.CARD_USED)
        else:
            step(durable, "say", self._news.say, request, f"reset:{request}:click:{click}", said)
            if step(durable, "state", lambda: self._news.read(request).state) not in OPEN:
                attempt(durable, "card", self._news.put_card_away, request, reset_texts.CARD_CLOSED)

    def _answer_stray_click(self, durable: Durable, channel: str, user: str) -> None:
        def whisper() -> None:
            self._slack.whisper(channel=channel, user=user, text=reset_texts.NOT_YOURS)

        attempt(durable, "whisper", whisper)
