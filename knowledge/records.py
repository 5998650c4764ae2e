"""Articles, their versions and passages, as SQL keeps them: the truth from which any index is built."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store import Base


class Article(Base):
    """An article of a source. Removed ones stay, without a current version, so that history keeps its name."""

    __tablename__ = "articles"
    __table_args__ = (UniqueConstraint("source", "article_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    article_id: Mapped[str] = mapped_column(index=True)
    current_version: Mapped[int | None]  # the number of the published version; None: not published
    change: Mapped[int] = mapped_column(index=True)  # of `KnowledgeState.change`, when last touched


class ArticleVersion(Base):
    """What an article said from `created_at` on."""

    __tablename__ = "article_versions"
    __table_args__ = (UniqueConstraint("article", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    article: Mapped[int] = mapped_column(ForeignKey("articles.id"))
    number: Mapped[int]
    title: Mapped[str]
    markdown: Mapped[str]
    url: Mapped[str | None]
    owner: Mapped[str | None]
    description: Mapped[str | None]
    access: Mapped[list[Any]]  # names of groups; empty: everybody
    access_set: Mapped[str]  # `access.key_of(access)`
    content_hash: Mapped[str]
    fingerprint: Mapped[str]  # of everything that a source says about it
    generation: Mapped[str]  # model and chunker version of its passages
    updated_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Passage(Base):
    """A piece of the current version. One that a new version leaves as it was keeps its row and id; ids are
    never used twice, so an index entry can't come to mean other text."""

    __tablename__ = "passages"
    __table_args__ = (Index("ix_passages_article_position", "article", "position"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    article: Mapped[int] = mapped_column(ForeignKey("articles.id"))
    version: Mapped[int] = mapped_column(ForeignKey("article_versions.id"), index=True)
    position: Mapped[int]
    section: Mapped[int]  # passages under one heading share it
    headings: Mapped[list[Any]]
    kind: Mapped[str]  # `chunking.Kind`
    steps: Mapped[int]  # how many steps of a procedure it holds
    text: Mapped[str]
    access_set: Mapped[str] = mapped_column(index=True)
    generation: Mapped[str]
    text_hash: Mapped[str] = mapped_column(index=True)  # of all that is embedded
    vectors: Mapped[bytes] = mapped_column(LargeBinary)  # float32, one or more rows of the model's dimension
    terms: Mapped[bytes] = mapped_column(LargeBinary)  # uint32, `sparse.terms_of`


class TitleVector(Base):
    """Of the title of one or more articles, by the model of a generation."""

    __tablename__ = "title_vectors"

    generation: Mapped[str] = mapped_column(primary_key=True)
    title_hash: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)  # float32, one row of the model's dimension


class KnowledgeState(Base):
    """One row. Its update is the first statement of every change, so changes are numbered in the order in which
    they are committed, and who has seen number n has seen all before it."""

    __tablename__ = "knowledge_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    change: Mapped[int]
    active: Mapped[str | None]  # the generation that answers; none: nothing is registered yet
    previous: Mapped[str | None]  # the one before it, kept for the way back


class IndexGeneration(Base):
    """A generation that was begun: all passages of one model and chunker version."""

    __tablename__ = "index_generations"

    name: Mapped[str] = mapped_column(primary_key=True)
    embedder: Mapped[str]  # by name or path, as in DESKMATE_EMBEDDER
    built_at: Mapped[datetime | None]  # when it had all articles for the first time


class TokensOfDay(Base):
    """What the language model has cost on one day (UTC), with what is reserved for answers being written."""

    __tablename__ = "llm_tokens"

    day: Mapped[date] = mapped_column(primary_key=True)
    tokens: Mapped[int] = mapped_column(BigInteger)
