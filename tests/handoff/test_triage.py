"""From the card in the triage channel to the employee's stars, on both databases."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from bot.blocks.triage import Entry, newest
from tests.handoff.office import ALICE, BOB, CAROL, EVE, TRIAGE, Office, refusal
from tickets.states import State


def test_the_card_says_who_why_what_and_how_urgent(office: Office) -> None:
    office.escalate("My badge is dead, a human please")

    number = office.ticket().number
    assert office.card().startswith(
        f"{number}: My badge is dead, a human please. From Alice Adams, because the employee"
    )
    assert "Priority P4 Low, new, claimed by nobody yet" in office.card()


def test_of_two_who_claim_at_once_one_has_it_and_the_other_learns_who(office: Office) -> None:
    card = office.escalate()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda user: office.click(user, card, "triage_claim"), [BOB, CAROL]))

    owner = office.ticket().assignee
    assert owner in (BOB, CAROL)
    winner, loser = ("Bob Brown", CAROL) if owner == BOB else ("Carol Clark", BOB)
    assert [winner in line for line in office.whispers(loser)] == [True]
    assert [line for line in office.told(ALICE) if "is looking into it" in line] == [
        f"{winner} is looking into it ({office.ticket().number}) and will write to you here."
    ]
    assert f"claimed by {winner}" in office.card()


def test_only_members_of_the_triage_channel_may_claim_resolve_or_look(office: Office) -> None:
    card = office.escalate()

    for action in ("triage_claim", "triage_resolve", "triage_details"):
        office.click(EVE, card, action)

    assert office.ticket().assignee is None
    assert len(office.whispers(EVE)) == 3
    assert office.client.made("views.open") == []


def test_who_has_left_the_triage_channel_can_no_longer_send_the_form(office: Office) -> None:
    office.click(BOB, office.escalate(), "triage_resolve")
    office.client.members.remove(BOB)
    office.desk.slack.workspace._cache.clear()

    response = office.submit(BOB, "resolve_form", {"resolution": {"value": "Mine"}})

    assert json.loads(response.body)["response_action"] == "errors"
    assert office.ticket().state.is_open


def test_an_empty_resolution_is_an_error_at_its_field(office: Office) -> None:
    office.click(BOB, office.escalate(), "triage_resolve")

    response = office.submit(BOB, "resolve_form", {"resolution": {"value": "  "}})

    assert json.loads(response.body) == {
        "response_action": "errors",
        "errors": {"resolution": "Say in a sentence what was done; the employee gets to read it."},
    }
    assert office.ticket().state.is_open


@pytest.mark.parametrize("tampered", [{"private_metadata": "INC0000001"}, {"id": "V999"}, {"id": ""}])
def test_a_form_is_about_the_ticket_that_it_was_opened_for_whatever_it_says(
    office: Office, tampered: dict[str, str]
) -> None:
    office.escalate("First: a human please")
    first = office.ticket().id
    office.says(EVE, "Second: a human please")
    second = office.post("triage_card")
    office.click(BOB, second, "triage_resolve")

    office.submit(BOB, "resolve_form", {"resolution": {"value": "Done"}}, **tampered)

    assert next(ticket for ticket in office.tickets() if ticket.id == first).state.is_open


def test_somebody_elses_form_does_nothing(office: Office) -> None:
    office.click(BOB, office.escalate(), "triage_resolve")

    response = office.submit(CAROL, "resolve_form", {"resolution": {"value": "Done"}})

    assert "errors" in response.body
    assert office.ticket().state.is_open


def test_the_employee_gets_the_resolution_and_rates_it_once(office: Office) -> None:
    office.escalate()
    question = office.resolve(resolution="New badge <!channel> printed")

    assert "New badge &lt;!channel&gt; printed" in office.told(ALICE)[-1]
    assert office.ticket().state is State.RESOLVED
    assert "resolved" in office.card()

    office.click(ALICE, question, "rate_4")
    office.click(ALICE, question, "rate_1")

    assert office.ticket().rating == 4
    assert "You gave it 4 of 5 stars. Thanks!" in office.client.made("chat.update", channel="DU0ALICE")[-1]["text"]
    assert "already" in office.whispers(ALICE)[-1]


@pytest.mark.parametrize("action", ["rate_5", "still_broken"])
def test_only_the_employee_answers_how_it_went(office: Office, action: str) -> None:
    office.escalate()
    question = office.resolve()

    office.click(EVE, question, action)

    assert office.ticket().rating is None
    assert office.ticket().state is State.RESOLVED
    assert len(office.whispers(EVE)) == 1


@pytest.mark.parametrize("stars", ["rate_0", "rate_6", "rate_9"])
def test_a_forged_rating_is_refused(office: Office, stars: str) -> None:
    office.escalate()

    office.click(ALICE, office.resolve(), stars)

    assert office.ticket().rating is None


def test_still_broken_reopens_and_tells_both_sides(office: Office) -> None:
    office.click(BOB, office.escalate(), "triage_claim")
    question = office.resolve()

    office.click(ALICE, question, "still_broken")
    office.click(ALICE, question, "still_broken")

    assert office.ticket().state is State.IN_PROGRESS
    assert office.ticket().assignee == BOB
    assert len([line for line in office.told(ALICE) if "is open again" in line]) == 1
    assert len([call for call in office.in_triage() if "still broken" in call["text"]]) == 1
    assert "in progress" in office.card()


def test_still_broken_is_told_though_slack_refuses_to_edit_the_message_that_asked(office: Office) -> None:
    office.click(BOB, office.escalate(), "triage_claim")
    question = office.resolve()
    office.client.refuses["chat.update"] = refusal("edit_window_closed")

    office.click(ALICE, question, "still_broken")

    assert office.ticket().state is State.IN_PROGRESS
    assert len([line for line in office.told(ALICE) if "is open again" in line]) == 1
    assert len([call for call in office.in_triage() if "still broken" in call["text"]]) == 1


def test_what_was_passed_on_is_not_said_to_be_lost_when_only_its_mark_is_refused(office: Office) -> None:
    card = office.escalate()
    office.click(BOB, card, "triage_claim")
    office.client.refuses["reactions.add"] = refusal("too_many_reactions")

    office.says(BOB, "Please try the blue cable", channel=TRIAGE, thread=card.ts)

    assert len([line for line in office.told(ALICE) if "the blue cable" in line]) == 1
    assert not [line for line in office.whispers(BOB) if "didn't reach" in line]


def test_a_button_whose_three_seconds_were_over_is_to_be_pressed_again(office: Office) -> None:
    card = office.escalate()
    office.client.refuses["views.open"] = refusal("expired_trigger_id")

    assert office.click(BOB, card, "triage_resolve").status == 200
    assert office.click(BOB, card, "triage_details").status == 200

    assert [line for line in office.whispers(BOB) if "press the button again" in line]


def test_details_of_a_long_story_in_any_alphabet_fit_into_a_view() -> None:
    entries = [Entry("Bob", True, "\N{OLD KEY}" * 3_000, at=datetime(2026, 3, 2, tzinfo=UTC)) for _ in range(60)]
    assert sum(len(entry.text) for entry in newest(entries)) <= 15_000
    assert newest(entries)[-1] is entries[-1]
    assert newest(entries[:2]) == entries[:2]


def test_after_a_second_resolution_the_employee_is_asked_again(office: Office) -> None:
    office.escalate()
    first = office.resolve()
    office.click(ALICE, first, "still_broken")
    second = office.resolve(resolution="Really now")

    office.click(ALICE, second, "rate_5")

    assert first.ts != second.ts
    assert office.ticket().rating == 5


def test_resolving_twice_tells_the_second_agent_that_it_is_done(office: Office) -> None:
    card = office.escalate()
    office.click(CAROL, card, "triage_resolve")
    view = office.opened_view()
    office.resolve(BOB)

    response = office.submit(CAROL, "resolve_form", {"resolution": {"value": "Also me"}}, view=view)

    assert "is resolved" in response.body
    assert office.ticket().resolution == "New badge printed"
    assert len([line for line in office.told(ALICE) if "has resolved" in line]) == 1


def test_a_resolved_ticket_opens_no_form(office: Office) -> None:
    card = office.escalate()
    office.resolve()
    opened = len(office.client.made("views.open"))

    office.click(BOB, card, "triage_resolve")

    assert len(office.client.made("views.open")) == opened
    assert "resolved" in office.whispers(BOB)[-1]


def test_details_show_the_worklog(office: Office) -> None:
    card = office.escalate()
    office.click(BOB, card, "triage_claim")
    office.says(BOB, "// is it the <blue> one?", channel=TRIAGE, thread=card.ts)

    office.click(BOB, card, "triage_details")

    shown = json.dumps(office.client.made("views.open")[-1]["view"])
    assert "internal note" in shown
    assert "is it the" in shown


def test_a_click_on_a_message_that_the_desk_does_not_know_changes_nothing(office: Office) -> None:
    office.escalate()
    before = office.ticket().updated_at
    actions = ("triage_claim", "triage_resolve", "triage_details", "rate_5", "still_broken", "answer_more",
               "answer_human", "answer_ticket", "clarify_option_0", "answer_feedback")  # fmt: skip

    for number, (action, value) in enumerate(itertools.product(actions, (None, "negative", "INC0000001")), start=1):
        assert office.click_at(BOB, TRIAGE, "1.000001", action, value=value).status == 200
        assert len(office.whispers(BOB)) == number, (action, value)

    assert office.ticket().updated_at == before
    assert len(office.tickets()) == 1
    assert office.client.made("views.open") == []


def test_a_card_button_on_a_message_of_another_kind_changes_nothing(office: Office) -> None:
    office.escalate()
    reply = office.post("reply")

    for action in ("triage_claim", "triage_resolve", "triage_details", "rate_5"):
        office.click(BOB, reply, action, value="INC0000001")

    assert office.ticket().assignee is None
    assert office.ticket().state is State.NEW
