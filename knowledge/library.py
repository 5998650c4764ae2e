"""The knowledge base as the bot and the command line see it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from knowledge.answers import Answer, Citation, Ranked
from knowledge.articles import Document
from knowledge.settings import KnowledgeSettings
from store import Database

__all__ = ["Added", "Answer", "Citation", "Document", "Library", "Progress", "Ranked"]


@dataclass(frozen=True)
class Added:
    """Article ids by what became of each document."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """After each committed group of articles: totals so far."""

    articles: int
    passages: int
    embedded: int  # of these passages, those that weren't known already


class Library:
    """Safe to share between threads. Opening it costs nothing; the model and the index load when first needed."""

    def __init__(self, database: Database, settings: KnowledgeSettings) -> None:
        self.database = database
        self.settings = settings

    def add(self, documents: Iterable[Document], *, progress: Callable[[Progress], None] | None = None) -> Added:
        """Chunk, embed what is new, commit in small groups. Pass every document of a source, changed or not:
        what is unchanged is recognised here (cheaply) and left alone. Interrupted, it goes on where it was."""
        raise NotImplementedError

    def retire(self, source: str, keep: Collection[str]) -> list[str]:
        """Remove the articles of `source` whose ids aren't in `keep`; their ids."""
        raise NotImplementedError

    def answer(self, question: str, *, groups: frozenset[str] = frozenset(), earlier: Sequence[str] = ()) -> Answer:
        """The best answer that a person in these groups may see. `earlier` are their previous messages, oldest first."""
        raise NotImplementedError

    def rank(
        self, question: str, *, groups: frozenset[str] = frozenset(), earlier: Sequence[str] = (), limit: int = 100
    ) -> list[Ranked]:
        """The articles by fused score, best first; what `answer` sees, for evaluation."""
        raise NotImplementedError

    def full_steps(self, article_id: str, passage_id: int, groups: frozenset[str]) -> str:
        """The whole procedure behind an answer with `more`, as Markdown; the permission is checked again.

        Raises `NotAllowed` when the article is gone or may not be seen."""
        raise NotImplementedError

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, dimension), L2-normalised, in the given order."""
        raise NotImplementedError

    def warm(self) -> None:
        """Load the model and the index, so that the first answer is as quick as the next."""
        raise NotImplementedError

    def refresh(self) -> bool:
        """Apply what other processes committed to SQL since; True when there was something. Call it every second or so."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the index folder."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
