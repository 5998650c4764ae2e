"""What an employee sees of an answer's sources."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.blocks.outcomes import render
from bot.outcomes import Answered, from_json, to_json
from knowledge.answers import Answer, Citation

CITATION = Citation("vpn", "VPN", "https://kb.example/vpn", "On a Mac", 0.9, anchor="mac")
CHANGED = datetime(2024, 3, 5, tzinfo=UTC)


def source(citation: Citation) -> str:
    blocks = render(Answered(Answer("Wait.", 0.9, True, (citation,))), surface="im").blocks
    return next(str(block["elements"][0]["text"]) for block in blocks if block["type"] == "context")


def test_a_source_links_to_the_heading_and_tells_its_age() -> None:
    shown = source(replace(CITATION, updated_at=CHANGED))
    assert shown == "📄 <https://kb.example/vpn#mac|VPN › On a Mac> · updated March 2024"


def test_an_old_source_says_so() -> None:
    assert source(replace(CITATION, updated_at=CHANGED, old=True)).endswith(
        "updated March 2024, more than two years ago"
    )


def test_a_source_without_an_anchor_or_a_date_is_as_plain_as_that() -> None:
    assert source(replace(CITATION, anchor=None)) == "📄 <https://kb.example/vpn|VPN › On a Mac>"
    assert source(replace(CITATION, url=None, anchor=None)) == "📄 VPN › On a Mac"


def test_a_screen_reader_hears_the_same() -> None:
    answer = Answer("Wait.", 0.9, True, (replace(CITATION, updated_at=CHANGED),))
    text = render(Answered(answer), surface="im").text
    assert text == "Wait.\n\nSources: VPN › On a Mac (https://kb.example/vpn#mac), updated March 2024"


def test_a_source_is_kept_with_its_turn_and_older_turns_can_be_read() -> None:
    outcome = Answered(Answer("Wait.", 0.9, True, (replace(CITATION, updated_at=CHANGED, old=True),)))
    kept = to_json(outcome)
    assert from_json(kept) == outcome
    for key in ("updated_at", "old", "anchor"):
        del kept["answer"]["citations"][0][key]
    read = from_json(kept)
    assert isinstance(read, Answered)
    assert read.answer.citations == (replace(CITATION, anchor=None),)
