"""The App Home: published when it is opened."""

import logging

from slack_sdk.errors import SlackApiError

from bot.answer_clicks import RETRIES
from bot.blocks.home import Line, home
from bot.desk import Desk
from bot.routines.cards import as_approver
from bot.routines.records import Approval, RoutineRequest, waiting_for
from bot.slack_client import TRANSIENT
from tickets import queries
from tickets.records import Ticket

log = logging.getLogger(__name__)

FORGIVEN: tuple[type[Exception], ...] = (*TRANSIENT, SlackApiError)


class Home:
    """Shows each person their tickets, and agents what waits for them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._opened = desk.durable.workflow("home", self._see_to)
        desk.triage.watch(self.follow)

    def receive(self, user: str, *, event: str) -> None:
        """The person opened the Home tab; `event` is Slack's id of that."""
        self._desk.durable.start(self._opened, user, key=f"home:{event}")

    def follow(self, ticket: Ticket) -> None:
        """Bring the homes of a changed ticket's people up to date. Nobody waits for it, so a failure is only logged."""
        for user in {ticket.requester, ticket.assignee}:
            if user is not None and user.startswith(("U", "W")):
                try:
                    self._publish(user)
                except FORGIVEN as error:
                    log.warning("the home of %s isn't up to date: %s", user, error)

    def _see_to(self, user: str) -> None:
        self._desk.durable.step("publish", self._publish, user, retries=RETRIES, transient=TRANSIENT)

    def _publish(self, user: str) -> None:
        agent = self._is_agent(user)
        with self._desk.database.reading() as session:
            mine = queries.open_tickets_of(session, user)
            claimed = queries.assigned_to(session, user) if agent else []
            unclaimed = queries.unassigned(session) if agent else []
            waiting = [to_decide(approval, request) for approval, request in waiting_for(session, user)]
        view = home(
            [line(ticket) for ticket in mine],
            waiting=waiting,
            claimed=[line(ticket) for ticket in claimed],
            unclaimed=[line(ticket) for ticket in unclaimed],
            agent=agent,
        )
        self._desk.slack.publish_home(user=user, view=view)

    def _is_agent(self, user: str) -> bool:
        """False also when Slack doesn't show who the agents are: everybody still sees their own tickets."""
        try:
            return self._desk.triage.is_agent(user)
        except SlackApiError as error:
            log.warning("Slack doesn't tell who the agents are: %s", error.response.get("error"))
            return False


def to_decide(approval: Approval, request: RoutineRequest) -> Line:
    return Line(
        number=request.ticket or "",
        title=f"{request.name} asks: the card is in your messages",
        state=request.workflow.replace("_", " "),
        updated_at=approval.asked_at,
        people=f"you are asked as {as_approver(approval.why)}",
    )


def line(ticket: Ticket) -> Line:
    return Line(
        number=ticket.number,
        title=ticket.title,
        state=ticket.state.value.replace("_", " "),
        updated_at=ticket.updated_at,
        people=f"{ticket.priority_level.code}",
    )
