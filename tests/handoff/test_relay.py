"""What goes between the employee's thread and the triage thread, and what stays inside."""

import pytest

from tests.handoff.office import ALICE, BOB, CAROL, TRIAGE, Office, refusal


def claimed(office: Office) -> str:
    """The `ts` of a card that Bob has claimed."""
    card = office.escalate()
    office.click(BOB, card, "triage_claim")
    return str(card.ts)


def relayed_to_alice(office: Office) -> list[tuple[str, str]]:
    calls = office.client.made("chat.postMessage", channel="DU0ALICE")
    return [(call["username"], call["text"]) for call in calls if call.get("username")]


def test_what_the_claimer_writes_reaches_the_employee_under_their_name(office: Office) -> None:
    thread = claimed(office)

    ts = office.says(BOB, "Which badge &amp; <https://kb.example|door>?", channel=TRIAGE, thread=thread)

    assert relayed_to_alice(office) == [("Bob Brown", "Which badge &amp; <https://kb.example|door>?")]
    assert office.client.made("reactions.add", channel=TRIAGE, timestamp=ts, name="incoming_envelope")
    assert ("reply", BOB, "Which badge & door?") in office.worklog()


def test_a_message_that_slack_delivers_twice_is_relayed_once(office: Office) -> None:
    thread = claimed(office)
    event = {"ts": "1650000000.000100"}

    office.says(BOB, "Which badge?", channel=TRIAGE, thread=thread, **event)
    office.says(BOB, "Which badge?", channel=TRIAGE, thread=thread, **event)

    assert len(relayed_to_alice(office)) == 1
    assert len([entry for entry in office.worklog() if entry[1] == BOB]) == 1


def test_notes_and_other_agents_words_stay_inside(office: Office) -> None:
    thread = claimed(office)

    office.says(BOB, "// check the printer log", channel=TRIAGE, thread=thread)
    office.says(BOB, "  //and the camera", channel=TRIAGE, thread=thread)
    office.says(CAROL, "I'd reset her badge", channel=TRIAGE, thread=thread)

    assert relayed_to_alice(office) == []
    assert [entry for entry in office.worklog() if entry[0] == "note"] == [
        ("note", BOB, "check the printer log"),
        ("note", BOB, "and the camera"),
        ("note", CAROL, "I'd reset her badge"),
    ]


def test_a_note_stays_inside_also_when_it_is_edited(office: Office) -> None:
    thread = claimed(office)
    ts = office.says(BOB, "// she is rude", channel=TRIAGE, thread=thread)
    edited = {"ts": ts, "thread_ts": thread, "user": BOB, "text": "// she is upset", "edited": {"ts": "1650000001.0"}}

    office.says(BOB, "", channel=TRIAGE, subtype="message_changed", message=edited, previous_message={"text": "x"})

    assert relayed_to_alice(office) == []
    assert office.worklog()[-1] == ("note", BOB, "she is upset")


def test_before_a_claim_nothing_is_relayed_and_the_writer_is_told_how(office: Office) -> None:
    card = office.escalate()

    office.says(BOB, "Hello Alice", channel=TRIAGE, thread=str(card.ts))

    assert relayed_to_alice(office) == []
    assert "Claim" in office.whispers(BOB)[-1]


def test_after_the_resolution_the_claimers_words_are_a_note_and_they_are_told(office: Office) -> None:
    thread = claimed(office)
    office.resolve()

    office.says(BOB, "One more thing", channel=TRIAGE, thread=thread)

    assert relayed_to_alice(office) == []
    assert "is resolved" in office.whispers(BOB)[-1]
    assert office.worklog()[-1] == ("note", BOB, "One more thing")


def test_what_would_notify_many_is_defused_on_the_way(office: Office) -> None:
    thread = claimed(office)

    office.says(BOB, "<!channel> <!subteam^S1|@it> <https://evil.example|bank.example>", channel=TRIAGE, thread=thread)

    text = relayed_to_alice(office)[-1][1]
    assert "<!" not in text
    assert "bank.example <https://evil.example>" in text


def test_long_messages_arrive_whole_in_parts(office: Office) -> None:
    thread = claimed(office)
    words = [f"word{n}" for n in range(1_500)]

    office.says(BOB, " ".join(words), channel=TRIAGE, thread=thread)

    parts = [text for _, text in relayed_to_alice(office)]
    assert len(parts) > 1
    assert " ".join(parts).split() == words


def test_the_employees_further_words_reach_the_triage_thread_whole(office: Office) -> None:
    root = office.says(ALICE, "My badge: a human please")
    words = [f"word{n}" for n in range(1_500)]

    office.says(ALICE, "It blinks red <!here>", thread=root)
    office.says(ALICE, " ".join(words), thread=root)

    said = [call for call in office.in_triage() if call.get("username") == "Alice Adams"]
    assert "It blinks red" in said[0]["text"]
    assert "<!" not in said[0]["text"]
    assert " ".join(call["text"] for call in said[1:]).split() == words
    assert ("reply", ALICE, " ".join(words)) in office.worklog()


def test_a_resolution_in_between_does_not_lose_a_message_that_was_on_its_way(office: Office) -> None:
    thread = claimed(office)
    office.client.refuses["chat.postMessage"] = RuntimeError("the process is killed here")
    with pytest.raises(AssertionError):
        office.says(BOB, "Try it now", channel=TRIAGE, thread=thread, ts="1650000000.000100")
    office.client.refuses.clear()
    office.resolve()

    office.desk.triage._relay(f"T0TEST:{TRIAGE}:1650000000.000100")

    assert ("Bob Brown", "Try it now") in relayed_to_alice(office)


def test_the_card_is_gone_but_the_employee_is_still_told(office: Office) -> None:
    card = office.escalate()
    office.client.refuses["chat.update"] = refusal("message_not_found")

    office.click(BOB, card, "triage_claim")

    assert "is looking into it" in office.told(ALICE)[-1]
