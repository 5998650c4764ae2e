"""What goes wrong on the way of a turn: nobody is left without a reply, and no agent without the news."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from bot import turns
from bot.conversation import decide
from bot.errors import FileElsewhere
from sandbox.faults import Refused
from tickets import queries

ALICE, BOB, DANA = "U0ALICE", "U0BOB", "U0DANA"
BROKEN = "My laptop screen is cracked and shows stripes"
VPN = "How do I connect to the VPN from home?"


def said(message: Any) -> str:
    return f"{message.text} {message.blocks}"


@pytest.fixture
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """A web server that isn't Slack's, and the headers that it was sent."""
    heard: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(str(self.headers))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Keep quiet."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/plan.pdf", heard
        server.shutdown()
        thread.join()


def test_the_bots_token_goes_to_slack_alone(place: Any, elsewhere: tuple[str, list[str]]) -> None:
    address, heard = elsewhere

    for url in (
        address,
        "https://slack.com.evil.example/x",
        "http://files.slack.com/x",
        "https://files.slack.com:8443/x",
    ):
        with pytest.raises(FileElsewhere):
            place.desk.slack.download(url)
    assert heard == []


def test_a_message_of_nothing_printable_does_not_block_the_thread_of_a_ticket(place: Any) -> None:
    ts = place.says(ALICE, BROKEN)
    place.reply(ts)
    card = place.card()
    place.says(ALICE, "\x00", thread=ts)
    place.says(ALICE, "now it is black", thread=ts)

    place.until(lambda: any("now it is black" in m.text for m in place.thread("C0TRIAGE", card.ts, viewer=BOB)))


def test_a_turn_that_cannot_be_decided_gets_an_apology_and_the_next_one_its_answer(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = type(place.desk.triage).ticket_of
    calls: list[int] = []

    def breaks_once(self: Any, session: Any, conversation: int) -> Any:
        calls.append(conversation)
        if len(calls) == 1:
            raise ValueError("a bug of ours")
        return real(self, session, conversation)

    monkeypatch.setattr(type(place.desk.triage), "ticket_of", breaks_once)
    ts = place.says(ALICE, VPN)
    place.reply(ts)
    place.says(ALICE, VPN, thread=ts)

    place.reply(ts, number=2)
    sorry, answer = place.replies(place.dm(), ts)
    assert "something broke" in sorry.text
    assert "a bug of ours" not in said(sorry)
    assert "Northgate" in said(answer)


def test_an_edit_while_the_desk_thinks_is_what_gets_answered(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    edited: list[str] = []

    def slow(desk: Any, asked: Any) -> Any:
        outcome = decide(desk, asked)
        if not edited:
            edited.append(asked.text)
            place.sandbox.workspace.edit(ALICE, place.dm(), ts, VPN)
            place.sandbox.workspace.wait_until(lambda: False, 0.5)
        return outcome

    monkeypatch.setattr(turns, "decide", slow)
    with place.sandbox.workspace.lock:
        ts = place.says(ALICE, "How do I add a printer?")

    place.until(lambda: any("Northgate" in said(m) for m in place.replies(place.dm(), ts)))
    assert len(place.replies(place.dm(), ts)) == 1


def test_a_reply_whose_blocks_slack_refuses_goes_out_as_text(place: Any) -> None:
    place.sandbox.faults.queue("chat.postMessage", Refused("invalid_blocks"))

    reply = place.ask(VPN)

    assert "Northgate" in reply.text


def test_the_agents_are_told_though_slack_refuses_the_reply_for_good(place: Any) -> None:
    place.sandbox.faults.queue("chat.postMessage", Refused("restricted_action"))
    place.says(ALICE, BROKEN)

    assert BROKEN in said(place.card())


def test_a_reply_that_somebody_deleted_is_written_anew_for_an_edited_question(place: Any) -> None:
    ts = place.says(ALICE, "How do I add a printer?")
    place.reply(ts)
    place.sandbox.faults.queue("chat.update", Refused("message_not_found"))
    place.sandbox.workspace.edit(ALICE, place.dm(), ts, VPN)

    assert "Northgate" in said(place.reply(ts, number=2))


def test_what_is_written_before_the_card_is_out_reaches_the_agents(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    triage = type(place.desk.triage)
    real, first = triage.announce, threading.Event()

    def late(self: Any, ticket: str) -> None:
        if not first.is_set():
            first.set()
            return  # as if the process had got no further yet
        real(self, ticket)

    monkeypatch.setattr(triage, "announce", late)
    ts = place.says(ALICE, BROKEN)
    place.reply(ts)
    place.says(ALICE, "it is in room 12", thread=ts)

    card = place.card()
    place.until(lambda: any("room 12" in m.text for m in place.thread("C0TRIAGE", card.ts, viewer=BOB)))


def test_tickets_are_not_shown_in_a_channel(place: Any) -> None:
    place.reply(place.says(ALICE, BROKEN))
    for text in ("<@U0DESK> show my tickets", "<@U0DESK> what about INC0000001?"):
        ts = place.says(ALICE, text, channel="C0ITHELP")
        reply = said(place.reply(ts, channel="C0ITHELP"))
        assert "cracked" not in reply
        assert "where others read along" in reply


def test_a_second_person_in_a_thread_has_their_own_ticket_and_is_heard_without_a_mention(place: Any) -> None:
    ts = place.says(ALICE, f"<@U0DESK> {VPN}", channel="C0ITHELP")
    place.reply(ts, channel="C0ITHELP")
    place.says(DANA, f"<@U0DESK> {BROKEN}", channel="C0ITHELP", thread=ts)
    place.reply(ts, channel="C0ITHELP", number=2)
    card = place.card()
    place.says(DANA, "it is in room 12", channel="C0ITHELP", thread=ts)

    place.until(lambda: any("room 12" in m.text for m in place.thread("C0TRIAGE", card.ts, viewer=BOB)))
    with place.desk.database.reading() as session:
        ticket = queries.find(session, 1)
    assert (ticket.requester, ticket.requester_account) == (DANA, "dana")


def test_files_are_kept_too_when_a_button_opens_the_ticket(place: Any) -> None:
    ts = place.sandbox.workspace.upload(ALICE, place.dm(), "screen.png", b"\x89PNG picture", VPN)
    place.press(ALICE, place.reply(ts), "answer_human")
    place.card()

    def kept() -> list[bytes]:
        return [path.read_bytes() for path in place.desk.files.rglob("*") if path.is_file()]

    for _ in range(200):
        if kept():
            break
        place.sandbox.workspace.wait_until(lambda: False, 0.05)
    assert kept() == [b"\x89PNG picture"]


def test_the_status_of_the_assistant_pane_is_taken_back_after_an_escalation(place: Any) -> None:
    ts = place.sandbox.workspace.open_assistant(ALICE)
    place.reply(ts, number=2)
    place.says(ALICE, BROKEN, thread=ts)
    place.reply(ts, number=3)

    place.until(lambda: not place.sandbox.workspace.assistant_of(place.dm(), ts).status)


def test_a_desk_that_starts_opens_one_connection_and_not_a_second_beside_it(place: Any) -> None:
    time.sleep(1.0)  # a second one would be asked for at once
    opened = [call for call in place.sandbox._api.calls if call["method"] == "apps.connections.open"]
    assert len(opened) == 1
