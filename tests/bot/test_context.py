"""What was asked a moment ago in another thread, and a new matter."""

from typing import Any

import pytest

from bot.turn_queries import leans_on_earlier

ALICE = "U0ALICE"


def test_what_was_asked_in_other_threads_is_no_part_of_a_new_matter(place: Any) -> None:
    place.reply(place.says(ALICE, "How do I set up the VPN on Windows?"))
    place.reply(place.says(ALICE, "My laptop screen is cracked and shows stripes"))

    shown = str(place.card().blocks)
    assert "INC0000001 · My laptop screen is cracked and shows stripes" in shown
    assert "Before that" not in shown
    assert "How do I set up the VPN" not in shown


def test_what_goes_on_from_another_thread_brings_it_along(place: Any) -> None:
    place.reply(place.says(ALICE, "How do I set up the VPN on Windows?"))
    place.reply(place.says(ALICE, "And the screen of my laptop is cracked"))

    assert "cracked\\n\\nBefore that:\\nHow do I set up the VPN on Windows?" in str(place.card().blocks)


@pytest.mark.parametrize(
    ("text", "leans"),
    [
        ("and on my phone?", True),
        ("What about the Mac?", True),
        ("it doesn't work", True),
        ("still the same", True),
        ("I want to talk to a human", True),
        ("How do I add a printer?", False),
        ("printer not working", False),
        ("my android shows no mail", False),
        ("italic fonts are missing", False),
    ],
)
def test_only_some_messages_lean_on_what_was_said_before(text: str, leans: bool) -> None:
    assert leans_on_earlier(text) is leans


def test_who_asks_for_a_human_is_helped_with_what_they_asked_before(place: Any) -> None:
    place.reply(place.says(ALICE, "How do I set up the VPN on Windows?"))
    place.reply(place.says(ALICE, "I want to talk to a human"))

    assert "INC0000001 · How do I set up the VPN on Windows?" in str(place.card().blocks)
