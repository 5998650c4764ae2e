"""The sample knowledge base: every article readable, none restricted by accident."""

import re
from pathlib import Path

import pytest

import deskmate
from bot.directory.feed import load_feed
from ingest.article import Article
from ingest.file import parse

SAMPLE = Path(deskmate.__file__).parent / "sample"
ROOT = SAMPLE / "articles"
FILES = sorted(path for path in ROOT.rglob("*") if path.suffix in {".md", ".html"})
DAMAGE = re.compile(r"\b(crack|shatter|spill|swell|swoll|bulg|liquid|coffee|water damage)", re.IGNORECASE)


def names(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> Article:
    return parse(path.read_bytes(), name=path.name)


def id_of(path: Path) -> str:
    return read(path).article_id or path.relative_to(ROOT).with_suffix("").as_posix()


def test_there_is_enough_to_answer_from() -> None:
    assert len(FILES) >= 40
    assert any(path.suffix == ".html" for path in FILES)


def test_each_article_has_its_own_id_title_and_address() -> None:
    articles = [read(path) for path in FILES]

    assert len({id_of(path) for path in FILES}) == len(FILES)
    assert len({article.title for article in articles}) == len(FILES)
    assert len({article.url for article in articles}) == len(FILES)


@pytest.mark.parametrize("path", FILES, ids=names)
def test_an_article_says_what_it_is_and_whom_to_ask(path: Path) -> None:
    article = read(path)

    if path.suffix == ".md":
        assert re.fullmatch(r"kb-[a-z0-9-]+", article.article_id or "")
    assert article.url == f"https://kb.harbourpine.example/{path.relative_to(ROOT).with_suffix('').as_posix()}"
    assert article.description
    assert article.owner in {person.account for person in load_feed(SAMPLE / "people.json")}
    assert 150 <= len(article.markdown.split()) <= 500


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".md"], ids=names)
def test_numbered_steps_count_up_from_one(path: Path) -> None:
    """A list that skips a number was edited in a hurry; fenced code within a step doesn't end its list."""
    expected = 1
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(("#", "**", "Without", "Outside")):
            expected = 1
        if found := re.match(r"(\d+)\. ", line):
            assert int(found[1]) in {expected, 1}, line
            expected = int(found[1]) + 1


def test_one_procedure_is_too_long_for_one_screen() -> None:
    longest = max(len(re.findall(r"^\d+\. ", read(path).markdown, re.MULTILINE)) for path in FILES)

    assert longest >= 14


def test_only_articles_for_agents_and_managers_are_restricted() -> None:
    restricted = {id_of(path): read(path).access for path in FILES if read(path).access}

    assert restricted == {
        "kb-it-break-glass": ("it",),
        "kb-it-identity-check": ("it",),
        "kb-it-vpn-restart": ("it",),
        "kb-manager-joiner": ("managers",),
        "kb-manager-leaver": ("managers",),
        "kb-salary-access": ("managers",),
    }


@pytest.mark.parametrize("path", FILES, ids=names)
def test_damaged_hardware_is_left_to_a_person(path: Path) -> None:
    """A broken screen must become a ticket, so no article may seem to answer it."""
    assert not DAMAGE.search(path.read_text("utf-8"))
