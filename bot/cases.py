"""A case: the ticket that humans work on, with the handoff that led to it, the conversation it came from. SQL only."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.message import plain
from bot.outcomes import Answered, Handoff, HandoffReason, Tried, from_json
from bot.records import Conversation, HandoffRecord, Turn

SUMMARY = 2_000
TITLE_WORDS = 12


def handoff_of(record: HandoffRecord) -> Handoff:
    kept = record.handoff
    return Handoff(
        HandoffReason(kept["reason"]), kept["summary"], tuple(Tried(**article) for article in kept.get("tried", ()))
    )


def keep_handoff(
    session: Session,
    ticket: str,
    *,
    conversation: Conversation | None,
    handoff: Handoff,
    employee: str,
    files: Sequence[str],
    opened_by: str | None,
    now: datetime,
) -> HandoffRecord:
    """`employee` is the name on the card; without a conversation nobody is written to from its thread."""
    record = HandoffRecord(
        ticket=ticket,
        conversation_id=conversation.id if conversation else None,
        reason=handoff.reason.value,
        handoff=asdict(handoff)
        | {"reason": handoff.reason.value, "employee": employee, "files": list(files), "opened_by": opened_by},
        created_at=now,
    )
    session.add(record)
    session.flush()
    return record


def handoff_about(turns: Sequence[Turn], reason: HandoffReason, *, story: str = "") -> Handoff:
    """A handoff from a conversation's turns, oldest first; `story` replaces what the employee wrote."""
    tried: dict[str, Tried] = {}
    for turn in turns:
        outcome = from_json(turn.outcome) if turn.outcome else None
        if isinstance(outcome, Answered):
            for citation in outcome.answer.citations:
                tried[citation.article_id] = Tried(citation.title, citation.url, outcome.answer.confidence)
    return Handoff(reason, (story or story_of(turns))[-SUMMARY:], tuple(tried.values()))


def story_of(turns: Sequence[Turn]) -> str:
    """What the employee wrote, a line a message, plain."""
    return "\n".join(text for turn in turns if (text := plain(turn.text)))


def title_of(turns: Sequence[Turn], handoff: Handoff) -> str:
    """The first words that say something: of the first message that came with text, else of the summary.

    What the employee wrote in other threads before is only their matter if all they write here is that they want a
    human.
    """
    if handoff.reason is not HandoffReason.EMPLOYEE_ASKED:
        turns = [turn for turn in turns if turn.conversation_id == turns[-1].conversation_id]
    text = next((text for turn in turns if (text := plain(turn.text))), handoff.summary)
    words = text.split()
    title = " ".join(words[:TITLE_WORDS]) + ("…" if len(words) > TITLE_WORDS else "")
    return title[:120] or "A question without words"


def file_names(turns: Sequence[Turn]) -> list[str]:
    return [str(file.get("name") or "file") for turn in turns for file in turn.files]


def turns_of(session: Session, conversation: int) -> list[Turn]:
    """All turns of a conversation, oldest first; of an edited message the newest form."""
    turns = session.scalars(select(Turn).where(Turn.conversation_id == conversation).order_by(Turn.ts, Turn.id))
    return list({turn.ts: turn for turn in turns}.values())
