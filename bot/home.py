"""The App Home: one's own open tickets, and for agents what they have claimed and what waits."""

import logging

from slack_sdk.errors import SlackApiError

from bot.blocks.home import Line, home
from bot.errors import SlackUnavailable
from bot.handoff import Triage
from bot.slack import TRANSIENT, Slack
from store import Database
from store.durable import Durable
from tickets import queries
from tickets.records import Ticket

log = logging.getLogger(__name__)


class Home:
    """Publishes people's App Homes."""

    def __init__(self, *, database: Database, slack: Slack, triage: Triage, durable: Durable) -> None:
        """Registers a workflow, so it is made before the durable runtime is launched."""
        self._database = database
        self._slack = slack
        self._triage = triage
        self._durable = durable
        self._opened = durable.workflow("home_opened", self._see_to_home)

    def opened(self, user: str, *, event_id: str) -> None:
        """Somebody looks at their home; the same event again is the same look."""
        self._durable.start(self._opened, user, key=f"home:{event_id}")

    def _see_to_home(self, user: str) -> None:
        self._durable.step("publish", self.publish, user, transient=TRANSIENT)

    def refresh(self, user: str | None) -> None:
        """Bring a home up to date after a ticket changed. Nobody waits for it, so Slack's refusal is only logged."""
        if user is None or not user.startswith(("U", "W")):
            return
        try:
            self.publish(user)
        except (SlackApiError, SlackUnavailable, OSError) as error:
            log.warning("the home of %s could not be refreshed: %s", user, type(error).__name__)

    def publish(self, user: str) -> None:
        """Show the person their home as the tickets stand now."""
        agent = self._triage.is_agent(user)
        with self._database.reading() as session:
            mine = [_line(ticket) for ticket in queries.open_tickets_of(session, user)]
            claimed = [_line(ticket) for ticket in queries.assigned_to(session, user)] if agent else []
            unclaimed = [_line(ticket) for ticket in queries.unassigned(session)] if agent else []
        mine.sort(key=lambda line: line.updated_at, reverse=True)
        view = home(mine, claimed=claimed, unclaimed=unclaimed, agent=agent)
        self._slack.publish_home(user=user, view=view)


def _line(ticket: Ticket) -> Line:
    priority = f"priority {ticket.priority_level.label}"
    return Line(ticket.number, ticket.title, ticket.state.value.replace("_", " "), ticket.updated_at, priority)
