"""`deskmate why`: kept turns with their traces, as JSON and for people."""

from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import outcomes, traces
from bot.message import plain
from bot.outcomes import Answered, Outcome
from bot.records import Conversation, Feedback, Turn, TurnTrace
from deskmate.errors import RoofError
from deskmate.explaining import explained, line, one_line

LATEST = 20
PLACES = {
    "im": "in a direct message",
    "assistant": "in the assistant pane",
    "channel": "in a channel",
    "command": "by /desk",
}


def as_json(session: Session, turn: Turn) -> dict[str, Any]:
    conversation = session.get_one(Conversation, turn.conversation_id)
    trace = session.get(TurnTrace, turn.key)
    feedback = session.scalars(select(Feedback).where(Feedback.turn_key == turn.key).order_by(Feedback.at))
    return {
        "turn": turn.key,
        "user": turn.user,
        "surface": conversation.surface,
        "received_at": turn.received_at.isoformat(),
        "state": turn.state,
        "text": plain(turn.text),
        "outcome": turn.outcome,
        "trace": trace.trace if trace else None,
        "feedback": [{"user": each.user, "helpful": each.helpful, "wrong": each.wrong} for each in feedback],
    }


def as_text(session: Session, turn: Turn, width: int) -> str:
    """Errors: `RoofError` for a trace of another version that can't be read any more."""
    conversation = session.get_one(Conversation, turn.conversation_id)
    place = PLACES.get(conversation.surface, conversation.surface)
    edited = ", edited" if turn.edited_ts else ""
    head = [
        line("Turn", turn.key, width),
        line("Written", f"by {turn.user} {place}, {turn.received_at:%d %b %Y %H:%M} UTC{edited}", width),
        line("Asked", one_line(plain(turn.text)) or "(nothing)", width),
    ]
    for feedback in session.scalars(select(Feedback).where(Feedback.turn_key == turn.key)):
        thought = "helpful" if feedback.helpful else f"not helpful {feedback.wrong or ''}"
        head.append(line("Found", one_line(thought), width))
    if turn.outcome is None:
        return "\n".join([*head, "", undecided(turn)])
    try:
        outcome, reasons = outcomes.from_json(turn.outcome), traces.kept(session, turn.key)
    except ValidationError as error:
        raise RoofError(
            f"The trace of {turn.key} is of another version of Deskmate. With --json it is shown as it is."
        ) from error
    if reasons is None:
        told = f"It was {told_kind(outcome)}. Why isn't known any more: traces are kept for {traces.KEPT.days} days."
        return "\n".join([*head, "", told])
    return "\n".join([*head, "", explained(outcome, reasons, width)])


def undecided(turn: Turn) -> str:
    if turn.state == "done":
        return "Nothing was decided here: the person asked for a human by a command or a button."
    return "Nothing is decided yet: it waits for its turn, or for Slack or the database to come back."


def told_kind(outcome: Outcome) -> str:
    sure = f", sure {outcome.answer.confidence:.2f}" if isinstance(outcome, Answered) else ""
    return outcome.kind.replace("_", " ") + sure


def listed(session: Session) -> list[dict[str, Any]]:
    """The latest turns, the newest first."""
    rows = session.execute(
        select(Turn, TurnTrace.trace)
        .outerjoin(TurnTrace, TurnTrace.turn_key == Turn.key)
        .order_by(Turn.id.desc())
        .limit(LATEST)
    )
    return [
        {
            "turn": turn.key,
            "received_at": turn.received_at.isoformat(),
            "outcome": turn.outcome_kind,
            "confidence": ((trace or {}).get("search") or {}).get("confidence"),
            "text": plain(turn.text),
        }
        for turn, trace in rows
    ]


def list_lines(entries: list[dict[str, Any]], width: int) -> list[str]:
    longest = max((len(entry["turn"]) for entry in entries), default=0)
    lines = []
    for entry in entries:
        sure = "    " if entry["confidence"] is None else f"{entry['confidence']:.2f}"
        outcome = (entry["outcome"] or "undecided").replace("_", " ")
        begin = f"{entry['turn']:<{longest}}  {entry['received_at'][:16].replace('T', ' ')}  {outcome:<11}  {sure}  "
        lines.append(begin + one_line(entry["text"], max(width - len(begin), 20)))
    return lines
