"""From the desk to a human and back, through Slack's wire format."""

from typing import Any

from tickets import lifecycle, queries

ALICE, BOB, DANA, EVE = "U0ALICE", "U0BOB", "U0DANA", "U0CAROL"
BROKEN = "My laptop screen is cracked and shows stripes"


def said(message: Any) -> str:
    return f"{message.text} {message.blocks}"


def escalated(place: Any) -> tuple[str, Any]:
    """A ticket of Alice's: the `ts` of her thread, and the card."""
    ts = place.says(ALICE, BROKEN)
    assert "INC0000001" in place.reply(ts).text
    return ts, place.card()


def claimed(place: Any) -> tuple[str, Any]:
    ts, card = escalated(place)
    place.press(BOB, card, "triage_claim")
    place.until(lambda: any("Bob" in m.text for m in place.replies(place.dm(), ts)))
    return ts, place.card()


def resolved(place: Any) -> tuple[str, Any, Any]:
    ts, card = claimed(place)
    place.press(BOB, card, "triage_resolve")
    view = place.sandbox.workspace.view_of(BOB)
    assert place.sandbox.workspace.submit(BOB, view.id, {"resolution": {"value": "Replaced the screen"}}) is None
    place.until(lambda: any("Replaced the screen" in m.text for m in place.replies(place.dm(), ts)))
    asks = next(m for m in place.replies(place.dm(), ts) if "Replaced the screen" in m.text)
    return ts, place.card(), asks


def test_what_the_desk_cannot_solve_becomes_a_ticket_and_a_card_with_the_reason(place: Any) -> None:
    _, card = escalated(place)

    assert BROKEN in said(card)
    assert place.tickets()[0]["requester"] == ALICE
    assert place.tickets()[0]["conversation"]["channel"] == place.dm()


def test_a_second_report_in_the_thread_updates_the_ticket_and_reaches_the_agents(place: Any) -> None:
    ts, card = escalated(place)
    place.says(ALICE, "now it is completely black", thread=ts)

    place.until(lambda: any("completely black" in m.text for m in place.thread("C0TRIAGE", card.ts, viewer=BOB)))
    assert len(place.tickets()) == 1


def test_what_the_claimer_writes_reaches_the_employee_under_their_name(place: Any) -> None:
    ts, card = claimed(place)
    wrote = place.says(BOB, "I bring you a new one at ten", channel="C0TRIAGE", thread=card.ts)

    place.until(lambda: any("new one at ten" in m.text for m in place.replies(place.dm(), ts)))
    relayed = next(m for m in place.replies(place.dm(), ts) if "new one at ten" in m.text)
    assert relayed.username == "Bob Brown"
    place.until(lambda: "incoming_envelope" in place.sandbox.workspace.message("C0TRIAGE", wrote).reactions)


def test_notes_and_other_agents_messages_stay_internal(place: Any) -> None:
    place.sandbox.workspace.channels["C0TRIAGE"].members.append(EVE)
    ts, card = claimed(place)
    place.says(BOB, "// she drops it all the time", channel="C0TRIAGE", thread=card.ts)
    place.says(EVE, "I know that model", channel="C0TRIAGE", thread=card.ts)
    place.says(BOB, "On my way", channel="C0TRIAGE", thread=card.ts)

    place.until(lambda: any("On my way" in m.text for m in place.replies(place.dm(), ts)))
    heard = " ".join(m.text for m in place.replies(place.dm(), ts))
    assert "drops it" not in heard
    assert "that model" not in heard


def test_what_the_employee_writes_after_the_claim_reaches_the_agents_without_a_reply(place: Any) -> None:
    ts, card = claimed(place)
    before = len(place.replies(place.dm(), ts))
    place.says(ALICE, "thank you, room 12", thread=ts)

    place.until(lambda: any("room 12" in m.text for m in place.thread("C0TRIAGE", card.ts, viewer=BOB)))
    place.settled()
    assert len(place.replies(place.dm(), ts)) == before


def test_of_two_who_claim_one_wins_and_the_other_is_told_who(place: Any) -> None:
    place.sandbox.workspace.channels["C0TRIAGE"].members.append(EVE)
    _, card = escalated(place)
    place.press(BOB, card, "triage_claim")
    place.press(EVE, card, "triage_claim")

    place.until(lambda: place.tickets()[0]["assignee"] is not None)
    loser = EVE if place.tickets()[0]["assignee"] == BOB else BOB
    place.until(lambda: place.whispers(loser, "C0TRIAGE"))
    assert "already" in place.whispers(loser, "C0TRIAGE")[0]


def test_only_members_of_the_triage_channel_can_claim(place: Any) -> None:
    _, card = escalated(place)
    place.press(DANA, card, "triage_claim")
    place.ask("How do I connect to the VPN from home?")

    place.settled()
    assert place.tickets()[0]["assignee"] is None
    place.press(BOB, card, "triage_claim")
    place.until(lambda: place.tickets()[0]["assignee"] == BOB)


def test_a_resolution_left_empty_is_asked_for_again(place: Any) -> None:
    _, card = claimed(place)
    place.press(BOB, card, "triage_resolve")
    view = place.sandbox.workspace.view_of(BOB)

    assert place.sandbox.workspace.submit(BOB, view.id, {"resolution": {"value": "  "}})
    assert place.tickets()[0]["state"] != "resolved"


def test_the_employee_rates_a_resolved_ticket_once(place: Any) -> None:
    _, _, asks = resolved(place)
    place.press(ALICE, asks, "rate_5")

    place.until(lambda: "You gave it 5 of 5" in said(place.sandbox.workspace.message(asks.channel, asks.ts)))
    with place.desk.database.reading() as session:
        assert queries.find(session, 1).rating == 5


def test_still_broken_opens_the_ticket_again_and_tells_the_agents(place: Any) -> None:
    _, card, asks = resolved(place)
    place.press(ALICE, asks, "still_broken")

    place.until(lambda: place.tickets()[0]["state"] == "in_progress")
    place.until(lambda: any("still broken" in m.text for m in place.thread("C0TRIAGE", card.ts, viewer=BOB)))


def test_a_button_on_somebody_elses_answer_does_nothing(place: Any) -> None:
    ts = place.says(ALICE, "<@U0DESK> How do I connect to the VPN from home?", channel="C0ITHELP")
    answer = place.reply(ts, channel="C0ITHELP")
    place.press(DANA, answer, "answer_human")

    place.until(lambda: place.whispers(DANA, "C0ITHELP"))
    assert place.tickets() == []


def test_talk_to_a_human_pressed_twice_opens_one_ticket(place: Any) -> None:
    answer = place.ask("How do I connect to the VPN from home?")
    place.press(ALICE, answer, "answer_human")
    place.press(ALICE, answer, "answer_human")

    place.until(lambda: any("INC0000001" in m.text for m in place.replies(place.dm(), answer.thread_ts)))
    place.card()
    assert len(place.tickets()) == 1


def test_a_thumb_down_asks_what_was_wrong_and_opens_a_ticket_with_the_conversation(place: Any) -> None:
    answer = place.ask("How do I connect to the VPN from home?")
    place.press(ALICE, answer, "answer_feedback", "negative")
    view = place.sandbox.workspace.view_of(ALICE)
    story = next(block for block in view.blocks if block.get("block_id") == "story")
    assert "VPN" in story["element"]["initial_value"]
    values = {
        "reason": {"value": "did_not_work"},
        "wrong": {"value": "It asks for a code that I don't have"},
        "ticket": {"value": ["open"]},
        "story": {"value": story["element"]["initial_value"]},
    }
    place.sandbox.workspace.submit(ALICE, view.id, values)

    place.until(place.tickets)
    assert "the answer didn't help" in said(place.card())


def test_a_file_is_kept_with_the_ticket(place: Any) -> None:
    ts = place.sandbox.workspace.upload(ALICE, place.dm(), "screen.png", b"\x89PNG picture", BROKEN)
    place.reply(ts)

    def kept() -> list[bytes]:
        return [path.read_bytes() for path in place.desk.files.rglob("*") if path.is_file()]

    place.until(lambda: place.tickets())
    place.settled()
    assert kept() == [b"\x89PNG picture"]


def test_a_resolved_ticket_is_open_again_when_the_employee_says_so_in_words(place: Any) -> None:
    ts = place.says(ALICE, BROKEN)
    place.reply(ts)
    place.press(BOB, place.card(), "triage_claim")
    place.until(lambda: place.tickets()[0]["assignee"] == BOB)
    with place.desk.database.transaction() as session:
        lifecycle.resolve(session, "INC0000001", agent=BOB, resolution="A new screen", now=place.desk.now())

    place.says(ALICE, "no, it's still broken", thread=ts)

    place.until(lambda: place.tickets()[0]["state"] == "in_progress")
    place.until(lambda: any("is open again" in message.text for message in place.replies(place.dm(), ts)))
    assert len(place.tickets()) == 1
