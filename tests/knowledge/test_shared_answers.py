"""Answers from the real knowledge base of the data folder, as Slack gets them."""

import os
import re
from pathlib import Path

import pytest
from slack_sdk.models.blocks import Block as SlackBlock

from bot.blocks import kit
from bot.blocks.outcomes import render
from bot.blocks.parts import parts
from bot.blocks.tables import with_tables_told
from bot.outcomes import Answered
from ingest import file
from knowledge.answers import Answer, Citation
from knowledge.articles import Document
from knowledge.blocks import blocks_of
from knowledge.chunking import chunks_of
from knowledge.cleaning import clean
from knowledge.composing import FULL, Piece, answering, compose
from knowledge.embedder import Embedder
from knowledge.showing import WHOLE_STEP, open_fence, shown
from tests.handoff.block_kit import check_message

DATA = Path(os.environ.get("DESKMATE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
ARTICLES = DATA / "kb" / "articles"
SAMPLE = 400
MARKUP = re.compile(
    r"</?(?:div|span|p|br|img|table|tr|td|ul|ol|li|details|summary|a|b|strong)\b[^<>]*>|\{%|\[!(?:NOTE|TIP|IMPORTANT"
    r"|WARNING|CAUTION|INCLUDE)\b|^:::|!\[|\{#[\w-]+\}\s*$",
    re.IGNORECASE | re.MULTILINE,
)
FENCED = r"^[ \t>]*(?:[-*+\d.)]+[ \t]+)*(`{3,}|~{3,}).*?^[ \t>]*\1[`~]*[ \t]*$"
CODE = re.compile(rf"{FENCED}|`[^`\n]+`", re.MULTILINE | re.DOTALL)
BROKEN_TABLE = re.compile(r"^\|.*```", re.MULTILINE)
"""A table with a block of code in a cell, which Markdown doesn't have: what follows is read as code."""

pytestmark = [
    pytest.mark.shared,
    pytest.mark.slow,
    pytest.mark.skipif(not ARTICLES.exists(), reason="the data folder ../shared isn't there"),
]


def sample() -> list[Path]:
    """Every so manieth article, so that all publishers are in it."""
    paths = sorted(ARTICLES.glob("*/*.md"))
    return paths[:: max(len(paths) // SAMPLE, 1)]


def bare(text: str) -> str:
    """The signs of a text; quotation marks and blanks aside, which a note may lose between its word and its text."""
    return re.sub(r"[\s>]+", "", text)


def test_no_answer_of_five_publishers_tears_a_step_or_shows_their_markup(embedder: Embedder) -> None:
    procedures = 0
    for path in sample():
        read = file.parse(path.read_bytes(), name=path.name)
        if BROKEN_TABLE.search(read.markdown):
            continue
        document = Document("a", read.title, read.markdown, None, (), None, read.description, "kb", "a", None)
        chunks = chunks_of(document, embedder)
        pieces = [Piece(n, n, each.section, each.headings, each.steps, each.text) for n, each in enumerate(chunks)]
        first = next((piece for piece in pieces if piece.steps), pieces[0])
        procedures += first.steps > 0
        chosen = answering(pieces, first.passage)
        steps = [
            bare(shown(block.text))
            for block in blocks_of(clean(read.markdown), read.title)
            if block.steps and block.section in {piece.section for piece in chosen}
        ]
        composed = compose(chosen)
        check_steps(composed.text, steps, path)
        check_text(composed.text, path)
        answer = Answer(composed.text, 0.9, True, (Citation("a", read.title, read.url, None, 0.9),), (), composed.more)
        rendered = render(Answered(answer), surface="im")
        check_message(rendered.text, rendered.blocks)
        for block in SlackBlock.parse_all(rendered.blocks):
            block.validate_json()
        whole = compose(chosen, FULL).text
        check_steps(whole, steps, path)
        for part in parts(with_tables_told(whole), kit.MARKDOWN - 1_000):
            assert len(part) <= kit.MARKDOWN - 1_000, path
            assert not open_fence(part), path
    assert procedures > SAMPLE // 3


def check_steps(text: str, steps: list[str], path: Path) -> None:
    """The steps that are shown are the first ones, whole, in order; a step begins nowhere but at its true number."""
    said = bare(text)
    at = 0
    missing: list[str] = []
    for step in steps:
        found = said.find(step, at)
        if found < 0:
            missing.append(step)
        else:
            assert not missing, f"{path}: {missing[0][:80]} is left out before {step[:80]}"
            at = found + len(step)
    if missing and len(missing[0]) <= WHOLE_STEP // 2:
        assert said.find(missing[0][:40], at) < 0, f"{path}: {missing[0][:80]} is torn"


def check_text(text: str, path: Path) -> None:
    assert not open_fence(text), path
    left = MARKUP.search(CODE.sub("", text))
    assert left is None, f"{path}: {left and left[0]}"
