"""A second model beside the one in use: built, switched to while people ask, gone back from, pruned."""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text

from knowledge.articles import Document
from knowledge.building import Building, Built
from knowledge.current import open_model
from knowledge.errors import IncompleteGeneration, KnowledgeError, OtherModel, UnknownGeneration
from knowledge.generations import coverage, names
from knowledge.library import Library
from knowledge.records import Passage
from knowledge.settings import KnowledgeSettings
from knowledge.switching import prune, switch
from store import Database, utc_now

MakeArticle = Callable[..., Document]
ROOT = Path(__file__).parents[2]
ONE, OTHER = "all-MiniLM-L6-v2.c1", "other.c1"


both_databases = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """SQLite, unless a test is for both."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path / 'deskmate.sqlite'}"
    url: str = request.getfixturevalue("new_postgres_database")()
    return url


@pytest.fixture
def settings(tmp_path: Path, model_folder: Path) -> KnowledgeSettings:
    """Two models: the bundled one, and the same weights read otherwise (first token, half as many tokens)."""
    models = tmp_path / "models"
    (models / "other-1").mkdir(parents=True)
    (models / model_folder.name).symlink_to(model_folder)
    for name in ("model.onnx", "tokenizer.json"):
        (models / "other-1" / name).symlink_to(model_folder / name)
    about = json.loads((model_folder / "model.json").read_text())
    about |= {"name": "other", "pooling": "cls", "max_tokens": 128}
    (models / "other-1" / "model.json").write_text(json.dumps(about))
    return KnowledgeSettings(home=tmp_path / "home", index="chroma", chroma_url=None, embedder="", models=models)


@pytest.fixture
def articles(article: MakeArticle) -> list[Document]:
    things = ["printer", "badge", "phone", "scanner", "door", "laptop"]
    return [
        article(
            f"a{number}",
            f"The {thing} of building {number}",
            "\n\n".join(f"## Part {part}\n\nPart {part} of the {thing} is number {part}." for part in range(3)),
            access=("hr",) if thing == "badge" else (),
        )
        for number, thing in enumerate(things)
    ]


@pytest.fixture
def filled(database: Database, settings: KnowledgeSettings, articles: list[Document]) -> Iterator[Library]:
    with Library(database, settings) as library:
        library.add(articles)
        yield library


def build(
    database: Database,
    settings: KnowledgeSettings,
    spec: str = "other",
    report: Callable[[int, int], None] | None = None,
) -> Built:
    return Building(database, open_model(spec, settings), spec, utc_now, report).run()


def switched(database: Database, settings: KnowledgeSettings, name: str | None) -> str:
    return switch(database, settings, name, now=utc_now)


def counted(database: Database, generation: str) -> int:
    with database.reading() as session:
        return session.execute(select(func.count()).where(Passage.generation == generation)).scalar_one()


def generation_of(library: Library, question: str = "printer") -> str:
    trace = library.answer(question).trace
    assert trace is not None
    return trace.versions.generation


def test_another_generation_is_built_beside_the_one_that_answers(
    filled: Library, database: Database, settings: KnowledgeSettings
) -> None:
    before = filled.rank("part 2 of the scanner")
    seen: list[tuple[int, int]] = []
    built = build(database, settings, report=lambda done, total: seen.append((done, total)))
    assert (built.name, built.articles, built.added) == (OTHER, 6, 6)
    assert built.passages == built.embedded == counted(database, OTHER)
    assert (seen[0], seen[-1]) == ((0, 6), (6, 6))
    filled.refresh()
    assert filled.rank("part 2 of the scanner") == before
    assert generation_of(filled) == ONE


def test_building_what_is_there_does_nothing(filled: Library, database: Database, settings: KnowledgeSettings) -> None:
    build(database, settings)
    assert build(database, settings) == Built(OTHER, 6, 0, 0, 0)
    assert build(database, settings, "") == Built(ONE, 6, 0, 0, 0)


KILLED = """
import os, signal, sys
from pathlib import Path
from knowledge import adding, building
from knowledge.building import Building
from knowledge.current import open_model
from knowledge.settings import KnowledgeSettings
from store import Database, utc_now
adding.COMMITTED_TOGETHER = building.COMMITTED_TOGETHER = 4

def dies(done, total):
    if done >= 3:
        os.kill(os.getpid(), signal.SIGKILL)

settings = KnowledgeSettings(home=Path(sys.argv[2]), models=Path(sys.argv[3]))
Building(Database.at(sys.argv[1]), open_model("other", settings), "other", utc_now, dies).run()
"""


@both_databases
def test_a_build_that_is_killed_goes_on_where_it_was(
    filled: Library, database: Database, settings: KnowledgeSettings
) -> None:
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", KILLED, url, str(settings.home), str(settings.models)]
    assert subprocess.run(command, cwd=ROOT, env=os.environ, check=False).returncode == -signal.SIGKILL
    with database.reading() as session:
        left = coverage(session, OTHER).missing
    there = counted(database, OTHER)
    assert 0 < left < 6
    with pytest.raises(IncompleteGeneration, match=rf"{OTHER} isn't complete: it lacks {left} of 6 articles"):
        switched(database, settings, OTHER)
    built = build(database, settings)
    assert (built.added, built.embedded) == (left, counted(database, OTHER) - there)
    assert switched(database, settings, OTHER) == OTHER


def test_an_article_that_changes_while_a_generation_is_built_is_in_it_as_it_is_now(
    filled: Library, database: Database, settings: KnowledgeSettings, article: MakeArticle, articles: list[Document]
) -> None:
    changed = article("a0", "The printer of building 0", "The printer is purple now.")

    def ingests(done: int, total: int) -> None:
        if done == 6:
            filled.add([changed, *articles[1:]])

    build(database, settings, report=ingests)
    switched(database, settings, OTHER)
    filled.refresh()
    assert generation_of(filled) == OTHER
    assert "purple" in filled.answer("which colour is the printer").text


@both_databases
def test_a_switch_and_the_way_back_take_up_what_was_ingested_meanwhile(
    filled: Library, database: Database, settings: KnowledgeSettings, articles: list[Document], article: MakeArticle
) -> None:
    build(database, settings)
    filled.add([*articles, article("car", "Rent a car", "1. Ask the fleet desk.\n")])
    assert switched(database, settings, OTHER) == OTHER
    assert filled.refresh()
    assert "fleet desk" in filled.answer("rent a car").text
    assert filled.add(articles).unchanged == tuple(f"a{number}" for number in range(6))
    filled.retire("handbook", {"a0", "car"})
    filled.add([article("bike", "Rent a bike", "1. Ask the bike desk.\n")])

    assert switched(database, settings, None) == ONE
    assert filled.refresh()
    assert generation_of(filled) == ONE
    assert "bike desk" in filled.answer("rent a bike").text
    assert {found.article_id for found in filled.rank("rent a printer")} == {"a0", "car", "bike"}
    assert switched(database, settings, None) == OTHER


@both_databases
def test_nobody_is_left_without_an_answer_or_gets_a_mixture_while_it_is_switched(
    filled: Library, database: Database, settings: KnowledgeSettings
) -> None:
    build(database, settings)
    question = "what number is part 2 of the scanner"

    def cosine() -> tuple[str, str, float]:
        answer = filled.answer(question)
        assert answer.text
        assert answer.trace is not None
        return answer.trace.versions.generation, answer.trace.versions.embedder, answer.trace.candidates[0].cosine

    possible = {cosine()}
    switched(database, settings, OTHER)
    filled.refresh()
    possible.add(cosine())
    assert {(name, model) for name, model, _ in possible} == {(ONE, "all-MiniLM-L6-v2"), (OTHER, "other")}

    wrong: list[object] = []
    seen: set[str] = set()
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                found = cosine()
                seen.add(found[0])
                if found not in possible:
                    wrong.append(found)
            except Exception as error:  # noqa: BLE001 (whatever it is, the test reports it)
                wrong.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        switched(database, settings, None)
        assert filled.refresh()
    over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert seen == {ONE, OTHER}


def test_permissions_are_those_of_the_article_in_every_generation(
    filled: Library, database: Database, settings: KnowledgeSettings
) -> None:
    build(database, settings)
    switched(database, settings, OTHER)
    filled.refresh()
    assert "a1" not in {found.article_id for found in filled.rank("badge of building 1")}
    assert filled.rank("badge of building 1", groups=frozenset({"hr"}))[0].article_id == "a1"


def test_the_model_of_the_generation_in_use_answers_whatever_is_configured(
    filled: Library, database: Database, settings: KnowledgeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    configured = settings.model_copy(update={"embedder": "other"})
    with Library(database, configured) as library:
        library.warm()
        assert generation_of(library) == ONE
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert said == [
        f"DESKMATE_EMBEDDER is other, but the index in use is {ONE}. To use that model, run `deskmate index build`"
        " and `deskmate index switch`."
    ]


def test_passages_that_nobody_registered_of_another_model_are_refused_in_one_line(
    filled: Library, database: Database, settings: KnowledgeSettings
) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE knowledge_state SET active = NULL"))
    with (
        Library(database, settings.model_copy(update={"embedder": "other"})) as library,
        pytest.raises(OtherModel, match=rf"embedded with {ONE}, but {OTHER} is configured.*`deskmate index build"),
    ):
        library.warm()


def test_after_an_update_that_cuts_otherwise_the_old_passages_answer_until_new_ones_are_built(
    filled: Library,
    database: Database,
    settings: KnowledgeSettings,
    articles: list[Document],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("knowledge.generation.CHUNKER_VERSION", 99)
    assert generation_of(filled) == ONE
    with pytest.raises(
        OtherModel, match=r"run `deskmate index build` and `deskmate index switch all-MiniLM-L6-v2\.c99"
    ):
        filled.add(articles)
    assert build(database, settings, "").name == "all-MiniLM-L6-v2.c99"
    switched(database, settings, "all-MiniLM-L6-v2.c99")
    assert filled.add(articles).unchanged == tuple(f"a{number}" for number in range(6))
    assert generation_of(filled) == "all-MiniLM-L6-v2.c99"


@both_databases
def test_an_ingestion_that_is_overtaken_by_a_switch_says_so(
    filled: Library, database: Database, settings: KnowledgeSettings, article: MakeArticle
) -> None:
    build(database, settings)

    def documents() -> Iterator[Document]:
        switched(database, settings, OTHER)
        yield article("car", "Rent a car", "Ask.")

    with pytest.raises(KnowledgeError, match=f"switched to {OTHER} meanwhile"):
        filled.add(documents())


@both_databases
def test_pruning_keeps_the_one_in_use_and_the_one_before(
    filled: Library, database: Database, settings: KnowledgeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = filled.rank("part 2 of the scanner")
    build(database, settings)
    monkeypatch.setattr("knowledge.generation.CHUNKER_VERSION", 2)
    build(database, settings)
    passages = counted(database, "other.c2")
    switched(database, settings, "other.c2")
    switched(database, settings, ONE)
    assert prune(database) == {OTHER: passages}
    assert counted(database, OTHER) == 0
    assert counted(database, "other.c2") == passages
    filled.refresh()
    assert filled.rank("part 2 of the scanner") == before
    assert prune(database) == {}
    with pytest.raises(UnknownGeneration, match=rf"There is no generation {OTHER}, only {ONE}, other\.c2\."):
        switched(database, settings, OTHER)


def test_a_switch_is_one_commit(filled: Library, database: Database, settings: KnowledgeSettings) -> None:
    build(database, settings)
    commits: list[str] = []
    event.listen(database.engine, "commit", lambda _: commits.append("commit"))
    switched(database, settings, OTHER)
    assert commits == ["commit"]
    with database.reading() as session:
        assert names(session) == (OTHER, ONE)
