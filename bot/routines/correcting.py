"""What was asked for, corrected or completed in words before it is confirmed: "no, until Monday"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from bot.routines.forms import wanted
from bot.routines.offers import Offers
from bot.routines.records import held, newest_begun
from bot.routines.routine import Routine
from bot.values import values_given

CORRECTS = re.compile(
    r"^\W*(?:no|nope|sorry|oops|wait|actually|correction|better|i mean|(?:make|change) (?:it|that))\b"
    r"|\b(?:instead|i meant|rather)\b",
    re.IGNORECASE,
)
COMPLETES = re.compile(r"^\W*(?:and\s+)?(?:until|till|because|for|from|it'?s for|the reason)\b", re.IGNORECASE)
MOST_WORDS = 25
REMEMBERED = timedelta(minutes=30)
ASKED_ALREADY = "That is asked for already, so I can't change it. Write “cancel”, and then ask for it anew."


@dataclass(frozen=True)
class Correction:
    workflow: str
    request: str
    values: dict[str, str]
    """The fields that change."""
    title: str
    """What is asked for then, for people."""
    too_late: bool
    """It isn't a draft any more."""


def corrects(text: str) -> bool:
    """Whether the message may be about what was just asked for."""
    if "?" in text or len(text.split()) > MOST_WORDS:
        return False
    return bool(CORRECTS.search(text) or COMPLETES.search(text))


def values_of(text: str, routine: Routine[Any], offers: Offers, now: datetime) -> dict[str, str]:
    """What a message says of what a routine asks for, as JSON has it."""
    found = values_given(text, wanted(routine.Wish, offers.names), today=now.date())
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in found.items()}


class Correcting:
    """Of all declared routines."""

    def __init__(self, routines: Sequence[Routine[Any]], offers: Offers) -> None:
        self._routines = {routine.name: routine for routine in routines}
        self._offers = offers

    def find(self, session: Session, *, team: str, user: str, text: str, now: datetime) -> Correction | None:
        """What the message changes of the person's newest request, if that isn't long ago."""
        request = newest_begun(session, team, user, now - REMEMBERED)
        routine = self._routines.get(request.workflow) if request is not None else None
        if request is None or routine is None:
            return None
        said = values_of(text, routine, self._offers, now)
        values = {name: value for name, value in said.items() if request.wish.get(name) != value}
        if not values:
            return None
        try:
            title = routine.asks(routine.Wish.model_validate({**request.wish, **values}))
        except ValueError:  # something is missing still
            title = routine.title
        return Correction(request.workflow, request.id, values, title, request.state != "drafted")

    def apply(self, session: Session, request_id: str, values: Mapping[str, str], now: datetime) -> bool:
        """Change a draft; False, and nothing is done, if it isn't one any more."""
        request = held(session, request_id)
        if request.state != "drafted":
            return False
        request.wish, request.changed_at = {**request.wish, **values}, now
        return True
