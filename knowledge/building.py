"""A generation of passages beside the one in use, from the article versions that SQL has.

Interrupted, it goes on where it was: an article is in a generation as soon as its passages are, all in one
transaction. An article that is ingested anew meanwhile drops out of the generation, and is taken up again here.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.adding import COMMITTED_TOGETHER, LOOKED_UP_TOGETHER, Adding
from knowledge.articles import Document, PreparedPassage, fill, has_passages, next_change
from knowledge.chunking import Chunk, chunks_of
from knowledge.embedder import Embedder
from knowledge.generation import name_of
from knowledge.generations import coverage, missing, register
from knowledge.records import Article, ArticleVersion, Passage
from knowledge.sparse import Words
from knowledge.titles import keep
from store import Database

Report = Callable[[int, int], None]  # articles done, of how many


@dataclass(frozen=True)
class Built:
    """What one run did; nothing if the generation was complete before."""

    name: str
    articles: int  # in the generation now
    added: int
    passages: int
    embedded: int


class Building:
    def __init__(
        self, database: Database, embedder: Embedder, spec: str, now: Callable[[], datetime], report: Report | None
    ) -> None:
        """`spec` is by what the embedder is opened: a name, a path, or empty for the bundled one."""
        self._database = database
        self._embedder = embedder
        self._spec = spec
        self._now = now
        self._report = report
        self.name = name_of(embedder)
        self._adding = Adding(database, embedder, Words(), self.name, now, None)
        self._added = 0
        self._passages = 0

    def run(self) -> Built:
        with self._database.transaction() as session:
            register(session, self.name, self._spec)
        while not self._finished():
            with self._database.reading() as session:
                todo = missing(session, self.name)
            self._tell(len(todo))
            for group in self._groups(todo):
                self._commit(group)
                self._tell(len(todo))
        with self._database.reading() as session:
            articles = coverage(session, self.name).articles
        return Built(self.name, articles, self._added, self._passages, self._adding.embedded)

    def _finished(self) -> bool:
        with self._database.transaction() as session:
            complete = coverage(session, self.name).complete
            if complete:
                kept = register(session, self.name, self._spec)
                kept.built_at = kept.built_at or self._now()
            return complete

    def _tell(self, todo: int) -> None:
        if self._report:
            self._report(self._added, max(todo, self._added))

    def _groups(self, todo: Sequence[int]) -> Iterator[list[tuple[int, Document, list[Chunk]]]]:
        group: list[tuple[int, Document, list[Chunk]]] = []
        size = 0
        for start in range(0, len(todo), LOOKED_UP_TOGETHER):
            with self._database.reading() as session:
                documents = documents_of(session, todo[start : start + LOOKED_UP_TOGETHER])
            for version, document in documents:
                chunks = chunks_of(document, self._embedder)
                group.append((version, document, chunks))
                size += sum(len(chunk.windows) for chunk in chunks)
                if size >= COMMITTED_TOGETHER:
                    yield group
                    group, size = [], 0
        if group:
            yield group

    def _commit(self, group: Sequence[tuple[int, Document, list[Chunk]]]) -> None:
        prepared = self._adding.prepared([(document, chunks) for _, document, chunks in group])
        titles = self._adding.titles([document for _, document, _ in group])
        with self._database.transaction() as session:
            change = next_change(session)
            keep(session, self.name, titles)
            for (version, _, _), (_, passages) in zip(group, prepared, strict=True):
                if self._put(session, version, passages, change):
                    self._added += 1
                    self._passages += len(passages)

    def _put(self, session: Session, version_id: int, passages: Sequence[PreparedPassage], change: int) -> bool:
        """False when the version isn't the current one any more, or another process was quicker."""
        version = session.get_one(ArticleVersion, version_id)
        article = session.execute(
            select(Article).where(
                Article.id == version.article,
                Article.current_version == version.number,
                ~has_passages(self.name),
            )
        ).scalar()
        if article is None:
            return False
        article.change = change  # who has this generation open already has to see it
        for position, prepared in enumerate(passages):
            row = Passage(article=article.id)
            fill(row, version, position, prepared, self.name)
            session.add(row)
        session.flush()
        return True


def documents_of(session: Session, versions: Sequence[int]) -> list[tuple[int, Document]]:
    """What was handed over for each of these versions, by its id."""
    rows = session.execute(
        select(ArticleVersion, Article)
        .join(Article, ArticleVersion.article == Article.id)
        .where(ArticleVersion.id.in_(versions))
        .order_by(ArticleVersion.id)
    )
    return [
        (
            version.id,
            Document(
                article_id=article.article_id,
                title=version.title,
                markdown=version.markdown,
                url=version.url,
                access=tuple(version.access),
                owner=version.owner,
                description=version.description,
                source=article.source,
                content_hash=version.content_hash,
                updated_at=version.updated_at,
            ),
        )
        for version, article in rows
    ]
