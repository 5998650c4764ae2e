"""What a refresh makes of changes in SQL, against a catalogue loaded afresh."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from knowledge import catalogue
from knowledge.access import key_of
from knowledge.articles import Document, PreparedPassage, next_change, put, tombstone
from knowledge.catalogue import Catalogue, catalogue_after
from knowledge.sparse import Words
from store import Database

MakeArticle = Callable[..., Document]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = Words()
EVERYBODY = key_of(())


def publish(database: Database, *documents: Document, generation: str = "g") -> None:
    """Each paragraph is a passage."""
    with database.transaction() as session:
        change = next_change(session)
        for document in documents:
            passages = [
                PreparedPassage(
                    text=text,
                    kind="text",
                    headings=(),
                    section=0,
                    steps=0,
                    text_hash=text,
                    vectors=b"\0" * 4,
                    terms=WORDS.terms_of(title=document.title, description=None, headings=(), text=text),
                )
                for text in document.markdown.split("\n\n")
            ]
            put(session, document, passages, generation=generation, change=change, now=NOW)


def retire(database: Database, keep: set[str]) -> None:
    with database.transaction() as session:
        tombstone(session, "handbook", keep, change=next_change(session))


def loaded(database: Database, old: Catalogue | None = None) -> Catalogue:
    with database.reading() as session:
        return catalogue_after(session, "g", old or Catalogue())


def seen(found: Catalogue) -> dict[str, Any]:
    """All that somebody could tell a catalogue by."""
    question = dict.fromkeys(WORDS.numbers("printer badge laptop lamp toner vpn"), 1.0)
    return {
        key: (
            found.groups[key],
            index.ids.tolist(),
            index.top(question, 20),
            index.rarity(question),
            sorted(passage for shelf in found.shelves for sets in shelf.values() for passage in sets.get(key, ())),
        )
        for key, index in found.sparse.items()
    }


def test_random_changes_lead_to_what_a_first_load_finds(database: Database, article: MakeArticle) -> None:
    chance = random.Random(3)
    names = ["printer", "badge", "laptop", "lamp", "toner", "vpn"]
    groups = ["hr", "it", "sales"]
    now = loaded(database)
    for _ in range(25):
        if chance.random() < 0.25:
            retire(database, set(chance.sample([f"a{n}" for n in range(12)], 8)))
        else:
            documents = {
                f"a{n}": article(
                    f"a{n}",
                    chance.choice(names),
                    "\n\n".join(" ".join(chance.choices(names, k=3)) for _ in range(chance.randint(1, 4))),
                    access=tuple(chance.sample(groups, chance.randint(0, 2))),
                )
                for n in chance.sample(range(12), 3)
            }
            publish(database, *documents.values())
        before, now = now, loaded(database, now)
        fresh = loaded(database)
        assert seen(now) == seen(fresh)
        assert now.change == fresh.change
        assert list(now.sparse) == list(fresh.sparse)
        for key in before.sparse.keys() | now.sparse.keys():
            ids = set(before.passages.get(key, ())) - set(now.removed.get(key, ())) | set(now.added.get(key, ()))
            assert ids == set(now.passages.get(key, ()))


def test_an_article_that_only_changes_its_readers_moves_with_the_same_passages(
    database: Database, article: MakeArticle
) -> None:
    pay = article("pay", "Payroll", "It runs on Friday.")
    publish(database, pay, article("badge", "Badge", "At the desk."))
    before = loaded(database)
    publish(database, replace(pay, access=("hr",)))
    after = loaded(database, before)
    moved = after.passages[key_of(("hr",))]
    assert set(moved) < set(before.passages[EVERYBODY])
    assert set(after.passages[EVERYBODY]) == set(before.passages[EVERYBODY]) - set(moved)
    assert after.visible_to(frozenset()) == [EVERYBODY]
    assert after.visible_to(frozenset({"hr"})) == [EVERYBODY, key_of(("hr",))]


def test_an_access_set_without_articles_is_gone(database: Database, article: MakeArticle) -> None:
    publish(database, article("pay", "Payroll", "Friday.", access=("hr",)), article("badge", "Badge", "Desk."))
    before = loaded(database)
    retire(database, {"badge"})
    after = loaded(database, before)
    assert (list(after.sparse), list(after.groups)) == ([EVERYBODY], [EVERYBODY])
    assert after.sparse[EVERYBODY] is before.sparse[EVERYBODY]


def test_passages_of_another_generation_are_left_out(database: Database, article: MakeArticle) -> None:
    pay = article("pay", "Payroll", "Friday.")
    publish(database, pay, article("badge", "Badge", "Desk."))
    before = loaded(database)
    publish(database, pay, generation="other")
    after = loaded(database, before)
    assert len(before.sparse[EVERYBODY]) == 2
    assert len(after.sparse[EVERYBODY]) == 1
    assert seen(after) == seen(loaded(database))


def test_a_refresh_reads_the_passages_of_changed_articles_only(database: Database, article: MakeArticle) -> None:
    publish(database, *(article(f"a{n}", f"Printer {n}", "One.\n\nTwo.") for n in range(40)))
    before = loaded(database)
    publish(database, article("a7", "Printer 7", "One.\n\nThree."))
    statements = 0

    def count(*_: Any) -> None:
        nonlocal statements
        statements += 1

    event.listen(database.engine, "before_cursor_execute", count)
    asked: list[int] = []
    real = catalogue.terms_of

    def terms_of(session: Any, ids: Any) -> dict[int, bytes]:
        asked.extend(ids)
        return real(session, ids)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "terms_of", terms_of)
        after = loaded(database, before)
    event.remove(database.engine, "before_cursor_execute", count)
    assert len(asked) == 1
    assert statements <= 5
    assert sum(map(len, after.added.values())) == sum(map(len, after.removed.values())) == 1
    assert loaded(database, after) is after


def test_a_load_in_several_parts_is_the_same(
    database: Database, article: MakeArticle, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(database, *(article(f"a{n}", f"Printer {n}", "Lamp.\n\nToner.") for n in range(20)))
    whole = loaded(database)
    monkeypatch.setattr(catalogue, "INDEXED_TOGETHER", 7)
    assert seen(loaded(database)) == seen(whole)
