"""What a source hands over, and how it is put into SQL."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from knowledge.access import key_of
from knowledge.records import Article, ArticleVersion, KnowledgeState, Passage


@dataclass(frozen=True)
class Document:
    """An article as its source has it now.

    `access` names the groups that may see it; empty means everybody. A source that can't tell who may see an
    article must not yield it. `source` is the root it came from (the absolute path of the ingested folder, or the
    source's name): an article is known by `source` and `article_id` together, and only articles of the same
    source can be removed by it. `content_hash` is of the raw file.
    """

    article_id: str
    title: str
    markdown: str
    url: str | None
    access: tuple[str, ...]
    owner: str | None
    description: str | None
    source: str
    content_hash: str
    updated_at: datetime | None

    @property
    def fingerprint(self) -> str:
        """Changes with anything that an employee could see or be refused, and with nothing else."""
        told = [self.title, self.markdown, self.url, sorted(self.access), self.owner, self.description]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@dataclass(frozen=True)
class PreparedPassage:
    """A passage ready to be stored: `vectors` and `terms` as `records.Passage` keeps them."""

    text: str
    kind: str
    headings: tuple[str, ...]
    section: int
    steps: int
    text_hash: str
    vectors: bytes
    terms: bytes


def known(session: Session, source: str, article_ids: Collection[str], *, generation: str) -> dict[str, str]:
    """The fingerprints of those articles of a source that are published and have passages in the generation."""
    rows = session.execute(
        select(Article.article_id, ArticleVersion.fingerprint)
        .join(ArticleVersion, current_version_of_article())
        .where(Article.source == source, Article.article_id.in_(article_ids), has_passages(generation))
    )
    return {row.article_id: row.fingerprint for row in rows}


def has_passages(generation: str) -> ColumnElement[bool]:
    """Whether an article is in a generation. A new version takes its article out of all but the one in use."""
    return (
        select(Passage.id).where(Passage.article == Article.id, Passage.generation == generation).correlate(Article)
    ).exists()


def current_version_of_article() -> ColumnElement[bool]:
    """What joins an article to its published version; a removed article joins nothing."""
    return (ArticleVersion.article == Article.id) & (ArticleVersion.number == Article.current_version)


def next_change(session: Session) -> int:
    """The number of this change. Call it first in a transaction: it makes all who change knowledge wait in line."""
    raise_by_one = update(KnowledgeState).where(KnowledgeState.id == 1).values(change=KnowledgeState.change + 1)
    taken = session.execute(raise_by_one.returning(KnowledgeState.change)).scalar()
    if taken is None:
        try:
            with session.begin_nested():
                session.add(KnowledgeState(id=1, change=0))
        except IntegrityError:  # another process was first
            pass
        taken = session.execute(raise_by_one.returning(KnowledgeState.change)).scalar_one()
    return taken


def last_change(session: Session) -> int:
    return session.execute(select(KnowledgeState.change).where(KnowledgeState.id == 1)).scalar() or 0


def base_of(session: Session) -> str:
    """Which knowledge base this is: a derived index that was left over from another one mustn't be taken for its own.
    Empty while there is no article."""
    first = session.execute(select(ArticleVersion.created_at).order_by(ArticleVersion.id).limit(1)).scalar()
    return hashlib.sha256(first.isoformat().encode()).hexdigest()[:12] if first else ""


def put(
    session: Session,
    document: Document,
    passages: Sequence[PreparedPassage],
    *,
    generation: str,
    change: int,
    now: datetime,
) -> bool:
    """Publish the document as its article's new version; True if the article is new (or was removed before)."""
    article = session.execute(
        select(Article).where(Article.source == document.source, Article.article_id == document.article_id)
    ).scalar()
    if article is None:
        article = Article(source=document.source, article_id=document.article_id, current_version=None, change=change)
        session.add(article)
        session.flush()
    is_new = article.current_version is None
    last = session.execute(select(func.max(ArticleVersion.number)).where(ArticleVersion.article == article.id)).scalar()
    version = ArticleVersion(
        article=article.id,
        number=(last or 0) + 1,
        title=document.title,
        markdown=document.markdown,
        url=document.url,
        owner=document.owner,
        description=document.description,
        access=sorted(set(document.access)),
        access_set=key_of(document.access),
        content_hash=document.content_hash,
        fingerprint=document.fingerprint,
        generation=generation,
        updated_at=document.updated_at,
        created_at=now,
    )
    session.add(version)
    session.flush()
    article.current_version = version.number
    article.change = change
    replace_passages(session, article, version, passages)
    session.flush()
    return is_new


def replace_passages(
    session: Session, article: Article, version: ArticleVersion, passages: Sequence[PreparedPassage]
) -> None:
    """Rows whose embedded text and terms stay the same are kept, so that the index needn't touch them."""
    old = session.execute(select(Passage).where(Passage.article == article.id).order_by(Passage.position)).scalars()
    reusable: dict[tuple[str, str, bytes], list[Passage]] = {}
    for row in old:
        reusable.setdefault((row.generation, row.text_hash, row.terms), []).append(row)
    for position, prepared in enumerate(passages):
        same = reusable.get((version.generation, prepared.text_hash, prepared.terms))
        row = same.pop(0) if same else Passage(article=article.id)
        fill(row, version, position, prepared, version.generation)
        session.add(row)
    for rows in reusable.values():
        for row in rows:
            session.delete(row)


def fill(row: Passage, version: ArticleVersion, position: int, prepared: PreparedPassage, generation: str) -> None:
    row.version = version.id
    row.position = position
    row.section = prepared.section
    row.headings = list(prepared.headings)
    row.kind = prepared.kind
    row.steps = prepared.steps
    row.text = prepared.text
    row.access_set = version.access_set
    row.generation = generation
    row.text_hash = prepared.text_hash
    row.vectors = prepared.vectors
    row.terms = prepared.terms


def tombstone(session: Session, source: str, keep: Collection[str], *, change: int) -> list[str]:
    """Unpublish the articles of `source` that aren't in `keep`; their ids, sorted. Their versions stay on record."""
    published = session.execute(
        select(Article).where(Article.source == source, Article.current_version.is_not(None))
    ).scalars()
    kept = set(keep)
    gone = [article for article in published if article.article_id not in kept]
    for article in gone:
        article.current_version = None
        article.change = change
        session.execute(delete(Passage).where(Passage.article == article.id))
    session.flush()
    return sorted(article.article_id for article in gone)


def vectors_by_hash(session: Session, generation: str, hashes: Sequence[str]) -> Mapping[str, bytes]:
    """What is embedded already, by text hash."""
    rows = session.execute(
        select(Passage.text_hash, Passage.vectors).where(
            Passage.generation == generation, Passage.text_hash.in_(hashes)
        )
    )
    return {row.text_hash: row.vectors for row in rows}
