"""What a routine request must offer so that the desk can start it, show it and finish it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.orm import Session
from starlette.routing import BaseRoute

from bot.outcomes import Declined, InProgress
from bot.people import Employee
from bot.records import Conversation
from bot.workflows.stoppable import Stoppable
from store.durable import Durable

if TYPE_CHECKING:
    from slack_bolt import App


class Workflow(Protocol):
    """One routine request. The person it is for is always the one who asked, taken from Slack's signed payload."""

    @property
    def name(self) -> str:
        """Its name in records and in `deskmate ask`: `password_reset`."""

    @property
    def title(self) -> str:
        """What it does, for people: `Reset your password`."""

    @property
    def examples(self) -> tuple[str, ...]:
        """What employees write when they want it; routing compares messages with them."""

    def check(self, employee: Employee) -> str | None:
        """Why it can't be done for this person now, in plain words, or None.

        Asks Slack and the directory anew; call it with no transaction open.
        """

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
        """Record the request, or its refusal as `check` gave it, in the turn's transaction; nothing is sent yet.

        `given` are values by field that the employee has yet to see; what takes none passes over them.
        The same key again gives the same answer and records nothing.
        """

    def stoppable(self, session: Session, *, team: str, user: str) -> Stoppable | None:
        """The person's newest request of which nothing is done yet."""

    def stop(self, session: Session, request: str, *, now: datetime) -> bool:
        """Stop it in the turn's transaction; False if it is too late for that."""

    def put_away(self, request: str) -> None:
        """Show that it was stopped; called after the commit, and maybe again."""

    def announce(self, request: str) -> None:
        """Show the request in the employee's own direct messages; called after the commit, and maybe again."""

    def listen(self, app: "App") -> None:
        """Register what its buttons do."""

    def routes(self) -> list[BaseRoute]:
        """Its one-time pages, below `/once/`."""

    def tick(self) -> None:
        """See to what is due as time goes by; called every few seconds."""

    def durable(self, durable: Durable) -> None:
        """Register its durable workflows, before the runtime starts."""

    def resume(self) -> None:
        """See to what a process that died left undone; called at each start, once the durable runtime runs."""
