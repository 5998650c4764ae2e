"""What a language model may use for an answer: the passages of the best articles, read from SQL at this moment."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from knowledge.answers import Answer, Citation
from knowledge.composing import Piece, pieces_of
from knowledge.retrieval import Hit

MORE_OF_THE_BEST = 3  # passages of the best article, beside those that the extractive answer shows
OF_ANOTHER = 2  # passages of each further article

# What is said to a machine and not to an employee. A passage with it is never shown to the model.
TO_THE_ASSISTANT = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b[^.\n]{0,60}\b(?:instructions?|prompts?|rules|orders|above|previous)\b"
    r"|\b(?:system prompt|prompt injection|as an ai\b|language model|llm\b|chatbot|ai assistant)"
    r"|\byou are (?:now )?(?:an?|the) (?:ai|assistant|bot|helpful)\b"
    r"|\b(?:assistant|model|bot)\s*[:,]\s*(?:please\s+)?(?:you|ignore|tell|say|answer|reply|write|send|do)\b"
    r"|\btell the (?:employee|user|reader|person)\b|\bnew (?:task|instructions?)\b[^.\n]{0,20}:"
    r"|<\s*/?\s*(?:information|system|instructions?|assistant|passage)\b|\[/?INST\]|<\|",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Evidence:
    """A passage that this person may see. `best`: it is of the article that the extractive answer is from."""

    passage: int
    article: int
    position: int
    section: int
    best: bool
    citation: Citation
    text: str


@dataclass(frozen=True)
class Material:
    """All that an answer is written from; `plain` is the answer in the article's own words."""

    question: str
    earlier: tuple[str, ...]
    plain: Answer
    evidence: tuple[Evidence, ...]


def evidence_of(
    session: Session,
    hits: Sequence[Hit],
    cited: Sequence[tuple[Hit, Citation]],
    shown: Sequence[Piece],
    groups: frozenset[str],
    generation: str,
) -> tuple[Evidence, ...]:
    """`cited` are the articles of the answer, best first, and `shown` the pieces of the best one that the extractive
    answer is made of. The permission is asked of SQL again, for each article."""
    found: list[Evidence] = []
    for place, (article, citation) in enumerate(cited):
        if addresses_the_assistant(citation.title):
            continue
        pieces = pieces_of(session, article.article, groups, generation)
        ranked = [hit.passage for hit in hits if hit.article == article.article]
        own = [piece.passage for piece in shown] if place == 0 else []
        wanted = with_whole_procedures(pieces, own + ranked[: OF_ANOTHER if place else MORE_OF_THE_BEST])
        dirty = {piece.section for piece in wanted if addresses_the_assistant("\n".join([*piece.headings, piece.text]))}
        for piece in wanted:
            if piece.section in dirty:
                continue
            heading = " › ".join(piece.headings)
            text = f"{heading}\n{piece.text}" if heading else piece.text
            found.append(
                Evidence(piece.passage, article.article, piece.position, piece.section, place == 0, citation, text)
            )
    return tuple(found)


def with_whole_procedures(pieces: Sequence[Piece], wanted: Sequence[int]) -> list[Piece]:
    """The wanted passages in their order, and after one with steps the rest of its procedure."""
    by_id = {piece.passage: piece for piece in pieces}
    chosen: dict[int, Piece] = {}
    for passage in wanted:
        if (piece := by_id.get(passage)) is None:
            continue
        chosen.setdefault(passage, piece)
        if piece.steps:
            chosen.update({mate.passage: mate for mate in pieces if mate.section == piece.section and mate.steps})
    return list(chosen.values())


def addresses_the_assistant(text: str) -> bool:
    return TO_THE_ASSISTANT.search(text) is not None
