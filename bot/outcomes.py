"""What may come of one turn: a closed union, kept with the turn as JSON and rendered by `bot.blocks`."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from knowledge.library import Answer


class HandoffReason(StrEnum):
    """Why a human is needed."""

    NO_KNOWLEDGE = "no_knowledge"
    LOW_CONFIDENCE = "low_confidence"
    EMPLOYEE_ASKED = "employee_asked"
    WORKFLOW_FAILED = "workflow_failed"
    POLICY = "policy"
    NEGATIVE_FEEDBACK = "negative_feedback"


@dataclass(frozen=True)
class Tried:
    """An article that was shown, or found and not trusted."""

    title: str
    url: str | None
    confidence: float


@dataclass(frozen=True)
class Handoff:
    reason: HandoffReason
    summary: str
    """What the employee wrote, in order, one line a message; plain text."""
    tried: tuple[Tried, ...] = ()


@dataclass(frozen=True)
class Part:
    """One question of a message that asks several: its answer, or without one what is `said` instead (plain)."""

    question: str
    answer: Answer | None = None
    said: str = ""
    offered: bool = False
    """A button asks it again by itself."""


@dataclass(frozen=True)
class Answered:
    answer: Answer
    """To a message that asks several things, all that is answered, one after the other."""
    parts: tuple[Part, ...] = ()
    """Its questions in order, at least one with an answer; empty for a message that asks one thing."""
    kind: Literal["answered"] = "answered"


@dataclass(frozen=True)
class Clarified:
    """The desk asks back; `text` is plain."""

    text: str
    options: tuple[str, ...] = ()
    """Ready replies, offered as buttons."""
    articles: tuple[str, ...] = ()
    """Ids of the articles that the first options stand for; whoever picks one is answered from it."""
    kind: Literal["clarified"] = "clarified"

    def article_of(self, reply: str) -> str | None:
        """The article that a reply picks, by a button or by its name."""
        picked = reply.strip()
        # Of two with the same name, the one that fits better.
        return next(
            (article for name, article in zip(self.options, self.articles, strict=False) if name == picked), None
        )


@dataclass(frozen=True)
class Deflected:
    """A workflow finished the job; or, with a `request`, that request is stopped."""

    workflow: str
    text: str
    request: str | None = None
    kind: Literal["deflected"] = "deflected"


@dataclass(frozen=True)
class InProgress:
    """A workflow waits for the employee; `request` is its id once it has started. `given` are values, by field, that
    were understood besides what the message's words tell."""

    workflow: str
    text: str
    request: str | None = None
    given: dict[str, str] = field(default_factory=dict)
    kind: Literal["in_progress"] = "in_progress"


@dataclass(frozen=True)
class Escalated:
    """A human is needed. `ticket` is its number once open; `follow_up` when there was one before this turn, which is
    `reopened` if it was resolved."""

    handoff: Handoff
    ticket: str | None = None
    follow_up: bool = False
    reopened: bool = False
    claimed_by: str | None = None
    kind: Literal["escalated"] = "escalated"

    @property
    def handed_over(self) -> bool:
        """Whether an agent already reads along, so that the desk has nothing to say itself."""
        return self.follow_up and self.claimed_by is not None and not self.reopened


@dataclass(frozen=True)
class Declined:
    """Out of the desk's scope, or refused; `text` is plain and says why."""

    text: str
    offer_ticket: bool = True
    kind: Literal["declined"] = "declined"


Outcome = Answered | Clarified | Deflected | InProgress | Escalated | Declined

TRACES: Any = {"answer": {"trace"}, "parts": {"__all__": {"answer": {"trace"}}}}

_adapter: TypeAdapter[Outcome] = TypeAdapter(Annotated[Outcome, Field(discriminator="kind")])


def to_json(outcome: Outcome) -> dict[str, Any]:
    """Without the answers' traces, which are kept apart."""
    data: dict[str, Any] = _adapter.dump_python(outcome, mode="json", exclude=TRACES)
    return data


def from_json(data: dict[str, Any]) -> Outcome:
    return _adapter.validate_python(data)
