"""What an employee gets for a message, through Slack's wire format and back."""

from typing import Any

ALICE, BOB, DANA, GUS = "U0ALICE", "U0BOB", "U0DANA", "U0GUS"


def said(message: Any) -> str:
    return f"{message.text} {message.blocks}"


def test_a_question_is_answered_with_its_source_in_the_thread(place: Any) -> None:
    reply = place.ask("How do I connect to the VPN from home?")

    assert "Northgate VPN" in said(reply)
    assert "https://kb.example/vpn" in said(reply)
    assert any(block["type"] == "context_actions" for block in reply.blocks)


def test_a_mention_in_a_channel_gets_one_reply_though_it_comes_as_two_events(place: Any) -> None:
    ts = place.says(ALICE, "<@U0DESK> how do I connect to the VPN from home?", channel="C0ITHELP")
    place.reply(ts, channel="C0ITHELP")
    place.settled()

    assert len(place.replies("C0ITHELP", ts)) == 1


def test_talk_in_a_channel_is_none_of_the_desks_business(place: Any) -> None:
    ts = place.says(ALICE, "lunch anyone?", channel="C0ITHELP")
    place.ask("How do I connect to the VPN from home?")

    assert place.replies("C0ITHELP", ts) == []


def test_a_reply_without_a_mention_is_heard_in_a_thread_that_the_desk_knows(place: Any) -> None:
    ts = place.says(ALICE, "<@U0DESK> how do I connect to the VPN from home?", channel="C0ITHELP")
    place.reply(ts, channel="C0ITHELP")
    place.says(ALICE, "and how do I add a printer?", channel="C0ITHELP", thread=ts)

    assert "printer" in said(place.reply(ts, channel="C0ITHELP", number=2)).lower()


def test_restricted_articles_are_answered_from_only_for_their_readers_and_never_in_a_channel(place: Any) -> None:
    question = "how do I request access to pay bands in the salary system?"

    assert "managers' portal" in said(place.ask(question, DANA))
    assert "managers' portal" not in said(place.ask(question, ALICE))
    ts = place.says(DANA, f"<@U0DESK> {question}", channel="C0ITHELP")
    assert "managers' portal" not in said(place.reply(ts, channel="C0ITHELP"))


def test_what_is_off_topic_is_not_answered_and_opens_no_ticket(place: Any) -> None:
    reply = place.ask("what is the capital of Australia?")

    assert "I don't know" in reply.text
    assert place.tickets() == []


def test_empty_emoji_and_overlong_messages_get_one_friendly_line(place: Any) -> None:
    for text in (":wave: :tada:", "?!", "x" * 39_990):
        assert place.ask(text).text
    place.settled()
    assert place.tickets() == []


def test_two_messages_at_once_are_answered_in_order(place: Any) -> None:
    first = place.says(ALICE, "How do I connect to the VPN from home?")
    for text in ("how do I add a printer?", "what is the capital of Australia?"):
        place.says(ALICE, text, thread=first)

    place.reply(first, number=3)
    vpn, printer, unknown = (said(message) for message in place.replies(place.dm(), first))
    assert "Northgate" in vpn
    assert "printer" in printer.lower()
    assert "I don't know" in unknown


def test_an_edited_question_gets_its_reply_rewritten(place: Any) -> None:
    ts = place.says(ALICE, "How do I add a printer?")
    place.reply(ts)
    place.sandbox.workspace.edit(ALICE, place.dm(), ts, "How do I connect to the VPN from home?")

    place.until(lambda: "Northgate" in said(place.replies(place.dm(), ts)[0]))
    assert len(place.replies(place.dm(), ts)) == 1


def test_a_long_procedure_shows_all_its_steps_at_a_click(place: Any) -> None:
    reply = place.ask("How do I run the quarterly archive?")
    place.press(ALICE, reply, "answer_more")

    place.until(
        lambda: any("step number 60" in said(message) for message in place.replies(place.dm(), reply.thread_ts))
    )


def test_reactions_show_that_a_message_is_seen_and_done(place: Any) -> None:
    ts = place.says(ALICE, "How do I connect to the VPN from home?")
    place.reply(ts)

    place.until(lambda: list(place.thread(place.dm(), ts)[0].reactions) == ["white_check_mark"])


def test_the_assistant_pane_greets_and_suggests_and_answers(place: Any) -> None:
    ts = place.sandbox.workspace.open_assistant(ALICE)
    place.reply(ts)
    place.until(lambda: place.sandbox.workspace.assistant_of(place.dm(), ts).prompts)
    place.says(ALICE, "How do I connect to the VPN from home?", thread=ts)

    assert "Northgate" in said(place.reply(ts, number=3))
    place.until(lambda: not place.sandbox.workspace.assistant_of(place.dm(), ts).status)


def test_a_pane_that_is_told_of_after_its_first_message_is_the_pane_from_then_on(place: Any) -> None:
    ts = place.says(ALICE, "How do I connect to the VPN from home?")
    place.reply(ts)
    pane = {"user_id": ALICE, "context": {}, "channel_id": place.dm(), "thread_ts": ts}
    kind = "assistant_thread_started"
    place.sandbox.workspace.send_event({"type": kind, "assistant_thread": pane, "event_ts": ts}, kind)
    place.reply(ts, number=2)
    place.says(ALICE, "How do I add a printer?", thread=ts)

    def pane_title() -> str | None:
        pane = place.sandbox.workspace.assistant_of(place.dm(), ts)
        return pane.title if pane else None

    place.until(lambda: pane_title() == "How do I add a printer?")


def test_the_command_helps_lists_and_refuses_others_tickets(place: Any) -> None:
    workspace = place.sandbox.workspace
    place.ask("I want to talk to a human")

    assert "/desk status" in workspace.command(ALICE, place.dm(), "/desk", "help").text
    assert "INC0000001" in workspace.command(ALICE, place.dm(), "/desk", "my tickets").text
    assert "INC0000001" in workspace.command(ALICE, place.dm(), "/desk", "status 1").text
    assert "don't find" in workspace.command(DANA, place.dm(DANA), "/desk", "status INC0000001").text
    assert "don't find" in workspace.command(ALICE, place.dm(), "/desk", "status 999").text


def test_the_command_brings_in_a_human(place: Any) -> None:
    place.sandbox.workspace.command(ALICE, place.dm(), "/desk", "human my badge is broken")

    place.until(place.tickets)
    assert "badge" in said(place.card())


def test_the_home_shows_ones_open_tickets(place: Any) -> None:
    place.ask("I want to talk to a human")
    place.sandbox.workspace.open_home(ALICE)

    place.until(lambda: "INC0000001" in str(place.sandbox.workspace.home_of(ALICE)))


def test_routine_requests_go_to_the_persons_own_direct_messages(place: Any) -> None:
    ts = place.says(ALICE, "<@U0DESK> I forgot my password", channel="C0ITHELP")
    place.reply(ts, channel="C0ITHELP")

    place.until(lambda: any("alice" in said(m).lower() for m in place.sandbox.workspace.messages(place.dm(), ALICE)))
