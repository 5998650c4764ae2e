"""Telling people of a security key that is registered: the link and the end in their direct messages, and mail."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.directory.records import PersonRecord
from bot.notices import Notices
from bot.once.links import Links
from bot.slack import Block, Slack
from bot.workflows import key_texts
from bot.workflows.addresses import addresses_of, addresses_of_manager
from bot.workflows.key_page import NOT_MINE, PURPOSE
from bot.workflows.records import KeyRequest
from bot.workflows.reset_news import attempt, step
from store import Database
from store.durable import Durable


@dataclass(frozen=True)
class KeyNews:
    database: Database
    slack: Slack
    notices: Notices
    links: Links
    hold: timedelta
    now: Callable[[], datetime]

    def link(self, request: str) -> None:
        found = self.read(request)
        if found.state == "linked":
            url = self.links.url(PURPOSE, request)
            text, blocks = key_texts.link_message(found.account or "", url, found.expires_at)
            self._post(found, f"key:{request}:link", text, blocks)

    def say_registered(self, request: str) -> None:
        found = self.read(request)
        text = key_texts.registered_message(found, self._usable_from(found))
        self._post(found, f"key:{request}:registered", text)

    def mail_everybody(self, durable: Durable, request: str, news: str) -> None:
        """Inside a workflow: `requested` or `registered`, to each registered address and to the manager's."""
        account = step(durable, "account", lambda: self.read(request).account)
        for number, address in enumerate(step(durable, "addresses", addresses_of, self.database, account)):
            attempt(durable, f"mail {number}", self._mail, request, news, address)
        for number, address in enumerate(step(durable, "manager", addresses_of_manager, self.database, account)):
            attempt(durable, f"manager {number}", self._mail_manager, request, news, address)

    def read(self, request: str) -> KeyRequest:
        with self.database.reading() as session:
            return session.get_one(KeyRequest, request)

    def _usable_from(self, request: KeyRequest) -> datetime:
        return (request.settled_at or self.now()) + self.hold

    def _post(self, request: KeyRequest, key: str, text: str, blocks: Sequence[Block] = ()) -> None:
        """Into the employee's own direct messages: in the thread that the wish came from if it is there."""
        channel = self.slack.workspace.dm(request.slack_user)
        thread = request.thread_ts if request.channel == channel else None
        self.slack.post(
            key, channel=channel, thread_ts=thread, text=text, blocks=blocks, purpose="key_news", ref=request.id
        )

    def _name(self, account: str) -> str:
        with self.database.reading() as session:
            person = session.get(PersonRecord, account)
        return person.name if person else account

    def _mail(self, request: str, news: str, address: str) -> None:
        found = self.read(request)
        account, link = found.account or "", self.links.url(NOT_MINE, request)
        if news == "requested":
            subject, text = key_texts.requested_mail(self._name(account), account, link)
        else:
            at, usable_from = found.settled_at or self.now(), self._usable_from(found)
            subject, text = key_texts.registered_mail(
                self._name(account), account, found.name or "", link, at, usable_from
            )
        self.notices.mail(key=f"key:{request}:{news}", to=address, subject=subject, text=text)

    def _mail_manager(self, request: str, news: str, address: str) -> None:
        account = self.read(request).account or ""
        subject, text = key_texts.manager_mail(self._name(account), account, news)
        self.notices.mail(key=f"key:{request}:manager:{news}", to=address, subject=subject, text=text)
