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
from bot.factors.second_factor import SecondFactor
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
    second_factor: SecondFactor
    workflow: str
    """Whose switch is looked at, beside those of the directory and of everything."""
    needs: frozenset[Ability]
    """What the directory must be able to do."""
    switches: Switches
    directory_name: str
    is_agent: Callable[[str], bool]
    """Whether this Slack user is an agent of the desk; an error counts as yes."""
    now: Callable[[], datetime]

    def refuse(self, employee: Employee, *, user_team: str | None = None, max_age: float = 60) -> Refusal | None:
        """Why nothing that needs a second factor is done for this person now, or None; holds and limits included.

        `max_age` is that of Slack's word, in seconds.
        """
        known = self._known(employee, user_team, max_age)
        if isinstance(known, Refusal):
            return known
        with self.database.reading() as session:
            binding = binding_of(session, employee.team, employee.user)
            if binding is None:
                return Refusal("identity", f"Your Slack account isn't linked with an account any more. {A_PERSON}")
            return self.limits.refuse(session, binding=binding, person=known, now=self.now())

    def refuse_person(self, employee: Employee, *, user_team: str | None = None, max_age: float = 60) -> Refusal | None:
        """Why nothing at all is done to this person's account from Slack, or None; holds and limits apart."""
        known = self._known(employee, user_team, max_age)
        return known if isinstance(known, Refusal) else None

    def _known(self, employee: Employee, user_team: str | None, max_age: float) -> PersonRecord | Refusal:
        """What is known of a person in good standing who can prove themselves and be told of it, or why not."""
        if self.switches.off(self.workflow, self.directory_name):
            return Refusal("switch", OFF)
        if employee.refusal is not None:
            return Refusal("identity", employee.refusal)
        fresh = self.people.identify(team=employee.team, user=employee.user, user_team=user_team, max_age=max_age)
        if fresh.refusal is not None:
            return Refusal("identity", fresh.refusal)
        if fresh.account is None or fresh.directory_id is None or fresh.directory_id != employee.directory_id:
            return Refusal("identity", f"Your Slack account is linked with another account than before. {A_PERSON}")
        if not self.needs <= self.directory.abilities:
            return Refusal("directory", f"Our directory doesn't let me do that. {A_PERSON}")
        if not self.notices.available:
            return Refusal("notices", f"I can't send mail, and this isn't done without telling you by mail. {A_PERSON}")
        with self.database.reading() as session:
            known = session.get(PersonRecord, fresh.account)
            able = self.second_factor.able(session, fresh.account, fresh.directory_id)
        if self._privileged(fresh, known):
            return Refusal("privileged", f"Accounts with special rights are looked after by people only. {A_PERSON}")
        if known is None or self._addresses(known) < FEWEST_ADDRESSES:
            why = "I have to tell two mail addresses of it (your manager's counts), and I don't know as many"
            return Refusal("addresses", f"{why}. {A_PERSON}")
        if not able:
            why = "You have no authenticator app registered, and no security key that may be used yet"
            return Refusal("factor", f"{why}. I need one of them. {A_PERSON}")
        return known

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
