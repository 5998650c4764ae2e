"""The App Home and the slash command, on both databases."""

import json
from typing import Any

from tests.handoff.office import ALICE, BOB, EVE, TEAM, Office, refusal


def open_home(office: Office, user: str, event: str = "Ev1", tab: str = "home") -> None:
    body = {"type": "event_callback", "team_id": TEAM, "event_id": event}
    office.dispatch(body | {"event": {"type": "app_home_opened", "user": user, "tab": tab}})


def homes(office: Office, user: str) -> list[str]:
    calls: list[dict[str, Any]] = office.client.made("views.publish", user_id=user)
    return [json.dumps(call["view"], ensure_ascii=False) for call in calls]


def test_the_home_shows_ones_own_open_tickets(office: Office) -> None:
    office.says(ALICE, "Badge <!channel>: a human please")
    office.says(EVE, "Screen: a human please")

    open_home(office, ALICE)

    assert "Badge" in homes(office, ALICE)[-1]
    assert "Screen" not in homes(office, ALICE)[-1]
    assert "Unclaimed" not in homes(office, ALICE)[-1]


def test_an_agents_home_shows_what_is_claimed_and_what_waits(office: Office) -> None:
    card = office.escalate("Badge: a human please")
    office.click(BOB, card, "triage_claim")
    office.says(EVE, "Screen: a human please")

    open_home(office, BOB)

    shown = homes(office, BOB)[-1]
    assert shown.index("Claimed by you") < shown.index("Badge") < shown.index("Unclaimed") < shown.index("Screen")


def test_an_event_that_comes_twice_publishes_once_and_another_tab_never(office: Office) -> None:
    open_home(office, ALICE, "Ev1")
    open_home(office, ALICE, "Ev1")
    open_home(office, ALICE, "Ev2", tab="messages")

    assert len(homes(office, ALICE)) == 1


def test_a_home_follows_its_persons_tickets(office: Office) -> None:
    card = office.escalate("Badge: a human please")
    assert "Badge" in homes(office, ALICE)[-1]

    office.click(BOB, card, "triage_claim")
    assert "assigned" in homes(office, ALICE)[-1]
    assert "Badge" in homes(office, BOB)[-1]

    office.resolve()
    assert "Badge" not in homes(office, ALICE)[-1]


def test_an_app_without_a_home_tab_still_hands_over(office: Office) -> None:
    office.client.refuses["views.publish"] = refusal("not_enabled")

    office.escalate()

    assert office.ticket().number in office.told(ALICE)[-1]


def test_the_command_helps_and_so_it_does_when_it_does_not_understand(office: Office) -> None:
    assert office.command(ALICE, "help") == office.command(ALICE, "blah <!channel>") == office.command(ALICE, "")
    assert "/desk status" in office.command(ALICE, "help")


def test_the_command_lists_ones_tickets(office: Office) -> None:
    assert office.command(ALICE, "my tickets") == "You have no open tickets."

    office.says(ALICE, "Badge &lt;!channel&gt;: a human please")

    assert "INC0000001 (new): Badge &lt;!channel&gt;: a human please" in office.command(ALICE, "My Tickets")


def test_a_ticket_of_somebody_else_and_one_that_does_not_exist_get_the_same_line(office: Office) -> None:
    office.escalate()

    assert "INC0000001 (new)" in office.command(ALICE, "status inc 1")
    theirs, none = office.command(EVE, "status INC0000001"), office.command(EVE, "status INC0000009")
    assert theirs.replace("INC0000001", "") == none.replace("INC0000009", "")
    assert "<" not in office.command(EVE, "status <!channel>")


def test_the_command_brings_in_a_human_once_per_trigger(office: Office) -> None:
    office.command(ALICE, "human my laptop &lt;burns&gt;", trigger="t1")
    office.command(ALICE, "human my laptop &lt;burns&gt;", trigger="t1")
    assert [ticket.title for ticket in office.tickets()] == ["my laptop <burns>"]

    office.command(ALICE, "human my laptop &lt;burns&gt;", trigger="t2")
    assert len(office.tickets()) == 2


def test_the_command_brings_in_a_human_whatever_the_words_are_about(office: Office) -> None:
    office.command(ALICE, "human what about INC0000042?", trigger="t1")
    office.command(ALICE, "human", trigger="t2")

    assert len(office.tickets()) == 2
    assert all(
        "asked for a human" in call["text"] for call in office.client.made("chat.postMessage", channel="C0TRIAGE")
    )
