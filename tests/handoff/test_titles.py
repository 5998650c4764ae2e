"""What a ticket is called."""

from bot.cases import title_of
from bot.outcomes import Handoff, HandoffReason
from bot.records import Turn


def turn(text: str, conversation: int = 1) -> Turn:
    return Turn(text=text, conversation_id=conversation)


def test_a_ticket_is_called_by_the_first_words_of_its_own_thread() -> None:
    turns = [turn("", 2), turn("My screen is cracked", 2), turn("It shows stripes", 2)]

    assert title_of(turns, Handoff(HandoffReason.LOW_CONFIDENCE, "all of it")) == "My screen is cracked"


def test_what_was_asked_before_in_another_thread_names_no_ticket() -> None:
    turns = [turn("How do I set up the VPN?", 1), turn("My screen is cracked", 2)]

    assert title_of(turns, Handoff(HandoffReason.LOW_CONFIDENCE, "both")) == "My screen is cracked"


def test_who_only_asks_for_a_human_means_what_they_asked_before() -> None:
    turns = [turn("How do I set up the VPN?", 1), turn("I want to talk to a human", 2)]

    assert title_of(turns, Handoff(HandoffReason.EMPLOYEE_ASKED, "both")) == "How do I set up the VPN?"


def test_without_words_the_summary_names_it() -> None:
    assert title_of([turn("")], Handoff(HandoffReason.POLICY, "a photograph")) == "a photograph"
    assert title_of([], Handoff(HandoffReason.POLICY, "")) == "A question without words"
