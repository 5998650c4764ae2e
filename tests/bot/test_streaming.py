"""An answer of a language model grows in Slack while it is written, and is one whole message in the end."""

import re
import threading
from typing import Any

import pytest
from sqlalchemy import select

import knowledge.llm
from bot.records import Post
from bot.slack import Slack
from sandbox.faults import Fault, LostResponse, RateLimited, Refused, ServerError
from sandbox.objects import Message
from tests.bot.conftest import ALICE, Place
from tests.knowledge.scripted import Said, Scripted, draft

QUESTION = "How do I connect to the VPN from home?"
STEPS = (
    "Open the **Northgate VPN** app from the start menu.",
    "Choose the profile *Home office*.",
    "Sign in with your account and confirm the code in the authenticator.",
)
WHOLE = "\n".join(f"{number}. {step} [1]" for number, step in enumerate(STEPS, 1))
PLAIN = "\n".join(f"{number}. {step}" for number, step in enumerate(STEPS, 1))


def number_of(words: str, prompt: str) -> int:
    """The number under which the passage with these words was shown to the model."""
    for number, text in re.findall(r'<passage-\w+ n="(\d+)">(.*?)</passage', prompt, re.DOTALL):
        if words in text:
            return int(number)
    raise AssertionError("no passage has these words")


def in_steps(prompt: str) -> list[Said]:
    return draft(*((step, [number_of("Northgate", prompt)]) for step in STEPS), steps=True)


def breaking_off(prompt: str) -> list[Said]:
    return [*in_steps(prompt)[:-12], ConnectionError("gone")]


@pytest.fixture(autouse=True)
def model(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    scripted = Scripted(scripts=[in_steps])
    monkeypatch.setenv("DESKMATE_LLM", "scripted:model")
    monkeypatch.setattr(knowledge.llm, "opened", lambda *_: scripted)
    return scripted


def calls(place: Place) -> list[str]:
    wanted = ("chat.startStream", "chat.appendStream", "chat.stopStream", "chat.update", "chat.postMessage")
    return [call["method"] for call in place.sandbox._api.calls if call["method"] in wanted]


def the_reply(place: Place, *, channel: str | None = None, text: str = QUESTION) -> Message:
    """The only reply to the question, once nothing more is written."""
    where = channel or place.dm()
    ts = place.says(ALICE, text, channel=where)
    place.reply(ts, channel=where)
    place.settled()
    (reply,) = place.replies(where, ts)
    assert not reply.streaming
    return reply


def words(reply: Message) -> str:
    return "".join(block["text"] for block in reply.blocks if block["type"] == "markdown")


def test_an_answer_is_streamed_sentence_by_sentence_and_ends_with_its_sources_and_buttons(place: Place) -> None:
    reply = the_reply(place)
    assert calls(place) == ["chat.startStream", *["chat.appendStream"] * 3, "chat.stopStream"]
    assert words(reply) == WHOLE
    assert [block["type"] for block in reply.blocks[1:]] == ["context", "actions", "context_actions"]
    assert reply.blocks[1]["elements"][0]["text"].startswith("[1] <https://kb.example/vpn|Connect to the VPN")
    assert reply.metadata is not None
    with place.desk.database.reading() as session:
        (post,) = session.scalars(select(Post))
    assert (post.ts, post.streaming, post.purpose) == (reply.ts, False, "reply")


def test_the_place_of_a_stream_is_recorded_before_anything_is_written_into_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded: list[Any] = []
    append = Slack.append_to_stream

    def looking(self: Slack, **arguments: Any) -> None:
        with place.desk.database.reading() as session:
            recorded.append(session.scalar(select(Post.ts).where(Post.streaming)))
        append(self, **arguments)

    monkeypatch.setattr(Slack, "append_to_stream", looking)
    reply = the_reply(place)
    assert recorded == [reply.ts] * 3


def test_in_a_channel_the_stream_names_whom_it_is_for(place: Place) -> None:
    reply = the_reply(place, channel="C0ITHELP", text=f"<@U0DESK> {QUESTION}")
    assert words(reply) == WHOLE
    (start,) = [call for call in place.sandbox._api.calls if call["method"] == "chat.startStream"]
    assert (start["args"]["recipient_user_id"], start["args"]["recipient_team_id"]) == (ALICE, "T0SANDBOX")


def test_the_pane_shows_which_article_is_read(place: Place, model: Scripted) -> None:
    def statuses() -> list[str]:
        calls = place.sandbox._api.calls
        return [call["args"]["status"] for call in calls if call["method"] == "assistant.threads.setStatus"]

    def once_it_is_shown(prompt: str) -> list[Said]:
        place.until(lambda: "is reading “Connect to the VPN from home”…" in statuses())
        return in_steps(prompt)

    model.scripts = [once_it_is_shown]
    thread = place.sandbox.workspace.open_assistant(ALICE)
    place.reply(thread, number=2)
    place.says(ALICE, QUESTION, thread=thread)
    place.reply(thread, number=3)
    place.settled()
    assert "is reading “Connect to the VPN from home”…" in statuses()


def test_a_model_that_breaks_off_leaves_the_articles_own_words_in_the_same_message(
    place: Place, model: Scripted
) -> None:
    model.scripts = [breaking_off]
    reply = the_reply(place)
    assert "chat.appendStream" in calls(place)
    assert calls(place)[-2:] == ["chat.stopStream", "chat.update"]
    assert PLAIN in words(reply)
    assert "[1]" not in words(reply)


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("chat.startStream", LostResponse()),
        ("chat.startStream", ServerError()),
        ("chat.startStream", RateLimited(1)),
        ("chat.startStream", Refused("channel_type_not_supported")),
        ("chat.appendStream", LostResponse()),
        ("chat.appendStream", ServerError()),
        ("chat.appendStream", RateLimited(1)),
        ("chat.appendStream", Refused("message_not_in_streaming_state")),
        ("chat.stopStream", LostResponse()),
        ("chat.stopStream", ServerError()),
        ("chat.stopStream", Refused("message_not_in_streaming_state")),
        ("chat.stopStream", Refused("team_not_found")),
    ],
)
def test_whatever_slack_loses_or_refuses_the_answer_is_there_once_and_whole(
    place: Place, method: str, fault: Fault
) -> None:
    place.sandbox.faults.queue(method, fault)
    assert words(the_reply(place)) == WHOLE


def test_where_slack_lets_nothing_be_done_with_a_stream_the_whole_answer_is_posted_under_it(place: Place) -> None:
    place.sandbox.faults.queue("chat.stopStream", Refused("message_not_owned_by_app"), times=2)
    place.sandbox.faults.queue("chat.update", Refused("edit_window_closed"))
    ts = place.says(ALICE, QUESTION)
    assert words(place.reply(ts, number=2)) == WHOLE
    place.settled()


def test_a_message_that_is_edited_while_its_answer_is_written_gets_one_reply(place: Place, model: Scripted) -> None:
    begun, edited = threading.Event(), threading.Event()

    def slow(prompt: str) -> list[Said]:
        pieces = in_steps(prompt)
        begun.set()
        return [*pieces[:14], edited, *pieces[14:]]

    model.scripts = [slow, in_steps]
    ts = place.says(ALICE, QUESTION)
    assert begun.wait(20)
    place.sandbox.workspace.edit(ALICE, place.dm(), ts, "How do I add a printer?")
    place.until(lambda: any("printer" in turn for turn in texts(place)))
    edited.set()
    place.settled()
    (reply,) = place.replies(place.dm(), ts)
    assert "Printers" in words(reply)


def texts(place: Place) -> list[str]:
    from bot.records import Turn

    with place.desk.database.reading() as session:
        return list(session.scalars(select(Turn.text)))
