"""A knowledge base of many restricted articles on each kind of vector index, and who may see what, told without a line
of the product."""

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from knowledge import opening, pgvector_index
from knowledge.articles import Document, PreparedPassage, next_change, put, tombstone
from knowledge.embedder import Embedder
from knowledge.exact_index import ExactIndex
from knowledge.index_folder import IndexFolder
from knowledge.library import Library
from knowledge.records import Article, Passage
from knowledge.settings import KnowledgeSettings
from knowledge.sparse import Words
from knowledge.tiered_index import TieredIndex
from knowledge.vectors import Near, VectorIndex, Vectors
from store import Base, Database
from tests.conftest import new_database

ARTICLES, GROUPS = 5_000, 50
DIMENSION = 32
SMALL = 40  # so that sets are on both sides of the border between memory and the index behind
SOURCE = "shelf"
GENERATION = "played.c1"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
WORDS = Words()


class PlayedEmbedder(Embedder):
    """A text that speaks of `article17` lies near that article."""

    def __init__(self) -> None:
        self.name = "played"
        self.dimension = DIMENSION

    def encode_question(self, text: str) -> Vectors:
        about = [int(word.removeprefix("article")) for word in text.split() if word.startswith("article")]
        return vector_of(about[0] if about else 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self.encode_question(text) for text in texts])


def vector_of(number: int) -> Vectors:
    row = np.random.default_rng(number).standard_normal(DIMENSION)
    unit: Vectors = (row / np.linalg.norm(row)).astype(np.float32)
    return unit


@dataclass
class Articles:
    """What was put in: the groups of each article by its number; none: everybody."""

    database: Database
    access: dict[int, frozenset[str]] = field(default_factory=dict)

    def put(self, articles: dict[int, frozenset[str]]) -> None:
        with self.database.transaction() as session:
            change = next_change(session)
            for number, groups in articles.items():
                put(session, document(number, groups), [passage(number)], generation=GENERATION, change=change, now=NOW)
        self.access |= articles

    def remove(self, gone: Sequence[int]) -> None:
        kept = [f"article{number}" for number in self.access if number not in set(gone)]
        with self.database.transaction() as session:
            tombstone(session, SOURCE, kept, change=next_change(session))
        for number in gone:
            del self.access[number]

    def forbidden(self, seen: int, groups: frozenset[str]) -> bool:
        return seen not in self.access or bool(self.access[seen] and not self.access[seen] & groups)


def document(number: int, groups: frozenset[str]) -> Document:
    return Document(
        article_id=f"article{number}",
        title=f"About article{number}",
        markdown="",
        url=f"https://kb.example.com/article{number}",
        access=tuple(sorted(groups)),
        owner=None,
        description=None,
        source=SOURCE,
        content_hash=str(number),
        updated_at=None,
    )


def passage(number: int) -> PreparedPassage:
    text = f"The secret{number}x of article{number} and of the printer."
    return PreparedPassage(
        text=text,
        kind="text",
        headings=(),
        section=0,
        steps=0,
        text_hash=str(number),
        vectors=vector_of(number).tobytes(),
        terms=WORDS.terms_of(title=f"About article{number}", description=None, headings=(), text=text),
    )


class Watched:
    """An index that keeps what each search of it found."""

    def __init__(self, index: VectorIndex) -> None:
        self._index = index
        self.found: list[Near] = []

    def search(self, *args: Any) -> list[Near]:
        self.found = self._index.search(*args)
        return self.found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)


@dataclass
class Shelf:
    """A library on one kind of index, over its own knowledge base."""

    articles: Articles
    library: Library
    watched: Watched

    def passages(self) -> dict[int, int]:
        """The article of each passage, as SQL has it now."""
        with self.articles.database.reading() as session:
            rows = session.execute(select(Passage.id, Article.article_id).join(Article, Passage.article == Article.id))
            return {passage: int(name.removeprefix("article")) for passage, name in rows}

    def near(self) -> list[int]:
        """The passages that the index found last, before anything was checked."""
        return [near.passage for near in self.watched.found]


def groups_of_articles() -> dict[int, frozenset[str]]:
    """A tenth for everybody, the rest for one group or for two neighbours."""
    chance = random.Random(3)
    result = {}
    for number in range(1, ARTICLES + 1):
        first = chance.randrange(GROUPS)
        size = 0 if number % 10 == 0 else chance.choice([1, 1, 2])
        result[number] = frozenset(f"g{(first + more) % GROUPS}" for more in range(size))
    return result


def filled(url: str) -> None:
    """Put all articles into an empty database: a minute's work, done once for each kind of store."""
    database = Database.at(url)
    Base.metadata.create_all(database.engine)
    Articles(database).put(groups_of_articles())
    database.close()


def opened_shelf(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shelf]:
    """The kind is the fixture's parameter."""
    kind = request.param
    monkeypatch.setattr(pgvector_index, "SCANNED", SMALL)
    watched: list[Watched] = []

    def tiered(behind: VectorIndex, dimension: int) -> Watched:
        watched.append(Watched(TieredIndex(behind, dimension, small=SMALL)))
        return watched[-1]

    monkeypatch.setattr(opening, "TieredIndex", tiered)
    monkeypatch.setattr(opening, "ExactIndex", lambda dimension: tiered(ExactIndex(dimension), dimension))
    monkeypatch.setattr("knowledge.current.name_of", lambda _: GENERATION)
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'base.sqlite'}"
        settings = KnowledgeSettings(home=tmp_path, index="chroma", chroma_url=None, embedder="")
        if kind == "pgvector":
            template = request.getfixturevalue("filled_pgvector")
            url = stack.enter_context(new_database(request.getfixturevalue("pgvector_server"), template))
            settings = settings.model_copy(update={"index": "pgvector"})
        else:
            shutil.copy(request.getfixturevalue("filled_sqlite"), tmp_path / "base.sqlite")
        if kind == "chroma-server":
            server = SecretStr(request.getfixturevalue("chroma_server"))
            settings = settings.model_copy(update={"chroma_url": server})
        elif kind == "exact":
            stack.callback(IndexFolder(settings.index_folder).close)
        database = Database.at(url)
        stack.callback(database.close)
        there = Articles(database, groups_of_articles())
        monkeypatch.setattr("knowledge.current.exported_model", lambda *_: tmp_path)
        monkeypatch.setattr("knowledge.current.Embedder", lambda _: PlayedEmbedder())
        library = stack.enter_context(Library(database, settings))
        library.refresh()
        yield Shelf(there, library, watched[-1])
