"""The knowledge base as the bot and the command line see it."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from knowledge.adding import Added, Adding, Progress
from knowledge.answers import Answer, Citation, Ranked
from knowledge.articles import Document, current_version_of_article, next_change, tombstone
from knowledge.calibration import Calibration
from knowledge.choosing import main_headings, to_show
from knowledge.citing import Cited, dated
from knowledge.composing import FULL, Composed, Piece, answering, compose, pieces_of
from knowledge.copies import stage_of, without_copies
from knowledge.current import Current, Pair
from knowledge.embedder import Embedder
from knowledge.errors import NotAllowed, OtherModel
from knowledge.evidence import Evidence, Material, evidence_of
from knowledge.generation import Generation, name_of
from knowledge.judging import Judge, Verdict
from knowledge.records import Article, ArticleVersion, Passage
from knowledge.reranking import Reranker
from knowledge.retrieval import (
    CANDIDATES,
    Hit,
    best_per_article,
)
from knowledge.rewriting import Rewriter, Search
from knowledge.searching import Found, Searcher, Stopwatch
from knowledge.settings import KnowledgeSettings
from knowledge.sparse import Words
from knowledge.titles import Titles
from knowledge.trace import Trace, Versions, traced
from store import Database, utc_now

__all__ = ["Added", "Answer", "Citation", "Document", "Library", "Progress", "Ranked"]

Writer = Callable[[Material], Answer]

MOST_CITATIONS = 3
CITED_WITHIN = 0.15  # a further article is cited when its score is at most this below the best


@dataclass(frozen=True)
class Quoted:
    """What is shown of the best article, and what is cited beside it."""

    article: str  # its title and whole text
    shown: Sequence[Piece]
    composed: Composed
    citations: tuple[Citation, ...]


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
        self._searcher = Searcher(database, self._words, self._reranker)
        self._judge = Judge(settings, self._words, Titles(database))

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
        watch = Stopwatch()
        found = self._found(pair, question, groups, earlier, asked, chosen)
        watch.lap("retrieve")
        with self.database.reading() as session:
            distinct = without_copies(session, best_per_article(found.hits))
        ranked = [each.hit for each in distinct]
        quoted = self._quoted(found, ranked, groups)
        if quoted is None:
            found = replace(found, hits=())
        verdict = self._judge.verdict(found, question, quoted.article if quoted else None, picked=chosen is not None)
        watch.lap("compose")
        timings = {**found.timings_ms, **watch.laps_ms}
        stages = [*([asked.stage] if asked is not None else []), *(stage_of(distinct) if quoted else [])]
        trace = self._trace(question, earlier, found, verdict, timings).then(*stages)
        if quoted is None:
            return Answer(text="", confidence=0.0, confident=False, timings_ms=timings, trace=trace)
        answer = quoting(quoted, verdict, timings, trace)
        if writer is None or not answer.confident:
            return answer
        evidence = self._evidence(found, ranked, quoted, groups)
        return writer(Material(question, tuple(earlier), answer, evidence))

    def _found(
        self,
        pair: Pair,
        question: str,
        groups: frozenset[str],
        earlier: Sequence[str],
        asked: Search | None,
        chosen: str | None,
    ) -> Found:
        """By the question as it was `asked` anew, if it was; of the article that was chosen, if one was."""
        text, before = (asked.text, asked.earlier) if asked else (question, earlier)
        found = self._searcher.search(pair, text, groups=groups, earlier=before)
        if chosen is None:
            return found
        return replace(found, hits=tuple(hit for hit in found.hits if hit.article_id == chosen))

    def _quoted(self, found: Found, ranked: Sequence[Hit], groups: frozenset[str]) -> Quoted | None:
        """Of the best article; None when nothing was found, or when it was taken back since it was found."""
        if not ranked:
            return None
        best, *others = cited(ranked)
        with self.database.reading() as session:
            pieces = pieces_of(session, best.article, groups, found.pair.generation.name)
            own = [hit for hit in found.hits if hit.article == best.article]
            shown = to_show(pieces, own, found.question, found.understood, found.catalogue, self._words)
            composed = compose(shown)
            if not composed.text:
                return None
            headings = main_headings(shown)
            source = replace(citation(best), heading=headings[-1] if headings else None)
            further = [Cited(hit.article, hit.headings, citation(hit)) for hit in others]
            named = [Cited(best.article, headings, source), *further]
            citations = dated(session, named, groups, self._now())
        if not citations or citations[0].article_id != best.article_id:
            return None
        article = "\n".join([best.title, *(piece.text for piece in pieces)])
        return Quoted(article, shown, composed, citations)

    def _evidence(
        self, found: Found, ranked: Sequence[Hit], quoted: Quoted, groups: frozenset[str]
    ) -> tuple[Evidence, ...]:
        """Of the articles that are cited, for a writer."""
        named = {citation.article_id: citation for citation in quoted.citations}
        sources = [(hit, named[hit.article_id]) for hit in cited(ranked) if hit.article_id in named]
        with self.database.reading() as session:
            return evidence_of(session, found.hits, sources, quoted.shown, groups, found.pair.generation.name)

    def rank(
        self, question: str, *, groups: frozenset[str] = frozenset(), earlier: Sequence[str] = (), limit: int = 100
    ) -> list[Ranked]:
        """The articles by fused score, best first; what `answer` sees, for evaluation."""
        with self._current.held() as pair:
            found = self._searcher.search(
                pair, question, groups=groups, earlier=earlier, limit=max(CANDIDATES, 4 * limit)
            )
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

    def use(self, calibration: Calibration) -> None:
        """Judge by this one from now on, whatever the home has."""
        self._judge.use(calibration, self.embedder)

    def judged(self, question: str, answered_by: Collection[str], *, earlier: Sequence[str] = ()) -> list[Judged]:
        """What `answer` would see of a question whose answers are known, to calibrate by: as it is, and, if one of
        them is there, once more as if none of them were."""
        with self._current.held() as pair:
            found = self._searcher.search(pair, question, groups=frozenset(), earlier=earlier)
        left = [hit for hit in found.hits if hit.article_id not in answered_by]
        result = []
        finds: tuple[tuple[Literal["asked", "withheld"], list[Hit]], ...] = (
            ("asked", list(found.hits)),
            ("withheld", left),
        )
        for kind, hits in finds:
            if hits and (kind == "asked" or len(left) < len(found.hits)):
                readings = [hit.article_id for hit in cited(best_per_article(hits))]
                values = self._judge.features(replace(found, hits=tuple(hits)))
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

    def _trace(
        self, question: str, earlier: Sequence[str], found: Found, verdict: Verdict, timings: dict[str, float]
    ) -> Trace:
        return traced(
            question,
            understood=found.understood or question,
            earlier=earlier,
            access_sets=found.access_sets,
            hits=found.hits,
            features=verdict.features,
            confidence=verdict.confidence,
            threshold=verdict.bar,
            reservation=verdict.reservation,
            versions=Versions(
                found.pair.generation.name,
                found.pair.embedder.name,
                found.pair.generation.name.rpartition(".c")[2],
                found.catalogue.change,
                verdict.calibration,
            ),
            timings_ms=timings,
        )


def quoting(quoted: Quoted, verdict: Verdict, timings: dict[str, float], trace: Trace) -> Answer:
    """The answer in the article's own words."""
    return Answer(
        text=quoted.composed.text,
        confidence=verdict.confidence,
        confident=verdict.confident,
        citations=quoted.citations,
        passage_ids=quoted.composed.passage_ids,
        more=quoted.composed.more,
        timings_ms=timings,
        asking_from=verdict.asking_from,
        trace=trace,
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
