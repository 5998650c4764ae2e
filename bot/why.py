"""Why a turn ended as it did: what `decide` went by, kept beside the outcome for whoever asks later."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from bot.outcomes import Outcome
from bot.routing import Route
from knowledge.trace import Trace


class Branch(StrEnum):
    """Which way a message went; in the order in which they are tried."""

    OPEN_TICKET = "open_ticket"
    UNREADABLE = "unreadable"
    TICKET_NUMBER = "ticket_number"
    HUMAN_WISH = "human_wish"
    NOT_SOLVED = "not_solved"
    MY_TICKETS = "my_tickets"
    SMALL_TALK = "small_talk"
    ROUTINE = "routine"
    KNOWLEDGE_BASE = "knowledge_base"
    TROUBLE = "trouble"
    """It could not be decided; the log has the error."""


@dataclass(frozen=True)
class Why:
    """JSON-able. `because` goes on where the branch alone doesn't tell; `refused`: what the workflow said."""

    branch: Branch
    because: str = ""
    route: Route | None = None
    """None where the message's words didn't matter."""
    search: Trace | None = None
    """None where the knowledge base wasn't asked."""
    further: tuple[Trace, ...] = ()
    """Of a message that asks several things, the searches after the first."""
    picked: bool = False
    """The person picked the article when asked back, so its search tells nothing of how sure the desk would be."""
    refused: str | None = None
    asking_from: float | None = None
    """Confidence from which the desk would have asked back."""


@dataclass(frozen=True)
class Decision:
    """What is to come of a message, and why."""

    outcome: Outcome
    why: Why


_adapter = TypeAdapter(Why)


def to_json(why: Why) -> dict[str, Any]:
    data: dict[str, Any] = _adapter.dump_python(why, mode="json")
    return data


def from_json(data: dict[str, Any]) -> Why:
    """Also of a version that kept more; errors: pydantic's, for one that kept less."""
    return _adapter.validate_python(data)
