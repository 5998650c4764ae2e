"""Who writes: a Slack user id, bound to an account of the directory, and in good standing or not."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http.client import HTTPException

from slack_sdk.errors import SlackApiError

from bot.directory.directory import Directory, DirectoryUnavailable, Person
from bot.directory.feed import FeedInvalid, ImportReport, PersonFeed, load_feed
from bot.directory.importing import Importer
from bot.directory.records import Binding, PersonRecord, address_owners, binding_of
from bot.directory.seeds import Seeds
from bot.errors import SlackUnavailable
from bot.notices import Notices
from bot.slack import Slack
from bot.suspensions import SUSPICIONS, Suspensions
from bot.workspace import SlackUser
from store import Database
from store.durable import Durable

__all__ = ["Employee", "FeedInvalid", "ImportReport", "People", "PersonFeed", "load_feed"]

log = logging.getLogger(__name__)

ASK_IT = "Ask IT in person."


@dataclass(frozen=True)
class Employee:
    """A person in Slack. `name` is for display only and identifies nobody."""

    team: str
    user: str
    name: str
    account: str | None = None
    directory_id: str | None = None
    groups: frozenset[str] = frozenset()
    """Empty unless the person is in good standing."""
    refusal: str | None = None
    """Why no sensitive action is possible for this person, in plain words; None in good standing."""


class People:
    """Tells who somebody is. Safe to use from many threads; opens its own transactions, none during outside calls."""

    def __init__(
        self,
        *,
        database: Database,
        slack: Slack | None,
        directory: Directory,
        secret_key: str,
        now: Callable[[], datetime],
        notices: Notices | None = None,
        alert: Callable[[str, str], None] | None = None,
    ) -> None:
        """`alert(key, text)` writes a line into the triage channel, once per key; text is plain."""
        self._database = database
        self._slack = slack
        self._directory = directory
        self._now = now
        self._importer = Importer(database=database, directory=directory, seeds=Seeds(secret_key), now=now)
        self._suspensions = Suspensions(database=database, now=now, notices=notices, alert=alert)

    def durable(self, durable: Durable) -> None:
        """Register the workflow that tells of suspended bindings, before the runtime starts."""
        self._suspensions.durable(durable)

    def identify(self, *, team: str, user: str, user_team: str | None = None, max_age: float = 60) -> Employee:
        """The person behind a signed Slack payload; never raises for an unknown or unreachable one.

        `max_age`: how old, in seconds, Slack's word on the person may be; the directory is asked each time.
        """
        nobody = Employee(team=team, user=user, name=user)
        if self._slack is None:
            return replace(nobody, refusal="I'm not connected to Slack.")
        try:
            seen = self._slack.workspace.user(user, max_age=max_age)
        except (SlackApiError, SlackUnavailable, OSError, HTTPException) as error:
            log.warning("Slack doesn't tell who %s is: %s", user, type(error).__name__)
            return replace(nobody, refusal="Slack doesn't tell me who you are at the moment. Try again in a minute.")
        nobody = replace(nobody, name=seen.name)
        with self._database.reading() as session:
            binding = binding_of(session, team, user)
        status = standing(seen, team=team, user_team=user_team)
        if status is not None:
            why, refusal = status
            if binding is not None and binding.seen_at is not None:
                self._suspend(binding, why)
            return replace(nobody, refusal=refusal)
        if binding is None:
            return replace(nobody, refusal=f"Your Slack account isn't linked with a directory account. {ASK_IT}")
        if binding.suspended_at is not None:
            self._suspensions.tell(binding.id, binding.suspended_at)  # in case the first time was lost
            return replace(nobody, refusal=suspended_text(binding.suspended_why))
        if suspicion := self._look_at_address(binding, seen):
            self._suspend(binding, suspicion)
            return replace(
                nobody, refusal=f"I've suspended the link with your account, since {SUSPICIONS[suspicion]}. {ASK_IT}"
            )
        return self._in_the_directory(nobody, binding)

    def _in_the_directory(self, nobody: Employee, binding: Binding) -> Employee:
        try:
            person = self._directory.get(binding.directory_id)
        except DirectoryUnavailable as error:
            log.warning("the directory doesn't tell who %s is: %s", nobody.user, error)
            return replace(nobody, refusal="The directory doesn't answer at the moment. Try again in a minute.")
        if person is None:
            return replace(nobody, refusal=f"The directory account that you are linked with is gone. {ASK_IT}")
        if person.account.casefold() != binding.account:
            self._suspend(binding, "account_changed")
            return replace(nobody, refusal=f"Your directory account was renamed since it was linked. {ASK_IT}")
        if not person.enabled:
            return replace(nobody, refusal=f"Your directory account is disabled. {ASK_IT}")
        return replace(
            nobody,
            account=binding.account,
            directory_id=person.directory_id,
            groups=self._groups(binding.account, person),
        )

    def by_account(self, account: str) -> Employee | None:
        """The person with this account, for the command line; Slack isn't asked. Errors: `DirectoryUnavailable`."""
        person = self._directory.find(account)
        if person is None or not person.enabled:
            return None
        return Employee(
            team="",
            user="",
            name=person.name,
            account=person.account.casefold(),
            directory_id=person.directory_id,
            groups=self._groups(person.account.casefold(), person),
            refusal="That is only done in Slack, where I can tell that it's you.",
        )

    def import_feed(self, people: Sequence[PersonFeed]) -> ImportReport:
        """Take in an administrator's feed; the same feed again changes nothing. Errors: `FeedInvalid`."""
        return self._importer.take_all(people)

    def slack_user_changed(self, team: str, user: str) -> None:
        """Slack said that a person changed: look at them now, and suspend the binding if it isn't to be trusted."""
        with self._database.reading() as session:
            bound = binding_of(session, team, user) is not None
        if bound:
            self.identify(team=team, user=user, max_age=0)

    def suspend(self, team: str, user: str, why: str) -> None:
        """End the trust in a binding, for a reason of `SUSPICIONS`."""
        with self._database.reading() as session:
            binding = binding_of(session, team, user)
        if binding is not None:
            self._suspend(binding, why)

    def _groups(self, account: str, person: Person) -> frozenset[str]:
        with self._database.reading() as session:
            known = session.get(PersonRecord, account)
            return person.groups | frozenset(known.groups if known else ())

    def _look_at_address(self, binding: Binding, seen: SlackUser) -> str | None:
        """What is suspicious of the mail address that Slack has; the first sight of it is kept."""
        address = seen.email.casefold() if seen.email else None
        with self._database.reading() as session:
            owners = address_owners(session, address) if address else set()
        if owners and binding.account not in owners:
            return "email_of_another"
        if binding.slack_email and address and address != binding.slack_email:
            return "email_changed"
        if binding.seen_at is None or (address and not binding.slack_email):
            with self._database.transaction() as session:
                held = session.get_one(Binding, binding.id, with_for_update=True)
                held.seen_at = held.seen_at or self._now()
                held.slack_email = held.slack_email or address
        return None

    def _suspend(self, binding: Binding, why: str) -> None:
        self._suspensions.suspend(binding.id, why)


def standing(seen: SlackUser, *, team: str, user_team: str | None) -> tuple[str, str] | None:
    """Why somebody isn't a full member of the workspace: the reason's name, and what they are told."""
    if seen.deleted:
        return "deactivated", "Your Slack account is deactivated."
    if seen.is_bot:
        return "guest", "I do that for people only, not for apps."
    if seen.is_guest:
        return "guest", f"Guests of this workspace can't do that here. {ASK_IT}"
    # In an Enterprise Grid, an event may name the enterprise (E...) in the place of the person's workspace.
    elsewhere = user_team is not None and user_team != team and not user_team.startswith("E")
    if seen.team != team or elsewhere:
        return "moved", f"You belong to another workspace, so I can't do that here. {ASK_IT}"
    return None


def suspended_text(why: str | None) -> str:
    why = SUSPICIONS.get(why or "", "something about it has changed")
    return f"The link of your Slack account with your directory account is suspended, since {why}. {ASK_IT}"
