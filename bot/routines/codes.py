"""Codes that are handed out one by one, each once: vouchers for the guests' Wi-Fi, as its controller prints them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from bot.directory.directory import Ability
from bot.routines.approval_rules import stages
from bot.routines.forms import Offered
from bot.routines.memberships import offered
from bot.routines.offers import Offer, Offers
from bot.routines.records import code_of, codes_left, codes_taken_since, free_code
from bot.routines.routine import CannotBeDone, Errand, Risk, Routine, Stage


@dataclass(frozen=True)
class HandOut:
    """Satisfies `Step`: a code is the employee's."""

    offer: Offer
    undoing = None
    needs: ClassVar[frozenset[Ability]] = frozenset()

    @property
    def name(self) -> str:
        return f"hand out a code of {self.offer.name}"

    def check(self, errand: Errand) -> None:
        with errand.database.reading() as session:
            if not codes_left(session, self.offer.name) and code_of(session, errand.request) is None:
                raise CannotBeDone(self._none_left())

    def do(self, errand: Errand) -> None:
        """Errors: `CannotBeDone`, when the last one went to somebody else just now."""
        with errand.database.transaction() as session:
            free = free_code(session, self.offer.name)
            if free is None:
                raise CannotBeDone(self._none_left())
            free.request, free.directory_id = errand.request, errand.subject.directory_id
            free.taken_at = errand.now

    def is_done(self, errand: Errand) -> bool:
        with errand.database.reading() as session:
            return code_of(session, errand.request) is not None

    def undo(self, errand: Errand) -> None:
        """Never called."""

    def _none_left(self) -> str:
        return f"No code of {self.offer.name} is left. The agents have to add some."


class WantedCode(BaseModel):
    what: Annotated[str, Offered("code")] = Field(title="What")
    reason: str = Field(title="For whom", min_length=2, max_length=200, description="Who visits you, and from where.")


class GuestCode(Routine[WantedCode]):
    name = "guest_code"
    title = "A code for a guest"
    examples = (
        "I need guest Wi-Fi for a visitor",
        "can I get a guest Wi-Fi voucher",
        "please get my guest a Wi-Fi code for today",
        "please give me a wifi code for my guest",
        "guest wlan access for a visitor, please",
        "I have visitors tomorrow, can they get on the guest Wi-Fi",
    )
    risk = Risk.LOW
    approver = "nobody, unless the offer names somebody"
    needs: ClassVar[frozenset[Ability]] = frozenset()
    undone_by = "nothing to undo: the code ends by itself, or is ended where it came from"
    Wish = WantedCode

    def asks(self, wish: WantedCode, whom: str = "you") -> str:
        return f"Give {whom} a code of {wish.what}, for {wish.reason}"

    def steps(self, wish: WantedCode, offers: Offers) -> Sequence[HandOut]:
        return [HandOut(offered(offers, "code", wish.what))]

    def approval(self, wish: WantedCode, errand: Errand) -> Sequence[Stage]:
        return stages(offered(errand.offers, "code", wish.what).approvers, errand, ())

    def flaws(self, wish: WantedCode, errand: Errand) -> dict[str, str]:
        offer = errand.offers.find("code", wish.what)
        if offer is None:
            return {"what": "This isn't on offer."}
        with errand.database.reading() as session:
            since = errand.now - timedelta(days=1)
            taken = codes_taken_since(session, offer.name, errand.subject.directory_id, since)
        if taken >= offer.a_day:
            return {"what": f"You had {taken} of these within a day already, which is the most. Ask for a human."}
        return {}

    def hands_over(self, wish: WantedCode, errand: Errand) -> str | None:
        with errand.database.reading() as session:
            found = code_of(session, errand.request)
        return f"The code of {wish.what}: {found.code}" if found else None
