"""What was asked a moment ago in another thread, and a new matter."""

from typing import Any

ALICE = "U0ALICE"


def test_a_new_matter_comes_first_on_the_card_and_what_was_asked_before_below_it(place: Any) -> None:
    place.reply(place.says(ALICE, "How do I set up the VPN on Windows?"))
    place.reply(place.says(ALICE, "My laptop screen is cracked and shows stripes"))

    shown = str(place.card().blocks)
    assert "INC0000001 · My laptop screen is cracked and shows stripes" in shown
    assert "stripes\\n\\nBefore that:\\nHow do I set up the VPN on Windows?" in shown


def test_who_asks_for_a_human_is_helped_with_what_they_asked_before(place: Any) -> None:
    place.reply(place.says(ALICE, "How do I set up the VPN on Windows?"))
    place.reply(place.says(ALICE, "I want to talk to a human"))

    assert "INC0000001 · How do I set up the VPN on Windows?" in str(place.card().blocks)
