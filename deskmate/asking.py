"""`deskmate ask`: questions through the same code as in Slack, with nothing written."""

import html
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

from bot.blocks.outcomes import render
from bot.conversation import Asked, Knows, decide
from bot.outcomes import Answered, Clarified, Declined, Deflected, Escalated, InProgress, Outcome
from bot.people import Employee, People
from bot.why import Decision
from deskmate.errors import RoofError
from knowledge.json_lines import objects_of
from knowledge.library import Citation

STRANGER = Employee(team="", user="", name="somebody")
"""Sees only what is for everybody."""


@dataclass(frozen=True)
class Question:
    text: str
    account: str | None = None
    id: Any = None


def employee_of(people: People, account: str | None) -> Employee:
    """Errors: `RoofError` for an account that isn't there or is disabled, `DirectoryUnavailable`."""
    if account is None:
        return STRANGER
    found = people.by_account(account)
    if found is None:
        raise RoofError(f"There is no enabled account {account} in the directory.")
    return found


def ask(desk: Knows, question: str, employee: Employee) -> dict[str, Any]:
    """What the employee would get in a direct message, as `deskmate ask --json` prints it."""
    return asked(desk, question, employee)[0]


def asked(desk: Knows, question: str, employee: Employee) -> tuple[dict[str, Any], Decision]:
    """What `ask` gives, and why."""
    started = time.perf_counter()
    decision = decide(desk, Asked(text=question, employee=employee, private=True))
    outcome = decision.outcome
    taken = round(1000 * (time.perf_counter() - started), 2)
    answer = outcome.answer if isinstance(outcome, Answered) else None
    told = {
        "outcome": outcome.kind,
        "text": html.unescape(render(outcome, surface="im").text),
        "confidence": round(confidence(desk, question, decision), 4),
        "citations": [cited(citation) for citation in answer.citations] if answer else [],
        "workflow": workflow_of(outcome),
        "timings_ms": {**(answer.timings_ms if answer else {}), "total": taken},
    }
    return told, decision


def confidence(desk: Knows, question: str, decision: Decision) -> float:
    """How sure the desk is: of the answer it gives or keeps back, otherwise of what the message is."""
    outcome, searched = decision.outcome, decision.why.search
    match outcome:
        case Answered(answer=answer):
            sure = answer.confidence
        case Escalated(handoff=handoff) if handoff.tried:
            sure = handoff.tried[0].confidence
        case InProgress() | Deflected():
            route = desk.router.route(question)
            sure = route.score if route.sure is None else route.sure
        case Clarified() | Escalated() | Declined():
            sure = searched.confidence if searched else 0.0
        case _:
            assert_never(outcome)
    return min(max(float(sure), 0.0), 1.0)


def workflow_of(outcome: Outcome) -> str | None:
    return outcome.workflow if isinstance(outcome, InProgress | Deflected) else None


def cited(citation: Citation) -> dict[str, Any]:
    return {
        "article_id": citation.article_id,
        "title": citation.title,
        "url": citation.url,
        "heading": citation.heading,
        "score": round(citation.score, 4),
        "updated_at": citation.updated_at.isoformat() if citation.updated_at else None,
    }


def questions_in(path: Path) -> list[Question]:
    """The questions of a file in JSON Lines. Errors: `NotReadable` and `RoofError`, which name the line."""
    return [question(entry, where) for where, entry in objects_of(path)]


def question(entry: dict[str, Any], where: str) -> Question:
    text, account = entry.get("text"), entry.get("as")
    if "id" not in entry or not isinstance(text, str):
        raise RoofError(f"{where}: `id` and `text` are needed, and `text` must be a string.")
    if account is not None and not isinstance(account, str):
        raise RoofError(f"{where}: `as` must be a string.")
    return Question(text, account or None, entry["id"])


def answers(desk: Knows, people: People, path: Path) -> Iterator[dict[str, Any]]:
    """A result for each line of a file; all lines are read before the first is answered. Errors: `NotReadable`,
    `RoofError`."""
    known: dict[str | None, Employee] = {None: STRANGER}
    questions = questions_in(path)
    for each in questions:
        if each.account not in known:
            known[each.account] = employee_of(people, each.account)
    for each in questions:
        yield {"id": each.id, **ask(desk, each.text, known[each.account])}
