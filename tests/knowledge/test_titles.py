"""The vectors of titles: kept with the articles, made when they are missing, gone with their generation."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import func, select

from knowledge.articles import Document
from knowledge.library import Library
from knowledge.records import TitleVector
from knowledge.settings import KnowledgeSettings
from knowledge.titles import Titles, embedded
from store import Base, Database

VPN = Document("vpn", "Connect to the VPN from home", "Open the client.", None, (), None, None, "test", "1", None)


@pytest.fixture
def library(database: Database, tmp_path: Path) -> Iterator[Library]:
    Base.metadata.create_all(database.engine)
    with Library(database, KnowledgeSettings(home=tmp_path)) as opened:
        yield opened


def kept(library: Library) -> int:
    with library.database.reading() as session:
        return session.execute(select(func.count()).select_from(TitleVector)).scalar_one()


def test_a_title_is_embedded_once_however_many_articles_have_it(library: Library) -> None:
    library.add([VPN, replace(VPN, article_id="vpn-2", markdown="Another way.")])
    assert kept(library) == 1
    library.add([replace(VPN, markdown="Open the new client.", content_hash="2")])
    assert kept(library) == 1
    library.add([replace(VPN, title="VPN at home", content_hash="3")])
    assert kept(library) == 2


def test_what_is_kept_is_what_the_model_says(library: Library) -> None:
    library.add([VPN])
    with library._current.held() as pair, library.database.reading() as session:
        found = embedded(session, pair.generation.name, [VPN.title, "never seen"])
    assert list(found) == [VPN.title]
    assert np.allclose(found[VPN.title], library.encode([VPN.title])[0], atol=1e-6)


def test_titles_of_before_there_were_vectors_of_them_are_embedded_when_asked_for(library: Library) -> None:
    library.add([VPN])
    with library.database.transaction() as session:
        session.query(TitleVector).delete()
    with library._current.held() as pair:
        titles = Titles(library.database)
        first = titles.of(pair, [VPN.title])
        assert np.allclose(first[VPN.title], library.encode([VPN.title])[0], atol=1e-6)
        assert titles.of(pair, [VPN.title])[VPN.title] is first[VPN.title], "remembered"
    assert library.answer("How do I connect to the VPN from home?").citations
