"""A model exported once per run, and libraries over small knowledge bases."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from knowledge.articles import Document
from knowledge.embedder import Embedder, exported_model
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings, default_cache
from store import Base, Database

NewLibrary = Callable[[], Library]


@pytest.fixture(scope="session")
def model_folder() -> Path:
    return exported_model("", default_cache())


@pytest.fixture(scope="session")
def embedder(model_folder: Path) -> Embedder:
    return Embedder(model_folder)


@pytest.fixture
def settings(tmp_path: Path) -> KnowledgeSettings:
    return KnowledgeSettings(home=tmp_path / "home", index="chroma", chroma_url=None, embedder="")


@pytest.fixture
def new_library(database: Database, settings: KnowledgeSettings) -> Iterator[NewLibrary]:
    """Libraries over one database and home, as several processes would have them; closed at the end."""
    made: list[Library] = []

    def make() -> Library:
        made.append(Library(database, settings))
        return made[-1]

    yield make
    for library in made:
        library.close()


@pytest.fixture
def library(new_library: NewLibrary) -> Library:
    return new_library()


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    database = Database.at(f"sqlite:///{tmp_path / 'knowledge.sqlite'}")
    Base.metadata.create_all(database.engine)
    yield database
    database.close()


@pytest.fixture
def article() -> Callable[..., Document]:
    def make(
        article_id: str, title: str, markdown: str, *, access: tuple[str, ...] = (), source: str = "handbook"
    ) -> Document:
        return Document(
            article_id=article_id,
            title=title,
            markdown=markdown,
            url=f"https://kb.example.com/{article_id}",
            access=access,
            owner=None,
            description=None,
            source=source,
            content_hash=article_id,
            updated_at=None,
        )

    return make
