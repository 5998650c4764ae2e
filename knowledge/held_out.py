"""Questions about articles that nothing was learnt from, to judge a model by: a collection made of the articles."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.articles import current_version_of_article
from knowledge.blocks import parser, plain
from knowledge.collection import Collection, CorpusDocument, Query
from knowledge.pairs import Confirmed, is_held_out, number_of, shown
from knowledge.records import Article, ArticleVersion, Passage

MOST_DOCUMENTS = 500  # about four thousand passages, which two cores embed in some minutes
FEWEST_WORDS = 2  # of a heading that is asked by


@dataclass(frozen=True)
class Held:
    """An article with the headings that it could be asked by."""

    row: int
    article_id: str
    title: str
    markdown: str
    headings: frozenset[str]

    @property
    def document(self) -> CorpusDocument:
        return CorpusDocument(str(self.row), self.title, self.markdown)


def held_out(session: Session, generation: str, confirmed: Sequence[Confirmed]) -> Collection:
    """Of each held-out article one heading as the question, which its document then lacks, and the confirmed questions
    that it answered; among other articles, at most `MOST_DOCUMENTS` in all.

    A heading is asked by when it is this article's alone and has at least `FEWEST_WORDS` words: *Before you start*
    stands in many, and none would be the right one.
    """
    articles = articles_of(session, generation)
    asked: dict[int, dict[str, None]] = {}  # in order, each question of an article once
    for question, row, _ in shown(session, confirmed):
        asked.setdefault(row, {})[question] = None
    documents: list[CorpusDocument] = []
    queries: list[Query] = []
    for article in sorted(articles, key=lambda each: (not is_held_out(each.article_id), number_of(each.article_id))):
        if len(documents) == MOST_DOCUMENTS:
            break
        if not is_held_out(article.article_id):
            documents.append(article.document)
            continue
        heading, left = without_a_heading(article)
        questions = [*([heading] if heading else []), *asked.get(article.row, {})]
        queries += [Query(f"{article.row}-{number}", question) for number, question in enumerate(questions)]
        documents.append(left.document)
    qrels = {query.id: {query.id.partition("-")[0]: 1} for query in queries}
    return Collection(tuple(documents), tuple(queries), qrels)


def articles_of(session: Session, generation: str) -> list[Held]:
    """All that are published and in the generation."""
    headings: dict[int, set[str]] = {}
    for article, path in session.execute(
        select(Passage.article, Passage.headings).where(Passage.generation == generation)
    ):
        headings.setdefault(article, set()).update(path[-1:])
    users = Counter(name for names in headings.values() for name in {each.casefold() for each in names})
    rows = session.execute(
        select(Article.id, Article.article_id, ArticleVersion.title, ArticleVersion.markdown)
        .join(ArticleVersion, current_version_of_article())
        .order_by(Article.id)
    )
    return [
        Held(
            row,
            article_id,
            title,
            markdown,
            frozenset(
                each for each in headings[row] if users[each.casefold()] == 1 and len(each.split()) >= FEWEST_WORDS
            ),
        )
        for row, article_id, title, markdown in rows
        if row in headings
    ]


def without_a_heading(article: Held) -> tuple[str | None, Held]:
    """One of its headings, always the same, and the article without that line; None when it has none to ask by."""
    lines = article.markdown.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    tokens = parser().parse("\n".join(lines))
    headings = [
        (token, plain(inside.content))
        for token, inside in pairwise(tokens)
        if token.type == "heading_open" and token.level == 0
    ]
    largest = [words for token, words in headings if token.tag == "h1"]
    titles = set(largest) if len(largest) == 1 else set()  # mostly the title in somewhat other words
    places = {words: token.map for token, words in headings if token.map and words not in titles}
    usable = [each for each in places if each in article.headings]
    if not usable:
        return None, article
    chosen = min(usable, key=lambda each: hashlib.sha256(each.encode()).digest())
    first, end = places[chosen]
    return chosen, replace(article, markdown="\n".join([*lines[:first], *lines[end:]]))
