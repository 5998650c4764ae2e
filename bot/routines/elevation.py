"""More rights for a few hours: given by a group, and taken back by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from bot.directory.directory import Ability
from bot.routines.approval_rules import stages
from bot.routines.forms import Offered
from bot.routines.memberships import BeIn, group_of, offered
from bot.routines.offers import Offers
from bot.routines.routine import Errand, Level, Risk, Routine, Stage

LONGEST_HOURS = 24


class Elevation(BaseModel):
    what: Annotated[str, Offered("elevation")] = Field(title="Rights")
    hours: int = Field(ge=1, le=LONGEST_HOURS, title="For how many hours")
    reason: str = Field(title="What for", min_length=3, max_length=500)


class ElevatedAccess(Routine[Elevation]):
    name = "elevated_access"
    title = "Get more rights for a few hours"
    examples = (
        "I need admin rights for two hours",
        "make me administrator for this afternoon",
        "can I get the admin role for a few hours",
        "please give me the admin role until tonight",
        "I need elevated access for a maintenance",
        "give me temporary administrator rights",
    )
    risk = Risk.APPROVAL
    level = Level.L2
    approver = "manager, or whoever the offer names"
    needs = frozenset({Ability.GROUPS})
    undone_by = "by itself after the hours"
    Wish = Elevation

    def asks(self, wish: Elevation, whom: str = "you") -> str:
        return f"Give {whom} the rights {wish.what} for {wish.hours} {'hour' if wish.hours == 1 else 'hours'}"

    def steps(self, wish: Elevation, offers: Offers) -> Sequence[BeIn]:
        return [BeIn(offered(offers, "elevation", wish.what))]

    def approval(self, wish: Elevation, errand: Errand) -> Sequence[Stage]:
        offer = offered(errand.offers, "elevation", wish.what)
        return stages(offer.approvers, errand, group_of(errand, offer).owners)

    def flaws(self, wish: Elevation, errand: Errand) -> dict[str, str]:
        offer = errand.offers.find("elevation", wish.what)
        if offer is None:
            return {"what": "This isn't on offer."}
        if offer.longest_hours is not None and wish.hours > offer.longest_hours:
            return {"hours": f"It is given for {offer.longest_hours} hours at most."}
        return {"what": "You have this already."} if BeIn(offer).is_done(errand) else {}

    def ends_at(self, wish: Elevation, since: datetime) -> datetime:
        return since + timedelta(hours=wish.hours)
