"""The search: a question made a query, candidates by meaning and by words, each checked in SQL before it counts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from knowledge.catalogue import Catalogue
from knowledge.current import Pair
from knowledge.embedder import Embedder
from knowledge.noise import without_noise
from knowledge.reranking import Reranker, texts_of
from knowledge.retrieval import (
    CANDIDATES,
    EARLIER_VECTOR,
    EARLIER_WORDS,
    Hit,
    Question,
    allowed_hits,
    sparse_candidates,
)
from knowledge.sparse import Words
from knowledge.usual_words import in_usual_words
from store import Database


@dataclass(frozen=True)
class Found:
    """What a search found, best first, and in what."""

    hits: tuple[Hit, ...]
    question: Question
    catalogue: Catalogue
    access_sets: tuple[str, ...]
    pair: Pair
    understood: str = ""
    timings_ms: dict[str, float] = field(default_factory=dict)


class Stopwatch:
    """How long each stage of a search took; `check` reads the candidates from SQL, refuses and scores them."""

    def __init__(self) -> None:
        self.laps_ms: dict[str, float] = {}
        self._since = perf_counter()

    def lap(self, stage: str) -> None:
        now = perf_counter()
        self.laps_ms[stage] = round(1000 * (now - self._since), 2)
        self._since = now


class Searcher:
    """Safe to share between threads."""

    def __init__(self, database: Database, words: Words, reranker: Reranker | None) -> None:
        self._database = database
        self._words = words
        self._reranker = reranker

    def search(
        self,
        pair: Pair,
        text: str,
        *,
        groups: frozenset[str],
        earlier: Sequence[str] = (),
        limit: int = CANDIDATES,
    ) -> Found:
        """What this person may see of it; `limit` passages by meaning and as many by words are looked at."""
        generation = pair.generation
        if not text.strip():
            return Found((), Question(np.zeros(0, dtype=np.float32), {}), generation.catalogue, (), pair)
        catalogue = generation.catalogue
        access_sets = catalogue.visible_to(groups)

        def known(words: str) -> bool:
            return all(catalogue.knows(number, access_sets) for number in self._words.numbers(words))

        understood = in_usual_words(without_noise(text), known)
        before = [in_usual_words(without_noise(message), known) for message in earlier]
        watch = Stopwatch()
        question = self._question(pair.embedder, understood, before)
        watch.lap("embed")
        contrast = generation.contrast(catalogue, access_sets)
        near = generation.index.search(contrast.towards(question.vector), access_sets, limit)
        watch.lap("dense")
        by_words = sparse_candidates(catalogue, access_sets, question, limit)
        watch.lap("sparse")
        candidates = sorted({hit.passage for hit in near} | set(by_words))
        with self._database.reading() as session:
            hits = allowed_hits(
                session,
                candidates,
                question,
                contrast=contrast,
                groups=groups,
                generation=generation.name,
                catalogue=catalogue,
                access_sets=access_sets,
            )
            texts = texts_of(session, hits[: self._reranker.passages]) if self._reranker else {}
        watch.lap("check")
        if self._reranker is not None:
            hits = self._reranker.reranked(understood, hits, texts)
            watch.lap("rerank")
        return Found(tuple(hits), question, catalogue, tuple(access_sets), pair, understood, watch.laps_ms)

    def _question(self, embedder: Embedder, text: str, earlier: Sequence[str]) -> Question:
        vector = embedder.encode_question(text)
        before = "\n".join(earlier)
        if before.strip():
            vector = vector + EARLIER_VECTOR * embedder.encode_question(before)
            vector = vector / np.linalg.norm(vector)
        return Question(vector, self._words.of_question(text, before, EARLIER_WORDS))
