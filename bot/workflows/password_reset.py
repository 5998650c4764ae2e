"""A new password, from a wish in Slack to a ticket that records it.

The card asks, Continue gives a link to a one-time page, the page changes the password, and `finish` tells of it.
Nothing but the directory and the page's one request ever sees the password.
"""

import contextvars
import logging
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from slack_bolt import Ack, App
from sqlalchemy.orm import Session
from starlette.routing import BaseRoute

from bot.directory.directory import Directory, DirectoryUnavailable
from bot.directory.records import PersonRecord
from bot.errors import SlackUnavailable
from bot.message import escape
from bot.notices import Notices
from bot.once.links import Links
from bot.once.page import OncePages
from bot.outcomes import Declined, InProgress
from bot.people import Employee, People
from bot.records import Conversation, Post
from bot.slack import Slack
from bot.workflows import repudiation, reset_texts
from bot.workflows.eligibility import Eligibility
from bot.workflows.limits import Limits
from bot.workflows.password_change import PURPOSE, WORKFLOW, PasswordChange, record
from bot.workflows.records import (
    OPEN,
    ResetRequest,
    held_request,
    open_requests,
    request_of_key,
    request_of_message,
    unsettled_requests,
)
from bot.workflows.repudiation import Repudiation
from bot.workflows.second_factor import SecondFactor
from store import Database
from store.durable import TRANSIENT, Durable, StepFailed
from tickets.lifecycle import resolve
from tickets.numbers import Kind
from tickets.opening import open_ticket
from tickets.queries import open_ticket_in
from tickets.records import ConversationRef

log = logging.getLogger(__name__)

LINK_VALID = timedelta(minutes=10)
PATIENCE = timedelta(seconds=30)
"""How long a request may take to change a password before its end is found out by reading back."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.25, 15.0
MOST_LOOKS = 250
"""About an hour of a directory that doesn't answer; then people are asked to look."""
RETRIES = 8
PATIENT = (*TRANSIENT, SlackUnavailable)


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
        is_agent: Callable[[str], bool],
        now: Callable[[], datetime],
        limits: Limits | None = None,
    ) -> None:
        """`alert(key, text)` writes a plain line into the triage channel, once per key."""
        self._database = database
        self._slack = slack
        self._directory = directory
        self._notices = notices
        self._now = now
        self._links = Links(secret_key=secret_key, public_url=public_url)
        self._limits = limits or Limits()
        self._alert = alert
        self._eligibility = Eligibility(
            database=database,
            people=people,
            directory=directory,
            notices=notices,
            limits=self._limits,
            is_agent=is_agent,
            now=now,
        )
        self.change = PasswordChange(
            database=database,
            directory=directory,
            eligibility=self._eligibility,
            second_factor=SecondFactor(database=database, secret_key=secret_key, limits=self._limits, now=now),
            links=self._links,
            finish=self._start_finish,
            now=now,
        )
        self.repudiation = Repudiation(
            database=database,
            directory=directory,
            people=people,
            links=self._links,
            alert=alert,
            begin=self._start_repudiation,
            now=now,
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
            return Declined(request.refusal)
        return InProgress(
            workflow=self.name,
            text="I can reset your password. I've sent you a card in our direct messages: go on there.",
            request=request.id,
        )

    def announce(self, request: str) -> None:
        found = self._read(request)
        if found.state != "offered":
            return
        text, blocks = reset_texts.card(found.account or "", int(LINK_VALID.total_seconds() // 60))
        channel, thread = self._place(found)
        self._slack.post(
            f"reset:{request}:card",
            channel=channel,
            thread_ts=thread,
            text=text,
            blocks=blocks,
            purpose="reset_card",
            ref=request,
        )
        self._start(self._requested, request, key=f"reset:{request}:requested")

    # Its buttons

    def listen(self, app: App) -> None:
        def clicked(ack: Ack, body: dict[str, Any]) -> None:
            self.clicked(body)
            ack()

        def page_opened(ack: Ack) -> None:
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
        found = self._read(request)
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
            held.state, held.click, held.expires_at = "linked", click, now + LINK_VALID
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

    def _post_link(self, request: str) -> None:
        found = self._read(request)
        if found.state != "linked" or found.expires_at is None:
            return
        text, blocks = reset_texts.link_message(self._links.url(PURPOSE, request), found.expires_at)
        channel, thread = self._place(found)
        self._slack.post(
            f"reset:{request}:link",
            channel=channel,
            thread_ts=thread or self._card(request)[1],
            text=text,
            blocks=blocks,
            purpose="reset_link",
            ref=request,
        )

    def _put_card_away(self, request: str, text: str) -> None:
        channel, ts = self._card(request)
        if ts is not None:
            self._slack.update(channel=channel, ts=ts, text=text, blocks=[reset_texts.section(text)])

    # Its pages

    def routes(self) -> list[BaseRoute]:
        pages = OncePages()
        return [
            pages.route(PURPOSE, show=self.change.show, submit=self.change.submit),
            pages.route(repudiation.PURPOSE, show=self.repudiation.show, submit=self.repudiation.submit),
        ]

    # Its durable workflows

    def durable(self, durable: Durable) -> None:
        self._durable = durable
        self._requested = durable.workflow("password_reset_requested", self._tell_of_request)
        self._click = durable.workflow("password_reset_click", self._carry_out_click)
        self._stray = durable.workflow("password_reset_stray_click", self._answer_stray_click)
        self._finish = durable.workflow("password_reset_finish", self._see_to_the_end)
        self._repudiated = durable.workflow(
            "password_reset_repudiated", lambda request: self.repudiation.run(durable, request)
        )

    def resume(self) -> None:
        """See to changes whose process died before it could ask for that; called once the durable runtime runs."""
        with self._database.reading() as session:
            unsettled = [(request.id, request.attempt) for request in unsettled_requests(session)]
        for request, attempt in unsettled:
            self._start_finish(request, attempt, "")

    def _start(self, workflow: Callable[..., None], *args: Any, key: str) -> None:
        if self._durable is None:
            raise RuntimeError("the workflow isn't registered with the durable runtime")
        durable = self._durable
        # In an empty context: the runtime starts no workflow from within a step, where `announce` runs.
        contextvars.Context().run(lambda: durable.start(workflow, *args, key=key))

    def _start_finish(self, request: str, attempt: int, again: str) -> None:
        key = f"reset:{request}:{attempt}" + (f":{again}" if again else "")
        self._start(self._finish, request, attempt, key=key)

    def _start_repudiation(self, request: str) -> None:
        self._start(self._repudiated, request, key=f"reset:{request}:notme")

    def _step(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        assert self._durable is not None
        return self._durable.step(name, function, *args, retries=RETRIES, transient=PATIENT)

    def _tell_of_request(self, request: str) -> None:
        self._mail_everybody(request, "requested")

    def _carry_out_click(self, request: str, wish: str, user_team: str, click: str) -> None:
        if wish == "cancel":
            said = self._step("cancel", self._cancel, request, click)
        else:
            said = self._step("admit", self._admit, request, user_team, click)
        if said is None:
            self._step("link", self._post_link, request)
            self._step("card", self._put_card_away, request, "Password reset: go on with the link below.")
        else:
            self._step("say", self._say, request, f"reset:{request}:click:{click}", said)
            if self._step("state", lambda: self._read(request).state) not in OPEN:
                self._step("card", self._put_card_away, request, "Password reset: this card is closed.")

    def _answer_stray_click(self, channel: str, user: str) -> None:
        self._try("whisper", lambda: self._slack.whisper(channel=channel, user=user, text=reset_texts.NOT_YOURS))

    def _see_to_the_end(self, request: str, attempt: int) -> None:
        """Wait for the page's request to end, find out what came of it, record it as a ticket, and tell of it."""
        assert self._durable is not None
        state, pause = "waiting", FIRST_PAUSE_SECONDS
        for _ in range(MOST_LOOKS):
            try:
                state = self._step("settle", self._settle, request, attempt)
            except StepFailed as error:
                if error.kind != DirectoryUnavailable.__name__:
                    raise
            if state != "waiting":
                break
            self._durable.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        if state == "changed":
            self._step("ticket", self._ticket, request)
            self._step("say", self._say_changed, request)
            self._mail_everybody(request, "changed")
        elif state == "unchanged":
            self._step("say", self._say, request, f"reset:{request}:{attempt}:unchanged", reset_texts.UNCHANGED, True)
        elif state == "waiting":
            self._step("say", self._say, request, f"reset:{request}:{attempt}:unsettled", reset_texts.UNSETTLED)
            text = f"It isn't known whether the password reset {request} took effect: the directory doesn't answer."
            self._step("alert", self._alert, f"reset:{request}:unsettled", text)

    def _settle(self, request: str, attempt: int) -> str:
        """`changed` or `unchanged`; `open` when the directory refused the password and another may be tried; `waiting`
        while the page's request may still be at work.

        Errors: `DirectoryUnavailable`.
        """
        found = self._read(request)
        if found.attempt == attempt and found.state in ("changing", "unsure") and found.changing_at is not None:
            late = self._now() >= found.changing_at + PATIENCE
            if not late and found.state == "changing":
                return "waiting"
            moved = self._directory.password_marker(found.directory_id or "") != found.marker
            if not moved and not late:
                return "waiting"
            self.change.settle(request, attempt, "changed" if moved else "unchanged")
            found = self._read(request)
        return found.state if found.attempt == attempt and found.state in ("changed", "unchanged") else "open"

    def _ticket(self, request: str) -> str:
        with self._database.transaction() as session:
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
                now=self._now(),
                key=f"reset:{held.id}",
            )
            if held.ticket is None:
                resolve(
                    session,
                    ticket.number,
                    agent="deskmate",
                    resolution="Password changed and verified.",
                    now=self._now(),
                )
                held.ticket = ticket.number
            return ticket.number

    # Telling people

    def _say(self, request: str, key: str, text: str, formatted: bool = False) -> None:
        found = self._read(request)
        channel, thread = self._place(found)
        said = text if formatted else escape(text)
        self._slack.post(
            key,
            channel=channel,
            thread_ts=thread or self._card(request)[1],
            text=said,
            purpose="reset_news",
            ref=request,
        )

    def _say_changed(self, request: str) -> None:
        found = self._read(request)
        self._say(request, f"reset:{request}:changed", reset_texts.changed_message(found), True)

    def _mail_everybody(self, request: str, news: str) -> None:
        for number, address in enumerate(self._step("addresses", self._addresses, request)):
            self._try(f"mail {number}", self._mail, request, news, address)
        if news == "changed":
            for number, address in enumerate(self._step("manager", self._addresses_of_manager, request)):
                self._try(f"manager {number}", self._mail_manager, request, address)

    def _try(self, name: str, function: Callable[..., Any], *args: Any) -> None:
        try:
            self._step(name, function, *args)
        except StepFailed as error:
            log.error("%s of a password reset was not sent: %s", name, error)  # the others still are

    def _addresses(self, request: str) -> list[str]:
        found = self._read(request)
        with self._database.reading() as session:
            person = session.get(PersonRecord, found.account)
            return [str(address) for address in person.emails] if person else []

    def _addresses_of_manager(self, request: str) -> list[str]:
        found = self._read(request)
        with self._database.reading() as session:
            person = session.get(PersonRecord, found.account)
            manager = session.get(PersonRecord, person.manager) if person and person.manager else None
            return [str(address) for address in manager.emails] if manager else []

    def _mail(self, request: str, news: str, address: str) -> None:
        found = self._read(request)
        name, account = self._name(found), found.account or ""
        link = self._links.url(repudiation.PURPOSE, request)
        if news == "requested":
            subject, text = reset_texts.requested_mail(name, account, link)
        else:
            subject, text = reset_texts.changed_mail(name, account, link, found.settled_at or self._now())
        self._notices.mail(key=f"reset:{request}:{news}", to=address, subject=subject, text=text)

    def _mail_manager(self, request: str, address: str) -> None:
        found = self._read(request)
        subject, text = reset_texts.manager_mail(self._name(found), found.account or "")
        self._notices.mail(key=f"reset:{request}:manager", to=address, subject=subject, text=text)

    def _name(self, request: ResetRequest) -> str:
        with self._database.reading() as session:
            person = session.get(PersonRecord, request.account)
            return person.name if person else request.account or ""

    def _read(self, request: str) -> ResetRequest:
        with self._database.reading() as session:
            return session.get_one(ResetRequest, request)

    def _place(self, request: ResetRequest) -> tuple[str, str | None]:
        """The employee's own direct messages, and the thread there if the wish came from one."""
        channel = self._slack.dm(request.slack_user)
        return channel, request.thread_ts if request.channel == channel else None

    def _card(self, request: str) -> tuple[str, str | None]:
        with self._database.reading() as session:
            post = session.get(Post, f"reset:{request}:card")
            return (post.channel, post.ts) if post else ("", None)
