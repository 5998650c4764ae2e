"""What a search did and why it ended as it did, kept for whoever asks later. Only of what the asker may see."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Self

from knowledge.access import EVERYBODY
from knowledge.retrieval import Hit

MOST_CANDIDATES = 20
LONGEST = 1_000  # characters of a text that is kept
DIGITS = 4
BELOW = "the confidence is below the threshold"


@dataclass(frozen=True)
class Candidate:
    """A passage that was considered. Ranks count from 1 among all passages that were considered; a passage that has
    none of the question's words has no rank by words."""

    article_id: str
    title: str
    heading: str | None
    passage_id: int
    cosine: float
    sparse: float
    score: float
    rank_dense: int
    rank_sparse: int | None


@dataclass(frozen=True)
class Stage:
    """One step of the way from question to answer: `said` is a sentence for people, `details` are JSON."""

    name: str
    said: str
    ms: float | None = None
    details: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Versions:
    """With what it was searched: the same question may end otherwise with others."""

    generation: str
    embedder: str
    chunker: str
    catalogue_change: int
    confidence: str


@dataclass(frozen=True)
class Trace:
    """JSON-able by pydantic; all numbers are finite. Kept ones are read again: whatever is added needs a default."""

    question: str
    understood: str
    earlier: tuple[str, ...]
    replaced: tuple[tuple[str, str], ...]  # (as written, as searched); the second is empty for what was left out
    access_sets: tuple[str, ...]  # "everybody", or the hash of a set of groups; never a group's name
    considered: int  # passages
    candidates: tuple[Candidate, ...]  # best first, at most `MOST_CANDIDATES`
    features: dict[str, float]
    confidence: float
    threshold: float
    decision: str  # `answer`, `no answer`, `nothing found`
    because: str
    versions: Versions
    stages: tuple[Stage, ...] = ()

    def then(self, *stages: Stage) -> Self:
        """The same with stages that came after."""
        return replace(self, stages=(*self.stages, *stages))


def traced(
    question: str,
    *,
    understood: str,
    earlier: Sequence[str],
    access_sets: Sequence[str],
    hits: Sequence[Hit],
    features: Mapping[str, float],
    confidence: float,
    threshold: float,
    reservation: str | None,
    versions: Versions,
    timings_ms: Mapping[str, float],
) -> Trace:
    """The trace of one search. `hits` are sorted best first and hold only what the asker may see; `reservation` is
    why a find was not trusted whatever its features say."""
    decision, because = decided(hits, confidence, threshold, reservation)
    return Trace(
        question=question[:LONGEST],
        understood=understood[:LONGEST],
        earlier=tuple(message[:LONGEST] for message in earlier),
        replaced=replacements(question[:LONGEST], understood[:LONGEST]),
        access_sets=tuple("everybody" if key == EVERYBODY else key for key in access_sets),
        considered=len(hits),
        candidates=candidates(hits),
        features={name: finite(value) for name, value in features.items()},
        confidence=finite(confidence),
        threshold=threshold,
        decision=decision,
        because=because,
        versions=versions,
        stages=tuple(Stage(name, SAID.get(name, ""), finite(ms)) for name, ms in timings_ms.items()),
    )


SAID = {
    "retrieve": "searched by meaning and by words, and checked in SQL what this person may see",
    "compose": "judged the best article and put its passage together",
}


def decided(hits: Sequence[Hit], confidence: float, threshold: float, reservation: str | None) -> tuple[str, str]:
    if not hits:
        return "nothing found", "no article that this person may see was found"
    if reservation is not None:
        return "no answer", reservation
    if confidence < threshold:
        return "no answer", BELOW
    return "answer", "the confidence reaches the threshold"


def candidates(hits: Sequence[Hit]) -> tuple[Candidate, ...]:
    dense = ranks(hits, lambda hit: hit.cosine)
    sparse = ranks([hit for hit in hits if hit.sparse > 0], lambda hit: hit.sparse)
    return tuple(
        Candidate(
            article_id=hit.article_id,
            title=hit.title,
            heading=hit.headings[-1] if hit.headings else None,
            passage_id=hit.passage,
            cosine=finite(hit.cosine),
            sparse=finite(hit.sparse),
            score=finite(hit.score),
            rank_dense=dense[hit.passage],
            rank_sparse=sparse.get(hit.passage),
        )
        for hit in hits[:MOST_CANDIDATES]
    )


def ranks(hits: Sequence[Hit], value: Callable[[Hit], float]) -> dict[int, int]:
    """The place of each passage, from 1."""
    return {hit.passage: place for place, hit in enumerate(sorted(hits, key=value, reverse=True), 1)}


def replacements(question: str, understood: str) -> tuple[tuple[str, str], ...]:
    """What was written otherwise than it was searched, word by word."""
    if question == understood:
        return ()
    written, searched = words_of(question), words_of(understood)
    changes = SequenceMatcher(None, written, searched, autojunk=False).get_opcodes()
    return tuple((" ".join(written[a:b]), " ".join(searched[c:d])) for kind, a, b, c, d in changes if kind != "equal")


def words_of(text: str) -> list[str]:
    return [word for word in (part.strip(".,;:!?()") for part in text.split()) if word]


def finite(value: float) -> float:
    """Rounded; 0 for what JSON has no number for."""
    return round(float(value), DIGITS) if math.isfinite(value) else 0.0
