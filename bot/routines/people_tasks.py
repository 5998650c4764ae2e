"""What people do once it is approved: new hardware, and the checklists of who joins and who leaves."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, Field

from bot.directory.directory import Ability
from bot.routines.approval_rules import stages
from bot.routines.forms import Offered
from bot.routines.memberships import offered
from bot.routines.offers import Kind, Offers
from bot.routines.routine import Errand, Risk, Routine, Stage, Step, Task


class Chosen(BaseModel):
    """What all of these ask for; `what` is the name of an offer."""

    what: str


W = TypeVar("W", bound=Chosen)


class ByPeople(Routine[W]):
    kind: ClassVar[Kind]
    risk = Risk.APPROVAL
    approver = "manager, or whoever the offer names"
    needs: ClassVar[frozenset[Ability]] = frozenset()

    def steps(self, wish: W, offers: Offers) -> Sequence[Step]:
        return ()

    def tasks(self, wish: W, offers: Offers) -> Sequence[Task]:
        return [Task(text, due=self.due(wish)) for text in offered(offers, self.kind, wish.what).tasks]

    def due(self, wish: W) -> date | None:
        """By when all of it is to be done."""
        return None

    def approval(self, wish: W, errand: Errand) -> Sequence[Stage]:
        return stages(offered(errand.offers, self.kind, wish.what).approvers, errand, ())

    def flaws(self, wish: W, errand: Errand) -> dict[str, str]:
        if errand.offers.find(self.kind, wish.what) is None:
            return {"what": "This isn't on offer."}
        due = self.due(wish)
        return {"day": "This day is over already."} if due is not None and due < errand.now.date() else {}


class WantedHardware(Chosen):
    what: Annotated[str, Offered("hardware")] = Field(title="What")
    place: str = Field(title="Where to", min_length=2, max_length=200, description="Your desk, or an address.")
    reason: str = Field(title="What for", min_length=3, max_length=500)


class NewHardware(ByPeople[WantedHardware]):
    name = "hardware"
    title = "New hardware"
    examples = (
        "I need a monitor",
        "can I get a monitor for my desk",
        "please order a monitor for me",
        "I would like to order a monitor",
        "my job needs a second monitor, can I have one",
        "order new hardware for me",
        "I want to request a new laptop",
    )
    kind = "hardware"
    undone_by = "stopped until people have done it; then it is given back to them"
    Wish = WantedHardware

    def asks(self, wish: WantedHardware, whom: str = "you") -> str:
        return f"Get {whom} {wish.what}, to: {wish.place}"


class Joiner(Chosen):
    what: Annotated[str, Offered("joiner")] = Field(title="Checklist")
    person: str = Field(title="Who joins", min_length=3, max_length=120)
    day: date = Field(title="First day")
    reason: str = Field("", title="What else matters", max_length=500)


class NewJoiner(ByPeople[Joiner]):
    name = "joiner"
    title = "Somebody joins"
    examples = (
        "a new colleague starts on Monday, please set everything up",
        "we have a new joiner on my team",
        "set up the account and laptop for a new hire",
        "somebody new joins my team next month, what they need has to be ready",
        "onboard a new employee",
        "start the onboarding of our new colleague",
    )
    kind = "joiner"
    undone_by = "stopped until people have done it; then a leaver's checklist"
    Wish = Joiner

    def asks(self, wish: Joiner, whom: str = "you") -> str:
        return f"Get everything ready for {wish.person}, who joins on {wish.day:%-d %B %Y} ({wish.what})"

    def due(self, wish: Joiner) -> date:
        return wish.day


class Leaver(Chosen):
    what: Annotated[str, Offered("leaver")] = Field(title="Checklist")
    person: str = Field(title="Who leaves", min_length=3, max_length=120)
    day: date = Field(title="Last day")
    reason: str = Field("", title="What else matters", max_length=500)


class LeavingEmployee(ByPeople[Leaver]):
    name = "leaver"
    title = "Somebody leaves"
    examples = (
        "a colleague leaves at the end of the month, please close their accounts",
        "somebody on my team is leaving, what has to be done",
        "offboard an employee",
        "start the offboarding of a colleague",
        "one of my people has their last day on Friday, take back the laptop and the accesses",
    )
    kind = "leaver"
    undone_by = "stopped until people have done it; then a joiner's checklist"
    Wish = Leaver

    def asks(self, wish: Leaver, whom: str = "you") -> str:
        return f"See to it that {wish.person}, who leaves on {wish.day:%-d %B %Y}, leaves nothing open ({wish.what})"

    def due(self, wish: Leaver) -> date:
        return wish.day
