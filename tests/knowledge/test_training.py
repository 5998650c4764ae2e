"""What an embedding model learns from, what it is judged by, and that it learns."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from knowledge.articles import Document
from knowledge.current import name_or_path, name_to_keep
from knowledge.embedder import Embedder, exported_model, state_of
from knowledge.errors import ModelUnavailable, TooFewPairs
from knowledge.evaluation import difference
from knowledge.held_out import held_out
from knowledge.library import Library
from knowledge.pairs import MOST_OF_ONE_ARTICLE, Confirmed, Pair, batches, is_held_out, pairs_of
from knowledge.records import Passage
from knowledge.settings import KnowledgeSettings
from knowledge.training import BATCH, learn
from store import Database

MakeArticle = Callable[..., Document]
GENERATION = "all-MiniLM-L6-v2.c1"
IDS = [f"article-{number}" for number in range(60)]
LEARNT = [each for each in IDS if not is_held_out(each)]
HELD = [each for each in IDS if is_held_out(each)]

VPN = """Ask for access first.

## On a Windows laptop

1. Open the VPN app.

## Before you start

Have your phone at hand.
"""


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'deskmate.sqlite'}"


def read(
    database: Database, *, hold_out: bool = True, confirmed: tuple[Confirmed, ...] = (), judged_by: tuple[str, ...] = ()
) -> list[Pair]:
    with database.reading() as session:
        return pairs_of(session, GENERATION, confirmed, hold_out=hold_out, judged_by=judged_by)


def test_title_and_headings_are_paired_with_each_passage_under_them(
    library: Library, database: Database, article: MakeArticle
) -> None:
    library.add([article(LEARNT[0], "Connect to the VPN", VPN)])
    assert [(pair.asked, pair.passage) for pair in read(database)] == [
        ("Connect to the VPN", "Ask for access first."),
        ("Connect to the VPN On a Windows laptop", "1. Open the VPN app."),
        ("Connect to the VPN Before you start", "Have your phone at hand."),
    ]


def test_an_article_that_is_only_a_title_teaches_nothing(
    library: Library, database: Database, article: MakeArticle
) -> None:
    library.add([article(LEARNT[0], "Connect to the VPN", "")])
    assert read(database) == []


def test_held_out_and_removed_articles_give_no_pairs(
    library: Library, database: Database, article: MakeArticle
) -> None:
    documents = [article(each, f"Article {each}", "Some words.") for each in (LEARNT[0], LEARNT[1], HELD[0])]
    library.add(documents)
    assert [pair.asked for pair in read(database)] == [f"Article {LEARNT[0]}", f"Article {LEARNT[1]}"]
    assert len(read(database, hold_out=False)) == 3
    library.retire("handbook", keep=[LEARNT[0]])
    assert [pair.asked for pair in read(database, hold_out=False)] == [f"Article {LEARNT[0]}"]


def test_about_a_fifth_is_held_out_and_always_the_same() -> None:
    assert 5 <= len(HELD) <= 20
    assert sum(is_held_out(f"https://kb.example.com/{number}") for number in range(1_000)) in range(150, 250)
    assert [is_held_out(each) for each in ("article-0", "article-1", "article-2")] == [True, False, False]


def test_a_confirmed_question_is_paired_with_the_passage_that_was_shown(
    library: Library, database: Database, article: MakeArticle
) -> None:
    library.add([article(LEARNT[0], "Connect to the VPN", VPN), article(HELD[0], "Add a printer", "Open *Printers*.")])
    shown = library.answer("vpn windows laptop").passage_ids
    confirmed = (
        Confirmed("vpn from my notebook", shown[:1]),
        Confirmed("printer?", library.answer("add a printer").passage_ids[:1]),
        Confirmed("of an answer that is gone", (999_999,)),
    )
    found = [pair for pair in read(database, confirmed=confirmed) if pair.confirmed]
    assert [pair.asked for pair in found] == ["vpn from my notebook"], "the printer's article is held out"
    assert found[0].passage in VPN
    judged = read(database, confirmed=confirmed, judged_by=("VPN  from my notebook",))
    assert not any(pair.confirmed for pair in judged), "a model mustn't know the question that judges it"


def test_an_answer_from_before_a_switch_counts_for_the_same_words_now(
    library: Library, database: Database, article: MakeArticle
) -> None:
    library.add([article(LEARNT[0], "Connect to the VPN", VPN)])
    shown = library.answer("vpn windows laptop").passage_ids[:1]
    with database.transaction() as session:
        for row in session.query(Passage).all():
            values = {key.name: getattr(row, key.name) for key in Passage.__table__.columns if key.name != "id"}
            session.add(Passage(**{**values, "generation": "newer.c1"}))
    with database.reading() as session:
        pairs = pairs_of(session, "newer.c1", [Confirmed("vpn?", shown)], hold_out=True)
    assert [pair.asked for pair in pairs if pair.confirmed] == ["vpn?"]


def test_no_batch_has_twins_and_none_is_of_one_pair() -> None:
    pairs = [Pair(f"title {number % 7}", f"passage {number % 31}", number % 11) for number in range(200)]
    made = batches(pairs, 8, seed=1)
    for batch in made:
        assert 1 < len(batch) <= 8
        for of in ("article", "asked", "passage"):
            values = [getattr(pair, of) for pair in batch]
            assert len(set(values)) == len(values), of
    assert made == batches(pairs, 8, seed=1)
    assert made != batches(pairs, 8, seed=2)


def test_a_huge_article_does_not_drown_the_others_but_confirmed_answers_all_count() -> None:
    huge = [Pair(f"heading {number}", f"passage {number}", 0) for number in range(100)]
    asked = [Pair(f"question {number}", f"passage {number}", 0, confirmed=True) for number in range(20)]
    others = [Pair(f"title {number}", f"text {number}", number) for number in range(1, 200)]
    taken = [pair for batch in batches([*huge, *asked, *others], 4, seed=1) for pair in batch if not pair.article]
    assert sum(not pair.confirmed for pair in taken) == MOST_OF_ONE_ARTICLE
    assert sum(pair.confirmed for pair in taken) == len(asked)


def test_a_held_out_article_is_asked_by_a_heading_of_its_own_which_its_document_lacks(
    library: Library, database: Database, article: MakeArticle
) -> None:
    printer = "# Adding printers\n\nText.\n\n## Printers on your floor\n\nOpen it.\n\n## Before you start\n\nLook.\n"
    library.add(
        [
            article(HELD[0], "Connect to the VPN", VPN),
            article(HELD[1], "Add a printer", printer),
            article(HELD[2], "Without headings", "Some words."),
            article(LEARNT[0], "Another one", "## Something else\n\nText."),
        ]
    )
    with database.reading() as session:
        given = held_out(session, GENERATION, ())
    asked = {query.text: query for query in given.queries}
    assert set(asked) == {"On a Windows laptop", "Printers on your floor"}
    texts = {each.id: each.text for each in given.documents}
    assert len(texts) == 4
    ((right, _),) = given.qrels[asked["On a Windows laptop"].id].items()
    assert texts[right] == VPN.replace("## On a Windows laptop\n", "")


def test_confirmed_questions_about_held_out_articles_judge_too(
    library: Library, database: Database, article: MakeArticle
) -> None:
    library.add([article(HELD[0], "Add a printer", "Open *Printers*."), article(LEARNT[0], "VPN", VPN)])
    shown = library.answer("add a printer").passage_ids
    confirmed = [Confirmed("printing how", shown[:1]), Confirmed("vpn", library.answer("vpn").passage_ids[:1])]
    with database.reading() as session:
        given = held_out(session, GENERATION, confirmed)
    assert [query.text for query in given.queries] == ["printing how"]


def test_a_difference_is_of_the_same_questions() -> None:
    qrels = {f"q{number}": {"right": 1} for number in range(30)}
    first = {each: [("right", 2.0), ("other", 1.0)] for each in qrels}
    second = {each: [("other", 2.0), ("right", 1.0)] for each in qrels}
    better = difference(second, first, qrels, "ndcg@10")
    assert better.mean == pytest.approx(1 - 1 / np.log2(3))
    assert better.low == pytest.approx(better.high), "each question gained the same"
    mixed = difference({**first, "q0": second["q0"]}, first, qrels, "ndcg@10")
    assert mixed.mean > 0
    assert mixed.low == 0.0, "one question of thirty could be chance"
    assert difference(first, first, qrels, "ndcg@10").mean == 0.0


def few_pairs(number: int = 60) -> list[Pair]:
    return [Pair(f"thing {each}", f"Its colour is {each}.", each) for each in range(number)]


def test_too_little_to_learn_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(TooFewPairs, match="49 pairs"):
        learn("", few_pairs(49), tmp_path / "model", minutes=1, report=lambda *_: None)


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelUnavailable) as error:
        learn(str(tmp_path / "empty"), few_pairs(), tmp_path / "model", minutes=1, report=lambda *_: None)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_a_trained_model_gives_other_vectors_and_can_be_exported(tmp_path: Path, embedder: Embedder) -> None:
    told: list[tuple[int, int]] = []
    folder = tmp_path / "trained"
    learnt = learn("", few_pairs(), folder, minutes=5, report=lambda *each: told.append(each), passes=1)
    assert learnt.steps == learnt.planned == len(batches(few_pairs(), BATCH, 7)) == 2
    assert told == [(0, 2), (1, 2), (2, 2)]
    trained = Embedder(exported_model(str(folder), tmp_path / "exports"))
    assert trained.name.startswith("trained-")
    assert (trained.dimension, trained.max_tokens) == (embedder.dimension, embedder.max_tokens)
    texts = ["thing 7", "reset my password"]
    alike = (trained.encode(texts) * embedder.encode(texts)).sum(axis=1)
    assert ((alike > 0.9) & (alike < 0.99999)).all(), alike

    same = learn("", few_pairs(), tmp_path / "same", minutes=5, report=lambda *_: None, passes=1)
    assert same.steps == 2
    assert (tmp_path / "same" / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()

    untrained = learn("", few_pairs(), tmp_path / "none", minutes=0, report=lambda *_: None)
    assert untrained.steps == 0, "no step is begun when the time is over"


def test_answering_does_not_import_torch() -> None:
    code = (
        "import sys, deskmate.cli, deskmate.open_desk, deskmate.training\n"
        "print([name for name in ('torch', 'sentence_transformers', 'transformers') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=True)
    assert ran.stdout.strip() == "[]"


def test_an_export_of_other_weights_at_the_same_path_is_another_one(tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / "weights").write_text("one")
    before = state_of(folder)
    moved = folder.rename(tmp_path / "moved")
    assert state_of(moved) == before
    (moved / "weights").write_text("other")
    assert state_of(moved) != before


def test_a_model_in_the_home_is_kept_relative_to_it_and_found_from_there(tmp_path: Path) -> None:
    settings = KnowledgeSettings(home=tmp_path / "home", embedder="")
    inside, outside = tmp_path / "home" / "models" / "trained-1", tmp_path / "elsewhere"
    inside.mkdir(parents=True)
    outside.mkdir()
    assert name_to_keep(str(inside), settings) == "models/trained-1"
    assert name_or_path("models/trained-1", settings) == str(inside)
    assert name_to_keep(str(outside), settings) == str(outside)
    assert name_to_keep("", settings) == name_or_path("", settings) == ""
    assert name_to_keep("intfloat/e5-small", settings) == "intfloat/e5-small"
    with pytest.raises(ModelUnavailable, match="models/trained-2 isn't in"):
        name_or_path("models/trained-2", settings)
