"""What an employee may do with a reply, on both databases."""

import json

import pytest

from bot.outcomes import Clarified, to_json
from bot.records import Feedback, Post, Turn
from tests.handoff.office import ALICE, EVE, Office
from tickets.states import State


def answered(office: Office, text: str = "How do I get to the VPN?") -> Post:
    office.says(ALICE, text)
    return office.post("reply")


def asked_back(office: Office) -> Post:
    reply = answered(office)
    with office.database.transaction() as session:
        turn = session.query(Turn).filter_by(key=reply.ref).one()
        turn.outcome = to_json(Clarified("Which one?", ("The <red> human badge", "The blue one")))
    return reply


def opinions(office: Office) -> list[tuple[str, bool, str | None]]:
    with office.database.reading() as session:
        return [(kept.user, kept.helpful, kept.wrong) for kept in session.query(Feedback)]


def test_the_buttons_of_an_answer_are_for_the_person_who_asked(office: Office) -> None:
    reply = answered(office)
    posts = len(office.client.made("chat.postMessage"))

    for action in ("answer_more", "answer_human", "answer_ticket", "answer_feedback", "clarify_option_0"):
        for value in (None, "negative", reply.ref):
            office.click(EVE, reply, action, value=value)
            assert "belong to the person who asked" in office.whispers(EVE)[-1]

    assert len(office.whispers(EVE)) == 15
    assert len(office.client.made("chat.postMessage")) == posts
    assert (office.tickets(), opinions(office), office.client.made("views.open")) == ([], [], [])


def test_all_steps_come_into_the_thread_once_and_harmless(office: Office) -> None:
    reply = answered(office)

    office.click(ALICE, reply, "answer_more")
    office.click(ALICE, reply, "answer_more")

    (steps,) = [call for call in office.client.made("chat.postMessage") if "Do this" in call["text"]]
    assert steps["thread_ts"] == reply.thread_ts
    assert "<!here>" not in json.dumps(steps["blocks"])


def test_all_steps_are_not_shown_when_the_article_may_no_longer_be_seen(office: Office) -> None:
    reply = answered(office)
    office.library.gone = True

    office.click(ALICE, reply, "answer_more")

    assert not [call for call in office.client.made("chat.postMessage") if "Do this" in call["text"]]
    assert len(office.whispers(ALICE)) == 1


@pytest.mark.parametrize("action", ["answer_human", "answer_ticket"])
def test_a_human_is_brought_in_once_and_a_second_click_names_the_ticket(office: Office, action: str) -> None:
    reply = answered(office)

    office.click(ALICE, reply, action)
    office.click(ALICE, reply, action)

    (ticket,) = office.tickets()
    assert ticket.title == "How do I get to the VPN?"
    assert "tried" not in office.card()
    assert len([line for line in office.told(ALICE) if "I've opened ticket" in line]) == 1
    assert ticket.number in office.whispers(ALICE)[-1]


def test_a_thumb_up_is_kept_and_thanked_for(office: Office) -> None:
    office.click(ALICE, answered(office), "answer_feedback", value="positive")

    assert opinions(office) == [(ALICE, True, None)]
    assert "Thanks" in office.whispers(ALICE)[-1]
    assert office.client.made("views.open") == []


def test_a_thumb_down_asks_what_was_wrong_and_opens_a_ticket_if_wanted(office: Office) -> None:
    office.click(ALICE, answered(office), "answer_feedback", value="negative")
    form = office.client.made("views.open")[-1]["view"]
    assert "How do I get to the VPN?" in json.dumps(form)
    assert opinions(office) == [(ALICE, False, None)]

    filled = {
        "reason": {"selected_option": {"value": "outdated"}},
        "wrong": {"value": "The menu moved"},
        "ticket": {"selected_options": [{"value": "open"}]},
        "story": {"value": "VPN <!channel> doesn't start"},
    }
    view = office.opened_view()
    office.submit(ALICE, "feedback_form", filled, view=view)
    office.submit(ALICE, "feedback_form", filled, view=view)

    assert opinions(office) == [(ALICE, False, "It is wrong or out of date: The menu moved")]
    (ticket,) = office.tickets()
    assert ticket.description == "VPN <!channel> doesn't start"
    assert "because the answer didn't help" in office.card()
    assert len([line for line in office.told(ALICE) if ticket.number in line]) == 1
    assert office.worklog() == []


def test_a_thumb_down_without_a_ticket_is_kept_and_acknowledged(office: Office) -> None:
    office.click(ALICE, answered(office), "answer_feedback", value="negative")

    office.submit(ALICE, "feedback_form", {"wrong": {"value": "Too long"}})

    assert opinions(office) == [(ALICE, False, "Too long")]
    assert office.tickets() == []
    assert "Thanks" in office.whispers(ALICE)[-1]


def test_somebody_elses_feedback_form_does_nothing(office: Office) -> None:
    office.click(ALICE, answered(office), "answer_feedback", value="negative")

    office.submit(EVE, "feedback_form", {"ticket": {"selected_options": [{"value": "open"}]}, "story": {"value": "x"}})

    assert opinions(office) == [(ALICE, False, None)]
    assert office.tickets() == []


def test_an_option_counts_as_if_it_had_been_written_and_only_once(office: Office) -> None:
    reply = asked_back(office)

    office.click(ALICE, reply, "clarify_option_1")
    office.click(ALICE, reply, "clarify_option_1")
    office.click(ALICE, reply, "clarify_option_0")

    assert [turn.text for turn in office.turns()][1:] == ["The blue one"]
    assert len(office.whispers(ALICE)) == 1


def test_an_option_is_escaped_as_slack_would(office: Office) -> None:
    office.click(ALICE, asked_back(office), "clarify_option_0")

    assert office.turns()[-1].text == "The &lt;red&gt; human badge"
    assert office.ticket().state is State.NEW


@pytest.mark.parametrize("action", ["clarify_option_2", "clarify_option_99999999999"])
def test_an_option_that_was_not_offered_is_refused(office: Office, action: str) -> None:
    office.click(ALICE, asked_back(office), action)

    assert len(office.turns()) == 1
    assert len(office.whispers(ALICE)) == 1
