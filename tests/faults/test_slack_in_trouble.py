"""Slack refuses, fails, loses an answer, cuts the line, delivers twice: each message has one reply all the same."""

import threading
from itertools import pairwise
from typing import Any

import pytest

from sandbox.faults import LostResponse, RateLimited, Refused, ServerError
from tests.bot.conftest import ALICE, BOB, Place

QUESTION = "How do I connect to the VPN from home?"
HUMAN = "I want to talk to a human"


def calls(place: Place, method: str) -> list[dict[str, Any]]:
    return [call for call in list(place.sandbox._api.calls) if call["method"] == method]


def one_reply(place: Place, ts: str) -> None:
    place.reply(ts)
    place.settled()
    assert len(place.replies(place.dm(), ts)) == 1


def test_nothing_is_posted_before_the_time_that_slack_asked_to_wait(place: Place) -> None:
    place.sandbox.faults.queue("chat.postMessage", RateLimited(retry_after=1), times=2)
    one_reply(place, place.says(ALICE, QUESTION))

    posts = calls(place, "chat.postMessage")
    assert [call["status"] for call in posts] == [429, 429, 200]
    for refused, following in pairwise(posts):
        assert following["at"] - refused["at"] >= 1


def test_the_wait_holds_for_all_posts_of_the_channel(place: Place) -> None:
    place.sandbox.faults.queue("chat.postMessage", RateLimited(retry_after=2))
    first = place.says(ALICE, QUESTION)
    place.until(lambda: calls(place, "chat.postMessage"))
    second = place.says(ALICE, "how do I add a printer?")
    one_reply(place, first)
    one_reply(place, second)

    posts = calls(place, "chat.postMessage")
    assert posts[0]["status"] == 429
    assert all(call["at"] - posts[0]["at"] >= 2 for call in posts[1:])


@pytest.mark.parametrize("method", ["users.info", "reactions.add", "conversations.replies"])
def test_a_call_that_is_limited_waits_and_the_reply_comes(place: Place, method: str) -> None:
    place.sandbox.faults.queue(method, RateLimited(retry_after=1))
    place.sandbox.faults.queue("chat.postMessage", LostResponse())
    one_reply(place, place.says(ALICE, QUESTION))


def test_a_limit_that_slack_tells_in_words_is_waited_for(place: Place) -> None:
    place.sandbox.faults.queue("chat.postMessage", Refused("rate_limited"))
    one_reply(place, place.says(ALICE, QUESTION))


def test_after_errors_of_slack_the_reply_is_there_once(place: Place) -> None:
    place.sandbox.faults.queue("chat.postMessage", ServerError(), times=2)
    place.sandbox.faults.queue("conversations.replies", ServerError(status=503))
    one_reply(place, place.says(ALICE, QUESTION))


def test_a_post_whose_answer_was_lost_is_found_again_instead_of_sent_again(place: Place) -> None:
    place.sandbox.faults.queue("chat.postMessage", LostResponse(), times=1)
    one_reply(place, place.says(ALICE, QUESTION))
    assert len(calls(place, "chat.postMessage")) == 1


def test_of_an_escalation_whose_answers_were_all_lost_there_is_one_reply_and_one_card(place: Place) -> None:
    place.sandbox.faults.queue("chat.postMessage", LostResponse(), times=2)
    one_reply(place, place.says(ALICE, HUMAN))

    assert len([m for m in place.sandbox.workspace.messages("C0TRIAGE", BOB) if m.bot_id]) == 1
    assert len(place.tickets()) == 1


def test_when_every_second_call_goes_wrong_each_message_has_one_reply(place: Place) -> None:
    faults = place.sandbox.faults
    faults.chance("chat.postMessage", LostResponse(), 0.25)
    faults.chance("chat.postMessage", ServerError(), 0.15)
    faults.chance("conversations.replies", ServerError(), 0.2)
    written = [place.says(ALICE, text) for text in (QUESTION, "how do I add a printer?", HUMAN) * 3]

    for ts in written:
        one_reply(place, ts)
    assert len(place.tickets()) == 3
    assert len([m for m in place.sandbox.workspace.messages("C0TRIAGE", BOB) if m.bot_id]) == 3


def test_after_the_line_was_cut_messages_are_answered(place: Place) -> None:
    one_reply(place, place.says(ALICE, QUESTION))
    for _ in range(3):
        assert place.sandbox.faults.cut_sockets() == 1
        one_reply(place, place.says(ALICE, "how do I add a printer?"))


def test_a_message_sent_while_the_line_is_cut_again_and_again_is_answered_once(place: Place) -> None:
    over = threading.Event()

    def cut() -> None:
        while not over.wait(0.1):
            place.sandbox.faults.cut_sockets()

    cutting = threading.Thread(target=cut)
    cutting.start()
    try:
        written = [place.says(ALICE, QUESTION) for _ in range(5)]
        over.wait(1.5)
    finally:
        over.set()
        cutting.join()
    for ts in written:
        one_reply(place, ts)


# The SDK leaves the socket that Slack closed to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_after_slack_asked_to_reconnect_messages_are_answered(place: Place) -> None:
    for _ in range(3):
        place.sandbox.faults.disconnect()
        one_reply(place, place.says(ALICE, QUESTION))


def test_a_message_delivered_three_times_has_one_reply(place: Place) -> None:
    """The channel's mention comes as two events, and each of the two comes twice."""
    place.sandbox.faults.deliver_twice(2)
    one_reply(place, place.says(ALICE, QUESTION))
    ts = place.says(ALICE, f"<@U0DESK> {QUESTION}", channel="C0ITHELP")
    place.reply(ts, channel="C0ITHELP")
    place.settled()

    assert len(place.replies("C0ITHELP", ts)) == 1
