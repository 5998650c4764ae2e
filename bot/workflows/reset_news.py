"""Telling people of a password reset: the card, the thread in their direct messages, and mail."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bot.directory.records import PersonRecord
from bot.errors import SlackUnavailable
from bot.message import escape
from bot.notices import Notices
from bot.once.links import Links
from bot.records import Conversation, Post, Turn
from bot.slack import Block, Slack
from bot.workflows import reset_texts
from bot.workflows.addresses import addresses_of, addresses_of_manager
from bot.workflows.password_change import NOT_ME, PURPOSE
from bot.workflows.records import ResetRequest
from store import Database
from store.durable import TRANSIENT, Durable, StepFailed

log = logging.getLogger(__name__)

RETRIES = 8
PATIENT = (*TRANSIENT, SlackUnavailable)


@dataclass(frozen=True)
class ResetNews:
    database: Database
    slack: Slack
    notices: Notices
    links: Links
    now: Callable[[], datetime]

    def card(self, request: str) -> None:
        found = self.read(request)
        if found.state != "offered":
            return
        text, blocks = reset_texts.card(found.account or "", reset_texts.LINK_MINUTES)
        self._post(found, f"reset:{request}:card", text, blocks, purpose="reset_card", below_card=False)

    def link(self, request: str) -> None:
        found = self.read(request)
        if found.state != "linked" or found.expires_at is None:
            return
        text, blocks = reset_texts.link_message(self.links.url(PURPOSE, request), found.expires_at)
        self._post(found, f"reset:{request}:link", text, blocks, purpose="reset_link")

    def put_card_away(self, request: str, text: str) -> None:
        channel, ts = self._card(request)
        if ts is not None:
            self.slack.update(channel=channel, ts=ts, text=text, blocks=[reset_texts.section(text)])

    def say(self, request: str, key: str, text: str) -> None:
        """`text` is plain."""
        self._post(self.read(request), key, escape(text))

    def say_end(self, request: str, key: str) -> None:
        found = self.read(request)
        text = reset_texts.changed_message(found) if found.state == "changed" else reset_texts.UNCHANGED
        self._post(found, key, text)

    def mark_done(self, request: str) -> None:
        """Show on the message that asked for the reset that it is done."""
        with self.database.reading() as session:
            found = session.execute(
                select(Turn.ts, Conversation.channel)
                .join(Conversation, Conversation.id == Turn.conversation_id)
                .join(ResetRequest, ResetRequest.key == Turn.key)
                .where(ResetRequest.id == request)
            ).first()
        if found is not None:
            self.slack.mark_done(channel=found.channel, ts=found.ts)

    def mail_everybody(self, durable: Durable, request: str, news: str) -> None:
        """Inside a workflow: `requested` or `changed`, to each registered address and to the manager's."""
        for number, address in enumerate(step(durable, "addresses", self._addresses, request)):
            attempt(durable, f"mail {number}", self._mail, request, news, address)
        for number, address in enumerate(step(durable, "manager", self._addresses_of_manager, request)):
            attempt(durable, f"manager {number}", self._mail_manager, request, news, address)

    def read(self, request: str) -> ResetRequest:
        with self.database.reading() as session:
            return session.get_one(ResetRequest, request)

    def _post(
        self,
        request: ResetRequest,
        key: str,
        text: str,
        blocks: Sequence[Block] = (),
        *,
        purpose: str = "reset_news",
        below_card: bool = True,
    ) -> None:
        """Into the employee's own direct messages: in the thread that the wish came from if it is there, otherwise
        below the card."""
        channel = self.slack.workspace.dm(request.slack_user)
        thread = request.thread_ts if request.channel == channel else None
        if thread is None and below_card:
            thread = self._card(request.id)[1]
        self.slack.post(
            key, channel=channel, thread_ts=thread, text=text, blocks=blocks, purpose=purpose, ref=request.id
        )

    def _card(self, request: str) -> tuple[str, str | None]:
        with self.database.reading() as session:
            post = session.get(Post, f"reset:{request}:card")
            return (post.channel, post.ts) if post else ("", None)

    def _person(self, account: str | None) -> PersonRecord | None:
        with self.database.reading() as session:
            return session.get(PersonRecord, account) if account else None

    def _addresses(self, request: str) -> list[str]:
        return addresses_of(self.database, self.read(request).account)

    def _addresses_of_manager(self, request: str) -> list[str]:
        return addresses_of_manager(self.database, self.read(request).account)

    def _mail(self, request: str, news: str, address: str) -> None:
        found = self.read(request)
        person, account = self._person(found.account), found.account or ""
        name, link = person.name if person else account, self.links.url(NOT_ME, request)
        if news == "requested":
            subject, text = reset_texts.requested_mail(name, account, link)
        else:
            subject, text = reset_texts.changed_mail(name, account, link, found.settled_at or self.now())
        self.notices.mail(key=f"reset:{request}:{news}", to=address, subject=subject, text=text)

    def _mail_manager(self, request: str, news: str, address: str) -> None:
        person = self._person(self.read(request).account)
        if person is not None:
            subject, text = reset_texts.manager_mail(person.name, person.account, news)
            self.notices.mail(key=f"reset:{request}:manager:{news}", to=address, subject=subject, text=text)


def step(durable: Durable, name: str, function: Callable[..., Any], *args: Any) -> Any:
    """A step that waits for Slack and the mail server to come back."""
    return durable.step(name, function, *args, retries=RETRIES, transient=PATIENT)


def attempt(durable: Durable, name: str, function: Callable[..., Any], *args: Any) -> None:
    """A step whose failure in the end doesn't keep the others from being taken."""
    try:
        step(durable, name, function, *args)
    except StepFailed as error:
        log.error("a notice (%s) was not sent: %s", name, error)
