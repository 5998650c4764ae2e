"""Slack shows a message before the desk knows its place; a button that is pressed in between works all the same."""

import time

import pytest

from bot.slack import Slack
from sandbox.faults import LostResponse
from sandbox.objects import Message
from tests.bot.conftest import ALICE, BOB, Place

QUESTION = "How do I connect to the VPN from home?"


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place of each message is recorded a second after Slack has it."""
    real = Slack._sent

    def sent(self: Slack, key: str, ts: str) -> None:
        time.sleep(1)
        real(self, key, ts)

    monkeypatch.setattr(Slack, "_sent", sent)


def cards(place: Place) -> list[Message]:
    return [message for message in place.sandbox.workspace.messages("C0TRIAGE", BOB) if message.bot_id]


@pytest.mark.usefixtures("late")
def test_buttons_work_before_the_desk_knows_where_its_message_is(place: Place) -> None:
    place.press(ALICE, place.ask(QUESTION), "answer_human")
    place.press(BOB, place.card(), "triage_claim")

    place.until(lambda: place.tickets()[0]["assignee"] == BOB)
    assert place.whispers(ALICE, place.dm()) == []
    assert place.whispers(BOB, "C0TRIAGE") == []


@pytest.mark.usefixtures("late")
def test_a_reset_goes_on_though_its_card_is_clicked_at_once(place: Place) -> None:
    ts = place.says(ALICE, "I forgot my password")

    def with_button(action: str) -> list[Message]:
        return [message for message in place.replies(place.dm(), ts) if action in str(message.blocks)]

    place.until(lambda: with_button("reset_continue"))
    place.press(ALICE, with_button("reset_continue")[0], "reset_continue")

    place.until(lambda: with_button("reset_open"))


def test_a_button_works_though_the_answer_to_its_post_was_lost(place: Place) -> None:
    place.sandbox.faults.queue("chat.postMessage", LostResponse())
    place.press(ALICE, place.ask(QUESTION), "answer_human")

    place.until(place.tickets)
