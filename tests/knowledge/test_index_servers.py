"""An index that a server keeps: what is said when it can't be had, and what goes on while it is away."""

import logging
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from knowledge.articles import Document
from knowledge.chroma_places import ChromaServer
from knowledge.errors import IndexUnreachable, UnsupportedIndex
from knowledge.library import Library
from knowledge.opening import index_found
from knowledge.settings import KnowledgeSettings
from store import Base, Database
from tests.conftest import free_port, new_database, running_chroma

MakeArticle = Callable[..., Document]


def on_server(settings: KnowledgeSettings, url: str) -> KnowledgeSettings:
    return settings.model_copy(update={"chroma_url": SecretStr(url)})


@pytest.fixture
def nothing_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every access set counts as large."""
    from knowledge import opening
    from knowledge.tiered_index import TieredIndex

    monkeypatch.setattr(opening, "TieredIndex", lambda large, dimension: TieredIndex(large, dimension, small=0))
    monkeypatch.setattr("knowledge.tiered_index.PAUSE_SECONDS", 0.0)


@pytest.mark.usefixtures("nothing_in_memory")
def test_the_bot_answers_while_the_server_is_away_and_goes_on_when_it_is_back(
    sqlite_database: Database,
    settings: KnowledgeSettings,
    article: MakeArticle,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    folder, port = tmp_path / "server", free_port()
    folder.mkdir()
    with running_chroma(folder, port) as url:
        library = Library(sqlite_database, on_server(settings, url))
        library.add([article("vpn", "Connect to the VPN", "1. Open the client.\n2. Choose Connect.\n")])
        assert library._generation.index.search(library.encode(["connect to the vpn"])[0], [""], 5)
    with library:
        assert "Open the client" in library.answer("connect to the vpn").text
        library.add([article("wifi", "Wifi", "1. Choose the network.\n")])
        assert "Choose the network" in library.answer("wifi network").text
        assert not library.refresh()
        said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len([line for line in said if "Changes of articles reach it later" in line]) == 1
        with running_chroma(folder, port):
            library.refresh()
            found = library._generation.index.search(library.encode(["wifi"])[0], [""], 5)
            assert len({near.passage for near in found}) == 2


def test_a_server_that_does_not_answer_is_named_in_one_line_without_its_secrets(
    sqlite_database: Database, settings: KnowledgeSettings
) -> None:
    port = free_port()
    with (
        Library(sqlite_database, on_server(settings, f"http://ann:hush-hush@127.0.0.1:{port}")) as library,
        pytest.raises(IndexUnreachable) as refused,
    ):
        library.refresh()
    assert str(refused.value) == (
        f"The Chroma server at http://127.0.0.1:{port} doesn't answer: start it, or check DESKMATE_CHROMA_URL."
    )


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://server", "http://", "chroma"])
def test_an_address_that_is_none_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(UnsupportedIndex, match="DESKMATE_CHROMA_URL must look like"):
        ChromaServer(url)


@pytest.mark.usefixtures("nothing_in_memory")
def test_credentials_are_in_no_log(
    chroma_server: str,
    sqlite_database: Database,
    settings: KnowledgeSettings,
    article: MakeArticle,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with_password = on_server(settings, chroma_server.replace("://", "://ann:hush-hush@"))
    with_token = on_server(settings, chroma_server).model_copy(update={"chroma_token": SecretStr("shh-token")})
    for each in (with_password, with_token):
        with Library(sqlite_database, each) as library:
            library.add([article("vpn", "Connect to the VPN", "1. Open the client.\n")])
            assert "Open the client" in library.answer("connect to the vpn").text
            assert "hush-hush" not in repr(each) + index_found(sqlite_database, each)
    assert "HTTP Request" in caplog.text  # else nothing was logged that could have told
    for secret in ("hush-hush", "shh-token", b64encode(b"ann:hush-hush").decode()):
        assert secret not in caplog.text


def test_two_processes_keep_one_server_in_step(
    chroma_server: str, sqlite_database: Database, settings: KnowledgeSettings, article: MakeArticle
) -> None:
    both = on_server(settings, chroma_server)
    with Library(sqlite_database, both) as one, Library(sqlite_database, both) as other:
        for number in range(4):
            (one, other)[number % 2].add([article(f"a{number}", f"Machine {number}", f"1. Start machine {number}.\n")])
            one.refresh()
            other.refresh()
        one.retire("handbook", {"a1", "a2"})
        other.refresh()
        for library in (one, other):
            assert sorted(hit.article_id for hit in library.rank("machine")) == ["a1", "a2"]


def test_pgvector_needs_articles_in_postgresql(sqlite_database: Database, settings: KnowledgeSettings) -> None:
    wanted = settings.model_copy(update={"index": "pgvector"})
    with pytest.raises(UnsupportedIndex, match="DESKMATE_DATABASE_URL must be a PostgreSQL"):
        Library(sqlite_database, wanted).refresh()
    with pytest.raises(UnsupportedIndex, match="DESKMATE_DATABASE_URL must be a PostgreSQL"):
        index_found(sqlite_database, wanted)


@pytest.mark.postgres
def test_a_postgresql_without_pgvector_is_told_what_to_install(
    new_postgres_database: Callable[[], str], settings: KnowledgeSettings
) -> None:
    database = Database.at(new_postgres_database())
    Base.metadata.create_all(database.engine)
    wanted = settings.model_copy(update={"index": "pgvector"})
    for look in (lambda: Library(database, wanted).refresh(), lambda: index_found(database, wanted)):
        with pytest.raises(UnsupportedIndex) as refused:
            look()
        assert "install it on the database server" in str(refused.value)
        assert "\n" not in str(refused.value)
    database.close()


def test_answers_come_from_pgvector_and_survive_a_new_start(
    pgvector_server: str, settings: KnowledgeSettings, article: MakeArticle
) -> None:
    wanted = settings.model_copy(update={"index": "pgvector"})
    with new_database(pgvector_server) as url:
        database = Database.at(url)
        Base.metadata.create_all(database.engine)
        for _ in range(2):
            with Library(database, wanted) as library:
                library.add([article("vpn", "Connect to the VPN", "1. Open the client.\n")])
                assert "Open the client" in library.answer("connect to the vpn").text
        assert index_found(database, wanted).startswith("pgvector 0.")
        database.close()
