"""The questions by which answers on the sample knowledge base are judged."""

import json
from pathlib import Path
from typing import Any

import deskmate
from bot.directory.feed import load_feed
from ingest.file import parse

SAMPLE = Path(deskmate.__file__).parent / "sample"
ROOT = SAMPLE / "articles"
ACCESS = {
    article.article_id or path.relative_to(ROOT).with_suffix("").as_posix(): frozenset(article.access)
    for path in ROOT.rglob("*")
    if path.suffix in {".md", ".html"}
    for article in [parse(path.read_bytes(), name=path.name)]
}
QUESTIONS: list[dict[str, Any]] = [
    json.loads(line) for line in (SAMPLE / "questions.jsonl").read_text("utf-8").splitlines()
]


def test_there_are_a_hundred_different_questions() -> None:
    assert len(QUESTIONS) == 100
    assert len({question["id"] for question in QUESTIONS}) == 100
    assert len({question["text"] for question in QUESTIONS}) == 100


def test_each_article_is_asked_for_and_each_expected_article_exists() -> None:
    assert {question["article_id"] for question in QUESTIONS} - {None} == set(ACCESS)


def test_some_questions_have_no_answer() -> None:
    assert sum(question["article_id"] is None for question in QUESTIONS) == 12


def test_a_restricted_article_is_asked_for_by_somebody_who_may_see_it() -> None:
    groups = {person.account: frozenset(person.groups) for person in load_feed(SAMPLE / "people.json")}

    for question in QUESTIONS:
        access = ACCESS.get(question["article_id"], frozenset())
        assert bool(access) == ("as" in question), question["text"]
        assert not access or groups[question["as"]] & access, question["text"]
