"""A message that asks several things: each is looked up by itself, and the reply has them in order."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from bot.outcomes import Answered, Part
from bot.routing import Intent, Route
from bot.why import Branch, Decision, Why
from knowledge.library import Answer, Citation
from knowledge.splitting import questions_of
from knowledge.trace import Trace

MOST = 3
"""Questions of one message that are answered; of further ones it is said that they aren't."""
TALK = frozenset({Intent.GREETING, Intent.THANKS})
TOLD = "What I know of this is in the article that answers your other question."
UNKNOWN = "I don't know about this one. A person can help."
BY_ITSELF = "I can see to that when you ask for it by itself."
TOO_MANY = "That is more than I can look up at once. Ask for it by itself."


class Answers(Protocol):
    def answer(self, question: str, *, groups: frozenset[str] = frozenset(), earlier: Sequence[str] = ()) -> Answer: ...


class Routes(Protocol):
    def route(self, text: str) -> Route: ...


def each_answered(
    library: Answers, router: Routes, text: str, *, groups: frozenset[str], earlier: Sequence[str]
) -> Decision | None:
    """An answer to each of a message's questions; None when it asks one thing, or when none of its questions can be
    answered with confidence: then it is better judged as a whole.

    Each is searched with the asker's own permissions, and told in the articles' own words: a language model's limits
    of time and tokens are for a turn.
    """
    asked = [(question, router.route(question)) for question in questions_of(text)]
    asked = [(question, route) for question, route in asked if route.intent not in TALK]
    if len(asked) < 2:
        return None
    parts: list[Part] = []
    searches: list[Trace] = []
    for question, route in asked[:MOST]:
        if route.intent is not Intent.OTHER:
            parts.append(Part(question, said=BY_ITSELF, offered=True))
            continue
        answer = library.answer(question, groups=groups, earlier=earlier)
        if answer.trace is not None:
            searches.append(answer.trace)
        parts.append(Part(question, answer))
    parts = told(parts)
    answered = [part.answer for part in parts if part.answer is not None]
    if not answered or sum(part.said != TOLD for part in parts) < 2:
        return None
    whole = together(answered)
    parts += [Part(question, said=TOO_MANY, offered=True) for question, _ in asked[MOST:]]
    because = f"it asks {len(parts)} things, and of {len(answered)} it is sure enough"
    first = searches[0] if searches else None
    why = Why(Branch.KNOWLEDGE_BASE, because, router.route(text), first, further=tuple(searches[1:]))
    return Decision(Answered(whole, tuple(parts)), why)


def told(found: Sequence[Part]) -> list[Part]:
    """The parts as they are told: what isn't sure is said so. What the same passages answer, or what is found best in
    an article that answers another part, is told once; a description may have been taken for two questions."""
    sure = [part.answer for part in found if part.answer is not None and part.answer.confident]
    sources = {answer.citations[0].article_id for answer in sure if answer.citations}
    shown: set[tuple[int, ...]] = set()
    result: list[Part] = []
    for part in found:
        answer = part.answer
        if answer is None:
            result.append(part)
        elif answer.confident and answer.passage_ids not in shown:
            result.append(part)
            shown.add(answer.passage_ids)
        elif answer.citations and answer.citations[0].article_id in sources:
            result.append(Part(part.question, said=TOLD))
        else:
            result.append(Part(part.question, said=UNKNOWN))
    return result


def together(answers: Sequence[Answer]) -> Answer:
    """Several answers as one: as sure as the least sure of them."""
    cited: dict[str, Citation] = {}
    for citation in (citation for answer in answers for citation in answer.citations):
        cited.setdefault(citation.article_id, citation)
    timings: dict[str, float] = {}
    for answer in answers:
        for name, ms in answer.timings_ms.items():
            timings[name] = round(timings.get(name, 0.0) + ms, 2)
    return replace(
        answers[0],
        text="\n\n".join(answer.text for answer in answers),
        confidence=min(answer.confidence for answer in answers),
        citations=tuple(cited.values()),
        passage_ids=tuple(dict.fromkeys(passage for answer in answers for passage in answer.passage_ids)),
        more=any(answer.more for answer in answers),
        timings_ms=timings,
    )
