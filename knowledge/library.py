"""The knowledge base as the bot and the command line see it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from time import perf_counter
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from knowledge.adding import Added, Adding, Progress
from knowledge.answers import Answer, Citation, Ranked
from knowledge.articles import Document, current_version_of_article, next_change, tombstone
from knowledge.calibration import Calibration, calibration_for
from knowledge.catalogue import Catalogue
from knowledge.citing import Cited, dated
from knowledge.codes import speaks_of_all_codes
from knowledge.composing import FULL, answering, compose, pieces_of
from knowledge.confidence import UNSURE, features
from knowledge.copies import stage_of, without_copies
from knowledge.current import Current, Pair
from knowledge.damage import speaks_of_all_damage
from knowledge.embedder import Embedder
from knowledge.errors import NotAllowed, OtherModel
from knowledge.evidence import Material, evidence_of
from knowledge.generation import Generation, name_of
from knowledge.noise import without_noise
from knowledge.records import Article, ArticleVersion, Passage
from knowledge.reranking import Reranker, texts_of
from knowledge.retrieval import (
    CANDIDATES,
    EARLIER_VECTOR,
    EARLIER_WORDS,
    Hit,
    Question,
    allowed_hits,
    best_per_article,
    passage_to_show,
    sparse_candidates,
)
from knowledge.rewriting import Rewriter, Search
from knowledge.settings import KnowledgeSettings
from knowledge.sparse import Words
from knowledge.trace import Trace, Versions, traced
from knowledge.usual_words import in_usual_words
from store import Database, utc_now

__all__ = ["Added", "Answer", "Citation", "Document", "Library", "Progress", "Ranked"]

Writer = Callable[[Material], Answer]

MOST_CITATIONS = 3
CITED_WITHIN = 0.15  # a further article is cited when its score is at most this below the best


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


@dataclass(frozen=True)
class Judged:
    """A question with what was found: whether the best article answers it, and whether one of those cited does."""

    kind: Literal["asked", "withheld"]  # "withheld": without the articles that answer it
    features: dict[str, float]
    right: bool
    among: bool


class Library:
    """Safe to share between threads. Opening it costs nothing; the model and the index load when first needed."""

    def __init__(
        self,
        database: Database,
        settings: KnowledgeSettings,
        *,
        now: Callable[[], datetime] = utc_now,
        brief: bool = False,
    ) -> None:
        """`brief`: for a question or two. A base that isn't large is then searched exactly, in memory, without
        opening Chroma, and its folder is left to others."""
        self.database = database
        self.settings = settings
        self._now = now
        self._words = Words()
        self._current = Current(database, settings, brief=brief)
        self._encoding = Lock()
        self._encoder: Embedder | None = None
        self._reranker = Reranker(settings.reranker, settings.reranked) if settings.reranker else None
        self._calibrating = Lock()
        self._calibrations: dict[str, Calibration] = {}

    def add(self, documents: Iterable[Document], *, progress: Callable[[Progress], None] | None = None) -> Added:
        """Chunk, embed what is new, commit in small groups. Pass every document of a source, changed or not:
        what is unchanged is recognised here (cheaply) and left alone. Interrupted, it goes on where it was.

        Raises `KnowledgeError` for a document whose `access` is malformed; check it before. Raises `OtherModel` when
        the index in use was cut by an older chunker.
        """
        self._current.follow()
        with self._current.held() as pair:
            name = pair.generation.name
            if name != name_of(pair.embedder):
                raise OtherModel(
                    f"The index in use, {name}, was cut into passages by another version of Deskmate: run `deskmate"
                    f" index build` and `deskmate index switch {name_of(pair.embedder)}`, then this again."
                )
            added = Adding(self.database, pair.embedder, self._words, name, self._now, progress).run(documents)
        self._current.adopt(self._now())
        self.refresh()
        return added

    def retire(self, source: str, keep: Collection[str]) -> list[str]:
        """Remove the articles of `source` whose ids aren't in `keep`; their ids."""
        with self.database.transaction() as session:
            gone = tombstone(session, source, keep, change=next_change(session))
        self.refresh()
        return gone

    def answer(
        self,
        question: str,
        *,
        groups: frozenset[str] = frozenset(),
        earlier: Sequence[str] = (),
        writer: Writer | None = None,
        rewriter: Rewriter | None = None,
        chosen: str | None = None,
    ) -> Answer:
        """The best answer that a person in these groups may see. `earlier`: their previous messages, oldest first.

        `chosen`: the id of the article that they picked when asked back, which is then answered from if it was found
        and they may see it; the pick makes it sure. `writer` may word a confident answer anew, from the passages of
        the articles that it cites; `rewriter` the question, for the search alone.
        """
        asked = rewriter.search_for(question, earlier) if rewriter is not None else None
        with self._current.held() as pair:
            return self._answer(pair, question, groups, earlier, writer, asked, chosen)

    def _answer(
        self,
        pair: Pair,
        question: str,
        groups: frozenset[str],
        earlier: Sequence[str],
        writer: Writer | None,
        asked: Search | None,
        chosen: str | None,
    ) -> Answer:
        stages = [asked.stage] if asked is not None else []
        started = perf_counter()
        found = self._search(
            pair, *((asked.text, groups, asked.earlier) if asked else (question, groups, earlier)), CANDIDATES
        )
        if chosen is not None:
            found = replace(found, hits=tuple(hit for hit in found.hits if hit.article_id == chosen))
        retrieved = perf_counter()
        calibration, target = self.calibration(pair.embedder.name), self.settings.target_error
        bar, asking = calibration.bar(target), calibration.asking_from(target)
        with self.database.reading() as session:
            distinct = without_copies(session, best_per_article(found.hits))
        ranked = [each.hit for each in distinct]
        for best in ranked[:1]:
            reservation, known = None, self._features(found)
            sure = calibration.probability(known)
            if chosen is not None:
                sure = min(max(sure, bar), 1.0)
            with self.database.reading() as session:
                pieces = pieces_of(session, best.article, groups, pair.generation.name)
            article = "\n".join([best.title, *(piece.text for piece in pieces)])
            if not speaks_of_all_damage(article, question):
                sure, reservation = min(sure, UNSURE), "the question names damage that the article doesn't"
            elif chosen is None and not speaks_of_all_codes(article, question):
                sure, reservation = min(sure, UNSURE), "the question names a code that the article doesn't"
            own = [hit for hit in found.hits if hit.article == best.article]
            shown = answering(pieces, passage_to_show(own, found.question))
            composed = compose(shown)
            if not composed.text:
                found = replace(found, hits=())
                break  # it was taken back between the two looks
            source = replace(citation(best), heading=shown[0].headings[-1] if shown[0].headings else None)
            further = [Cited(hit.article, hit.headings, citation(hit)) for hit in cited(ranked)[1:]]
            with self.database.reading() as session:
                made = [Cited(best.article, shown[0].headings, source), *further]
                citations = dated(session, made, groups, self._now())
            if not citations or citations[0].article_id != best.article_id:
                found = replace(found, hits=())
                break
            timings = {
                **found.timings_ms,
                "retrieve": round(1000 * (retrieved - started), 2),
                "compose": round(1000 * (perf_counter() - retrieved), 2),
            }
            answer = Answer(
                text=composed.text,
                confidence=sure,
                confident=sure >= bar or (chosen is not None and reservation is None),
                citations=citations,
                passage_ids=composed.passage_ids,
                more=composed.more,
                timings_ms=timings,
                asking_from=asking,
                trace=self._trace(question, earlier, found, calibration, known, sure, reservation, timings).then(
                    *stages, *stage_of(distinct)
                ),
            )
            if writer is None or not answer.confident:
                return answer
            named = {citation.article_id: citation for citation in answer.citations}
            sources = [(hit, named[hit.article_id]) for hit in cited(ranked) if hit.article_id in named]
            with self.database.reading() as session:
                evidence = evidence_of(session, found.hits, sources, shown, groups, pair.generation.name)
            return writer(Material(question, tuple(earlier), answer, evidence))
        timings = {"retrieve": 1000 * (retrieved - started)}
        trace = self._trace(question, earlier, found, calibration, {}, 0.0, None, timings)
        return Answer(text="", confidence=0.0, confident=False, trace=trace.then(*stages))

    def rank(
        self, question: str, *, groups: frozenset[str] = frozenset(), earlier: Sequence[str] = (), limit: int = 100
    ) -> list[Ranked]:
        """The articles by fused score, best first; what `answer` sees, for evaluation."""
        with self._current.held() as pair:
            found = self._search(pair, question, groups, earlier, max(CANDIDATES, 4 * limit))
        hits = best_per_article(found.hits)
        return [
            Ranked(hit.article_id, hit.title, hit.url, heading_of(hit), hit.score, hit.passage) for hit in hits[:limit]
        ]

    def full_steps(self, article_id: str, passage_id: int, groups: frozenset[str]) -> str:
        """The whole procedure behind an answer with `more`, as Markdown; the permission is checked again.

        Raises `NotAllowed` when the article is gone or may not be seen.
        """
        with self.database.reading() as session:
            found = session.execute(
                select(Article.id, ArticleVersion.url, Passage.generation)
                .join(ArticleVersion, current_version_of_article())
                .join(Passage, Passage.version == ArticleVersion.id)
                .where(Article.article_id == article_id, Passage.id == passage_id)
            ).first()
            pieces = pieces_of(session, found[0], groups, found[2]) if found else []
        if found is None or not pieces:
            raise NotAllowed("That article isn't there any more, or it has changed. Please ask again.")
        return compose(answering(pieces, passage_id), FULL, found[1]).text

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (n, dimension), L2-normalised, in the given order; all by the model that answered when this
        was first called, so that vectors from before and after a switch can be compared."""
        with self._encoding:
            if self._encoder is None:
                self._encoder = self._current.opened().embedder
        if len(texts) == 1:
            return self._encoder.encode_question(texts[0])[None, :].copy()
        return self._encoder.encode(texts)

    def warm(self) -> None:
        """Load the model and the index, so that the first answer is as quick as the next.

        Raises `OtherModel` when everything stored was embedded with another model, `RerankerUnavailable`.
        """
        if self._reranker is not None:
            self._reranker.open()
        self._current.adopt(self._now())
        self.refresh()
        self.answer("warm")

    def refresh(self) -> bool:
        """Apply what was committed to SQL since, and follow a switch to another generation; True when there was
        something. Call it every second or so."""
        return self._current.refresh()

    def close(self) -> None:
        """Let go of the index folder."""
        self._current.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def passages(self) -> int:
        """How many there are to search, for whomever."""
        return sum(len(ids) for ids in self._generation.catalogue.passages.values())

    @property
    def embedder(self) -> str:
        """Its name."""
        return self._current.opened().embedder.name

    def calibration(self, embedder: str) -> Calibration:
        """How likely a find of this embedder is right; read when first needed."""
        with self._calibrating:
            if embedder not in self._calibrations:
                self._calibrations[embedder] = calibration_for(self.settings.home, embedder)
            return self._calibrations[embedder]

    def use(self, calibration: Calibration) -> None:
        """Judge by this one from now on, whatever the home has."""
        embedder = self.embedder
        with self._calibrating:
            self._calibrations[embedder] = calibration

    def judged(self, question: str, answered_by: Collection[str], *, earlier: Sequence[str] = ()) -> list[Judged]:
        """What `answer` would see of a question whose answers are known, to calibrate by: as it is, and, if one of
        them is there, once more as if none of them were."""
        with self._current.held() as pair:
            found = self._search(pair, question, frozenset(), earlier, CANDIDATES)
        left = [hit for hit in found.hits if hit.article_id not in answered_by]
        result = []
        finds: tuple[tuple[Literal["asked", "withheld"], list[Hit]], ...] = (
            ("asked", list(found.hits)),
            ("withheld", left),
        )
        for kind, hits in finds:
            if hits and (kind == "asked" or len(left) < len(found.hits)):
                readings = [hit.article_id for hit in cited(best_per_article(hits))]
                values = self._features(replace(found, hits=tuple(hits)))
                result.append(
                    Judged(kind, values, readings[0] in answered_by, any(each in answered_by for each in readings))
                )
        return result

    @property
    def owns_index(self) -> bool:
        """Whether this process has the index folder; False before the first use."""
        return self._current.owns_index

    @property
    def _generation(self) -> Generation:
        return self._current.opened().generation

    def _question(self, embedder: Embedder, text: str, earlier: Sequence[str]) -> Question:
        vector = embedder.encode_question(text)
        before = "\n".join(earlier)
        if before.strip():
            vector = vector + EARLIER_VECTOR * embedder.encode_question(before)
            vector = vector / np.linalg.norm(vector)
        return Question(vector, self._words.of_question(text, before, EARLIER_WORDS))

    def _search(self, pair: Pair, text: str, groups: frozenset[str], earlier: Sequence[str], limit: int) -> Found:
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
        near = generation.index.search(question.vector, access_sets, limit)
        watch.lap("dense")
        by_words = sparse_candidates(catalogue, access_sets, question, limit)
        watch.lap("sparse")
        candidates = sorted({hit.passage for hit in near} | set(by_words))
        with self.database.reading() as session:
            hits = allowed_hits(
                session,
                candidates,
                question,
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

    def _features(self, found: Found) -> dict[str, float]:
        return features(found.hits, found.question, found.catalogue, self._words, found.access_sets)

    def _trace(
        self,
        question: str,
        earlier: Sequence[str],
        found: Found,
        calibration: Calibration,
        known: dict[str, float],
        sure: float,
        reservation: str | None,
        timings: dict[str, float],
    ) -> Trace:
        return traced(
            question,
            understood=found.understood or question,
            earlier=earlier,
            access_sets=found.access_sets,
            hits=found.hits,
            features=known,
            confidence=sure,
            threshold=calibration.bar(self.settings.target_error),
            reservation=reservation,
            versions=Versions(
                found.pair.generation.name,
                found.pair.embedder.name,
                found.pair.generation.name.rpartition(".c")[2],
                found.catalogue.change,
                calibration.version,
            ),
            timings_ms=timings,
        )


def cited(ranked: Sequence[Hit]) -> list[Hit]:
    """The best article and what comes close to it."""
    return [hit for hit in ranked[:MOST_CITATIONS] if hit.score >= ranked[0].score - CITED_WITHIN]


def citation(hit: Hit) -> Citation:
    """The fused score lies between -1 and 1.5; as a citation's, it is scaled to 0..1."""
    score = min(max(hit.score / 1.5, 0.0), 1.0)
    return Citation(hit.article_id, hit.title, hit.url, heading_of(hit), score)


def heading_of(hit: Hit) -> str | None:
    return hit.headings[-1] if hit.headings else None
