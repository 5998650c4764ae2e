"""What the knowledge base says to a question."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from knowledge.trace import Trace


@dataclass(frozen=True)
class Citation:
    article_id: str
    title: str
    url: str | None
    heading: str | None
    score: float  # 0..1
    updated_at: datetime | None = None  # when the article says that it was last changed
    old: bool = False  # that was more than two years before the answer
    anchor: str | None = None  # the heading's fragment in `url`, percent-encoded; None when `url` takes none


@dataclass(frozen=True)
class Answer:
    """`text` is standard Markdown in the article's own words, at most about one screen, and is there even when
    not `confident` (it is then the best guess, to be offered as such or kept back). Empty when nothing was found."""

    text: str
    confidence: float  # 0..1: how likely this answers the question
    confident: bool
    citations: tuple[
        Citation, ...
    ] = ()  # best first, one per article, at most three; the first is where `text` is from
    passage_ids: tuple[int, ...] = ()  # the passages shown in `text`; empty when nothing was found
    more: bool = False  # the procedure goes on: `Library.full_steps` shows it all
    timings_ms: dict[str, float] = field(default_factory=dict)
    trace: Trace | None = field(default=None, compare=False, repr=False)  # how it came to that; kept apart
    wording: Literal["article", "model"] = "article"  # "model": in a model's words, with marks [1], [2] of `citations`
    asking_from: float = 0.25  # from which confidence on it is worth asking back
    unwritten: str = ""  # why a model's wording was asked for and not used: `llm.Reason`


@dataclass(frozen=True)
class Ranked:
    """An article as the retriever ranks it; `score` is the fused score of its best passage."""

    article_id: str
    title: str
    url: str | None
    heading: str | None
    score: float
    passage_id: int
