"""The App Home: published when it is opened."""

from bot.answer_clicks import RETRIES
from bot.blocks.home import SHOWN, Line, home
from bot.desk import Desk
from bot.slack import TRANSIENT
from tickets import queries
from tickets.records import Ticket


class Home:
    """Shows each person their tickets, and agents what waits for them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._opened = desk.durable.workflow("home", self._see_to)

    def receive(self, user: str, *, event: str) -> None:
        """The person opened the Home tab; `event` is Slack's id of that."""
        self._desk.durable.start(self._opened, user, key=f"home:{event}")

    def _see_to(self, user: str) -> None:
        self._desk.durable.step("publish", self._publish, user, retries=RETRIES, transient=TRANSIENT)

    def _publish(self, user: str) -> None:
        agent = self._desk.triage.is_agent(user)
        with self._desk.database.reading() as session:
            mine = queries.open_tickets_of(session, user)[:SHOWN]
            claimed = queries.assigned_to(session, user)[:SHOWN] if agent else []
            unclaimed = queries.unassigned(session)[:SHOWN] if agent else []
        view = home(
            [line(ticket) for ticket in mine],
            claimed=[line(ticket) for ticket in claimed],
            unclaimed=[line(ticket) for ticket in unclaimed],
            agent=agent,
        )
        self._desk.slack.publish_home(user=user, view=view)


def line(ticket: Ticket) -> Line:
    return Line(
        number=ticket.number,
        title=ticket.title,
        state=ticket.state.value.replace("_", " "),
        updated_at=ticket.updated_at,
        people=f"{ticket.priority_level.code}",
    )
