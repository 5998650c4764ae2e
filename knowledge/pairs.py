"""What an embedder can learn from: words that somebody may ask by, and a passage that answers them."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.articles import current_version_of_article
from knowledge.catalogue import IN_ONE_QUERY
from knowledge.pictures import without
from knowledge.records import Article, ArticleVersion, Passage

HELD_OUT = 5  # one article in so many
MOST_OF_ONE_ARTICLE = 16  # pairs in one pass, beside confirmed ones: a handbook of 300 sections mustn't drown the rest


@dataclass(frozen=True)
class Confirmed:
    """A question whose answer helped; `passages` are the ids of those that were shown."""

    question: str
    passages: tuple[int, ...]


@dataclass(frozen=True)
class Pair:
    """`article` is the row's id; `passage` is without title and headings."""

    asked: str
    passage: str
    article: int
    confirmed: bool = False

    @property
    def twins(self) -> set[tuple[str, object]]:
        """Two pairs that have one of these in common mustn't meet in a batch: to each, the other's passage would be
        shown as a wrong answer, which it may not be."""
        return {("article", self.article), ("asked", plain(self.asked)), ("passage", plain(self.passage))}


def plain(text: str) -> str:
    """As two texts are compared."""
    return " ".join(text.casefold().split())


def is_held_out(article_id: str) -> bool:
    """About one in `HELD_OUT`, always the same ones."""
    return number_of(article_id) % HELD_OUT == 0


def number_of(text: str) -> int:
    """The same on each machine, and for each text as good as drawn by lot."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def pairs_of(
    session: Session,
    generation: str,
    confirmed: Sequence[Confirmed],
    *,
    hold_out: bool,
    judged_by: Collection[str] = (),
) -> list[Pair]:
    """From the generation's passages of published articles: title and headings with each passage under them, and
    confirmed questions with the passages that were shown.

    `hold_out`: the articles of `is_held_out` give none. Questions in `judged_by` give none either.
    """
    rows = session.execute(
        select(Passage.article, Article.article_id, ArticleVersion.title, Passage.headings, Passage.text)
        .join(ArticleVersion, Passage.version == ArticleVersion.id)
        .join(Article, current_version_of_article())
        .where(Passage.generation == generation)
        .order_by(Passage.article, Passage.position)
    )
    result: list[Pair] = []
    there: dict[tuple[int, str], str] = {}
    for article, article_id, title, headings, text in rows:
        said = without(text).strip()
        if hold_out and is_held_out(article_id):
            continue
        there[article, text] = said
        asked = " ".join([title, *headings])
        if said and plain(said) not in plain(asked):
            result.append(Pair(asked, said, article))
    unwanted = {plain(question) for question in judged_by}
    for question, article, text in shown(session, confirmed):
        if plain(question) not in unwanted and there.get((article, text)):
            result.append(Pair(question, there[article, text], article, confirmed=True))
    return result


def shown(session: Session, confirmed: Sequence[Confirmed]) -> Iterator[tuple[str, int, str]]:
    """Question, article and text of each passage that still exists, in whatever generation: an answer from before a
    switch counts for the same words in the one that answers now."""
    ids = sorted({passage for each in confirmed for passage in each.passages})
    known: dict[int, tuple[int, str]] = {}
    for start in range(0, len(ids), IN_ONE_QUERY):
        rows = session.execute(
            select(Passage.id, Passage.article, Passage.text).where(Passage.id.in_(ids[start : start + IN_ONE_QUERY]))
        )
        known |= {passage: (article, text) for passage, article, text in rows}
    for each in confirmed:
        for passage in each.passages:
            if passage in known:
                yield each.question, *known[passage]


def batches(pairs: Sequence[Pair], size: int, seed: int) -> list[list[Pair]]:
    """One pass over the pairs in an order that the seed decides; no batch has twins, and none is of a single pair."""
    full: list[list[Pair]] = []
    open_ones: list[tuple[list[Pair], set[tuple[str, object]]]] = []
    of_article: Counter[int] = Counter()
    for index in np.random.default_rng(seed).permutation(len(pairs)):
        pair = pairs[index]
        if not pair.confirmed:
            of_article[pair.article] += 1
            if of_article[pair.article] > MOST_OF_ONE_ARTICLE:
                continue
        twins = pair.twins
        batch, known = next((each for each in open_ones if each[1].isdisjoint(twins)), ([], set()))
        if not batch:
            open_ones.append((batch, known))
        batch.append(pair)
        known |= twins
        if len(batch) == size:
            full.append(batch)
            open_ones = [each for each in open_ones if each[0] is not batch]
    return full + [batch for batch, _ in open_ones if len(batch) > 1]
