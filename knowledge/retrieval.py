"""From a question to ranked articles.

Score of a passage: cosine (`knowledge/contrast.py`) + 0.6 x BM25 / (sum of the idf of the question's known terms);
of an article: that of its best passage. The weight is flat between 0.5 and 0.8 on labelled questions, and the sum beat
reciprocal rank fusion on each set. Every candidate is read from SQL, and refused there if this person may not see it
now, before anything is computed from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.access import may_see
from knowledge.articles import current_version_of_article
from knowledge.catalogue import IN_ONE_QUERY, Catalogue, rows_of
from knowledge.contrast import Contrast
from knowledge.records import Article, ArticleVersion, Passage
from knowledge.vectors import Vectors

SPARSE_WEIGHT = 0.6
EARLIER_VECTOR, EARLIER_WORDS = 0.5, 0.1  # weights of what was asked before; of the message itself: 1
CANDIDATES = 60  # passages from each of the two searches


@dataclass(frozen=True)
class Question:
    """A question as both searches see it."""

    vector: Vectors
    terms: dict[int, float]


@dataclass(frozen=True)
class Hit:
    """A passage that this person may see, with what is needed to rank and cite it."""

    passage: int
    article: int
    article_id: str
    title: str
    url: str | None
    headings: tuple[str, ...]
    access_set: str
    steps: int
    cosine: float
    sparse: float
    terms: frozenset[int]
    text_terms: bytes = b""  # as stored: title, description, headings, text, in their order
    moved: float | None = None
    """The score that it took over when a cross-encoder changed the order."""

    @property
    def score(self) -> float:
        if self.moved is not None:
            return self.moved
        return self.cosine + SPARSE_WEIGHT * self.sparse


def sparse_candidates(catalogue: Catalogue, access_sets: Sequence[str], question: Question, limit: int) -> list[int]:
    """The best passages by words. What can't be among them any more isn't looked for in the later access sets."""
    found: list[tuple[float, int]] = []
    for key in access_sets:
        if key in catalogue.sparse:
            least = -found[-1][0] if limit and len(found) == limit else 0.0
            more = catalogue.sparse[key].top(question.terms, limit, at_least=least)
            found = sorted([*found, *((-score, passage) for passage, score in more)])[:limit]
    return [passage for _, passage in found]


def allowed_hits(
    session: Session,
    candidates: Sequence[int],
    question: Question,
    *,
    contrast: Contrast,
    groups: frozenset[str],
    generation: str,
    catalogue: Catalogue,
    access_sets: Sequence[str],
) -> list[Hit]:
    """The candidates that are published and that these groups may see at this moment, best first. `access_sets` are
    those that were searched; what has moved to another one has no score by words."""
    hits: list[Hit] = []
    windows: list[Vectors] = []
    for start in range(0, len(candidates), IN_ONE_QUERY):
        rows = session.execute(
            select(
                Passage.id,
                Passage.article,
                Passage.headings,
                Passage.steps,
                Passage.access_set,
                Passage.vectors,
                Passage.terms,
                Article.article_id,
                ArticleVersion.title,
                ArticleVersion.url,
                ArticleVersion.access,
            )
            .join(ArticleVersion, Passage.version == ArticleVersion.id)
            .join(Article, current_version_of_article())
            .where(Passage.id.in_(candidates[start : start + IN_ONE_QUERY]), Passage.generation == generation)
        )
        for passage, article, headings, steps, access_set, vectors, terms, article_id, title, url, access in rows:
            if not may_see(groups, access):
                continue
            hits.append(
                Hit(
                    passage=passage,
                    article=article,
                    article_id=article_id,
                    title=title,
                    url=url,
                    headings=tuple(headings),
                    access_set=access_set,
                    steps=steps,
                    cosine=0.0,
                    sparse=0.0,
                    terms=frozenset(np.frombuffer(terms, dtype="<u4").tolist()),
                    text_terms=terms,
                )
            )
            windows.append(rows_of(vectors, len(question.vector)))
    cosines = best_cosines(windows, question, contrast)
    scores = scores_by_words(hits, question, catalogue, access_sets)
    hits = [
        replace(hit, cosine=cosine, sparse=scores.get(hit.passage, 0.0))
        for hit, cosine in zip(hits, cosines, strict=True)
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage))


def best_cosines(windows: Sequence[Vectors], question: Question, contrast: Contrast) -> list[float]:
    """Of each passage, by its windows, that of the one nearest to the question."""
    if not windows:
        return []
    cosines = contrast.cosines(question.vector, np.concatenate(windows))
    first = np.cumsum([0, *(len(rows) for rows in windows[:-1])])
    return [float(cosine) for cosine in np.maximum.reduceat(cosines, first)]


def scores_by_words(
    hits: Sequence[Hit], question: Question, catalogue: Catalogue, access_sets: Sequence[str]
) -> dict[int, float]:
    """By passage, each asked of the index of its own access set alone."""
    by_set: dict[str, list[int]] = {}
    for hit in hits:
        by_set.setdefault(hit.access_set, []).append(hit.passage)
    return {
        passage: score
        for key, passages in by_set.items()
        if key in access_sets and key in catalogue.sparse
        for passage, score in zip(passages, catalogue.sparse[key].scores_of(question.terms, passages), strict=True)
    }


def best_per_article(hits: Sequence[Hit]) -> list[Hit]:
    """Of hits sorted best first, the first of each article."""
    best: dict[int, Hit] = {}
    for hit in hits:
        best.setdefault(hit.article, hit)
    return list(best.values())
