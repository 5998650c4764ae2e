"""Who writes: a Slack user id, bound to an account of the directory, and in good standing or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.directory.directory import Directory
from bot.directory.feed import FeedInvalid, ImportReport, PersonFeed, load_feed
from bot.notices import Notices
from bot.slack import Slack
from store import Database

__all__ = ["Employee", "FeedInvalid", "ImportReport", "People", "PersonFeed", "load_feed"]


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
        self._secret_key = secret_key
        self._now = now
        self._notices = notices
        self._alert = alert

    def identify(self, *, team: str, user: str, user_team: str | None = None, max_age: float = 60) -> Employee:
        """The person behind a signed Slack payload; never raises for an unknown or unreachable one.

        `max_age`: how old, in seconds, Slack's word on the person may be; the directory is asked each time.
        """
        raise NotImplementedError

    def by_account(self, account: str) -> Employee | None:
        """The person with this account, for the command line; Slack isn't asked. Errors: `DirectoryUnavailable`."""
        raise NotImplementedError

    def import_feed(self, people: Sequence[PersonFeed]) -> ImportReport:
        """Take in an administrator's feed; the same feed again changes nothing."""
        raise NotImplementedError

    def slack_user_changed(self, team: str, user: str) -> None:
        """Slack said that a person changed: look at them now, and suspend the binding if it can't be trusted any more."""
        raise NotImplementedError
