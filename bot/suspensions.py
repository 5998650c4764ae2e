"""Ending the trust in the link between a Slack user and an account, and telling its owner and the agents."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.directory.records import Binding, PersonRecord
from bot.errors import SlackUnavailable
from bot.notices import Notices
from store import Database
from store.durable import TRANSIENT, Durable, StepFailed

log = logging.getLogger(__name__)

RETRIES = 8
PATIENT = (*TRANSIENT, SlackUnavailable)

SUSPICIONS = {
    "email_changed": "its mail address in Slack has changed",
    "email_of_another": "its mail address in Slack belongs to another account",
    "deactivated": "it was deactivated in Slack",
    "guest": "it became a guest in Slack",
    "moved": "it moved to another workspace",
    "account_changed": "the directory account was renamed",
    "repudiated": "its owner says that a password reset wasn't theirs",
    "repudiated_key": "its owner says that they didn't ask for a security key",
    "repudiated_request": "its owner says that they didn't ask for what was done for them",
}
"""Why a binding was suspended, completing “the link with the Slack account was suspended, since …”."""


class Suspensions:
    def __init__(
        self,
        *,
        database: Database,
        now: Callable[[], datetime],
        notices: Notices | None,
        alert: Callable[[str, str], None] | None,
    ) -> None:
        self._database = database
        self._now = now
        self._notices = notices
        self._alert = alert
        self._start: Callable[[int, str], None] = self._tell_now

    def durable(self, durable: Durable) -> None:
        """Register the workflow that tells of a suspension, before the runtime starts."""

        def attempt(name: str, function: Callable[..., None], *args: Any) -> None:
            try:
                durable.step(name, function, *args, retries=RETRIES, transient=PATIENT)
            except StepFailed as error:
                log.error("%s of a suspended binding failed: %s", name, error)  # the others are still told

        def told(binding: int, since: str) -> None:
            for number, address in enumerate(durable.step("addresses", self._addresses, binding)):
                attempt(f"mail {number}", self._mail, binding, since, address)
            attempt("alert", self._tell_agents, binding, since)

        registered = durable.workflow("binding_suspended", told)

        def start(binding: int, since: str) -> None:
            durable.start(registered, binding, since, key=f"suspended:{binding}:{since}")

        self._start = start

    def suspend(self, binding: int, why: str) -> None:
        """Suspend a binding, for a reason of `SUSPICIONS`; one that is suspended already keeps its reason."""
        with self._database.transaction() as session:
            held = session.get(Binding, binding, with_for_update=True)
            if held is None or held.suspended_at is not None:
                return
            since = held.suspended_at = self._now()
            held.suspended_why = why
        log.warning("binding %s of %s suspended: %s", binding, held.account, why)
        self.tell(binding, since)

    def tell(self, binding: int, since: datetime) -> None:
        """Tell of a suspension, once, however often it is asked."""
        self._start(binding, since.isoformat())

    def _tell_now(self, binding: int, since: str) -> None:
        """Without a durable runtime, each way is tried once."""
        try:
            for address in self._addresses(binding):
                self._mail(binding, since, address)
            self._tell_agents(binding, since)
        except (OSError, SlackUnavailable, SlackApiError) as error:
            log.warning("could not tell of the suspension of binding %s: %s", binding, error)

    def _addresses(self, binding: int) -> list[str]:
        with self._database.reading() as session:
            held = session.get(Binding, binding)
            person = session.get(PersonRecord, held.account) if held else None
        if person is None or self._notices is None or not self._notices.available:
            return []
        return [str(address) for address in person.emails]

    def _mail(self, binding: int, since: str, address: str) -> None:
        with self._database.reading() as session:
            held = session.get(Binding, binding)
        if held is None or self._notices is None:
            return
        text = (
            f"Hello,\n\nthe link between your account {held.account} and your Slack account was suspended, since "
            f"{SUSPICIONS[held.suspended_why or 'moved']}.\nNothing that needs your identity can be done from Slack "
            "until IT has looked at it. If you didn't expect this, call IT now.\n"
        )
        key = f"suspended:{binding}:{since}"
        self._notices.mail(key=key, to=address, subject="Your Slack account was unlinked", text=text)

    def _tell_agents(self, binding: int, since: str) -> None:
        with self._database.reading() as session:
            held = session.get(Binding, binding)
        if held is None or self._alert is None:
            return
        self._alert(
            f"suspended:{binding}:{since}",
            f"The link of {held.account} with the Slack account {held.slack_user_id} was suspended, since "
            f"{SUSPICIONS[held.suspended_why or 'moved']}. Check with its owner in person before you import it anew.",
        )
