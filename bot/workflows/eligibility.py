"""Who may change something about their own account from Slack, asked afresh each time."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException

from slack_sdk.errors import SlackApiError

from bot.directory.directory import Ability, Directory, DirectoryUnavailable
from bot.directory.records import PersonRecord, binding_of
from bot.errors import BotError
from bot.notices import Notices
from bot.people import Employee, People
from bot.routines.switches import OFF, Switches
from bot.workflows.limits import Limits, Refusal
from store import Database

log = logging.getLogger(__name__)

A_PERSON = "Ask me for a human."
FEWEST_ADDRESSES = 2
"""To which a notice goes; Slack, where the request was made, isn't one of them."""


@dataclass(frozen=True)
class Eligibility:
    """No transaction may be open during `refuse`: it asks Slack and the directory."""

    database: Database
    people: People
    directory: Directory
    notices: Notices
    limits: Limits
    switches: Switches
    directory_name: str
    is_agent: Callable[[str], bool]
    """Whether this Slack user is an agent of the desk; an error counts as yes."""
    now: Callable[[], datetime]

    def refuse(self, employee: Employee, *, user_team: str | None = None, max_age: float = 60) -> Refusal | None:
        """Why this person may not, or None; `max_age` is that of Slack's word, in seconds."""
        if self.switches.off("password_reset", self.directory_name):
            return Refusal("switch", OFF)
        if employee.refusal is not None:
            return Refusal("identity", employee.refusal)
        fresh = self.people.identify(team=employee.team, user=employee.user, user_team=user_team, max_age=max_age)
        if fresh.refusal is not None:
            return Refusal("identity", fresh.refusal)
        if fresh.account is None or fresh.directory_id is None or fresh.directory_id != employee.directory_id:
            return Refusal("identity", f"Your Slack account is linked with another account than before. {A_PERSON}")
        if Ability.PASSWORD not in self.directory.abilities:
            return Refusal("directory", f"Our directory doesn't let me change passwords. {A_PERSON}")
        if not self.notices.available:
            return Refusal("notices", f"I can't send mail, and this isn't done without telling you by mail. {A_PERSON}")
        with self.database.reading() as session:
            known = session.get(PersonRecord, fresh.account)
        if self._privileged(fresh, known):
            return Refusal("privileged", f"Accounts with special rights are looked after by people only. {A_PERSON}")
        if known is None or self._addresses(known) < FEWEST_ADDRESSES:
            why = "I have to tell two mail addresses of it (your manager's counts), and I don't know as many"
            return Refusal("addresses", f"{why}. {A_PERSON}")
        if known.factor_seed is None:
            return Refusal("factor", f"You have no authenticator app registered, and I need its code. {A_PERSON}")
        with self.database.reading() as session:
            binding = binding_of(session, fresh.team, fresh.user)
            if binding is None:
                return Refusal("identity", f"Your Slack account isn't linked with an account any more. {A_PERSON}")
            return self.limits.refuse(session, binding=binding, person=known, now=self.now())

    def _addresses(self, known: PersonRecord) -> int:
        """To how many addresses a notice would go: the person's own, and their manager's."""
        addresses = {str(address).casefold() for address in known.emails}
        if known.manager and addresses:
            with self.database.reading() as session:
                manager = session.get(PersonRecord, known.manager.casefold())
            addresses |= {str(address).casefold() for address in manager.emails} if manager else set()
        return len(addresses)

    def _privileged(self, employee: Employee, known: PersonRecord | None) -> bool:
        """Special rights by the feed or by the directory; who can't be judged counts as having them."""
        try:
            person = self.directory.get(employee.directory_id or "")
            agent = self.is_agent(employee.user)
        except (BotError, DirectoryUnavailable, SlackApiError, OSError, HTTPException) as error:
            log.warning("it can't be told what rights %s has: %s", employee.user, type(error).__name__)
            return True
        return agent or person is None or person.privileged or known is None or known.privileged
