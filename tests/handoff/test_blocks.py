"""Every message and view stays within Slack's limits and harmless, whatever people and articles put into it."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.models.blocks import Block as SlackBlock
from slack_sdk.models.views import View

from bot.blocks import triage
from bot.blocks.feedback import FeedbackForm, feedback_form
from bot.blocks.home import Line, home
from bot.blocks.outcomes import Rendered, render
from bot.outcomes import (
    Answered,
    Clarified,
    Declined,
    Deflected,
    Escalated,
    Handoff,
    HandoffReason,
    InProgress,
    Outcome,
    Tried,
)
from knowledge.library import Answer, Citation
from tests.handoff.block_kit import check_message, check_view

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADVERSARIAL = (
    Path(os.environ.get("DESKMATE_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "adversarial"
)
HOSTILE = [
    "<!channel> <!here|here> <!everyone> <!subteam^S123|@it> <@U123> <#C123|general> @channel @here @everyone",
    "<https://evil.example|https://bank.example> [https://bank.example](https://evil.example/x)",
    "[www.bank.example](https://evil.example) ![x](https://evil.example/p.png?d=secret) [a][1]\n\n[1]: https://evil.example",
    "<https://evil.example/?q=a&b=c|Sign in> &amp; & < > &lt;!channel&gt;",
    "[x](javascript:alert(1)) [y](<https://evil.example>) [z](https://evil.example \"bank.example\")",
    "a" * 50_000,
    "&" * 20_000,
    "<" * 5_000 + ">" * 5_000,
    "word " * 10_000,
    "👩‍👩‍👧‍👦" * 3_000,
    "\u202egnirts\u2066 \x00 \ud800 \u200b",
    "",
    " \n\t ",
    "|" * 400,
    "`" * 3_500,
    "@" * 3_500 + "channel",
]  # fmt: skip


def everything(text: str) -> Iterator[Rendered | dict[str, Any]]:
    """All that the desk can say, with the text in every place where it may stand."""
    citation = Citation("a", text, text, text, 0.9)
    addressed = Citation("b", text, f"https://kb.example/{text[:50]}", text, 0.5)
    answer = Answer(text, 0.9, True, (citation, addressed, addressed), (1,), more=True)
    handoff = Handoff(HandoffReason.LOW_CONFIDENCE, text, (Tried(text, text, 0.2),) * 9)
    outcomes: list[Outcome] = [
        Answered(answer),
        Clarified(text, (text,) * 9),
        Deflected("w", text),
        InProgress("w", text),
        Escalated(handoff, ticket="INC0000042"),
        Escalated(handoff, ticket="INC0000042", follow_up=True, claimed_by=text),
        Escalated(handoff),
        Declined(text),
    ]
    for outcome in outcomes:
        yield render(outcome, surface="im")
    card = triage.Card("INC0000042", text, text, handoff, "P4 Low", "new", True, text, NOW, (text,) * 20)
    yield triage.card(card)
    yield triage.resolved("INC0000042", text, text)
    yield triage.settled("INC0000042", text, text, text)
    yield triage.resolve_form("INC0000042", text)
    yield triage.details(card, [triage.Entry(text, True, text, NOW)] * 90)
    yield feedback_form(text)
    yield home([Line(text, text, text, NOW, text)] * 40, claimed=[Line("1", text, "new", NOW)] * 40,
               unclaimed=[Line("1", text, "new", NOW)] * 40, agent=True)  # fmt: skip


def check(text: str) -> None:
    for payload in everything(text):
        if isinstance(payload, Rendered):
            check_message(payload.text, payload.blocks)
            for block in payload.blocks:
                parsed = SlackBlock.parse(block)
                assert parsed is not None
                parsed.validate_json()
        else:
            check_view(payload)
            View(**payload).validate_json()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_and_endless_texts_stay_within_limits_and_notify_nobody(text: str) -> None:
    check(text)


PARTS = ["<", ">", "&", "|", "!", "@", "#", "[", "]", "(", ")", "channel", "here", "https://", "evil.example", "www.",
         "subteam^S1", "bank.example", " ", "\n", "`", "*", "a"]  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PARTS), max_size=40).map("".join))
def test_no_mixture_of_markup_comes_alive(text: str) -> None:
    check(text)


@pytest.mark.shared
@pytest.mark.skipif(not ADVERSARIAL.exists(), reason="the data folder ../shared is absent")
@pytest.mark.parametrize("file", sorted(ADVERSARIAL.glob("*.jsonl")), ids=lambda path: path.stem)
def test_collected_attacks_stay_within_limits_and_notify_nobody(file: Path) -> None:
    for line in file.read_text(encoding="utf-8").split("\n")[:-1:3]:
        check(json.loads(line)["text"])


def test_an_answer_shows_its_text_its_sources_and_what_can_be_done() -> None:
    sources = (
        Citation("vpn", "VPN", "https://kb.example/vpn?a=1&b=2", "On a Mac", 0.9),
        Citation("x", "Wi-Fi", None, None, 0.4),
    )
    shown = render(Answered(Answer("1. Open **Tunnel**.", 0.9, True, sources, (7,), more=True)), surface="im")

    markdown, context, actions, feedback = shown.blocks
    assert markdown == {"type": "markdown", "text": "1. Open **Tunnel**."}
    assert [element["text"] for element in context["elements"]] == [
        "📄 <https://kb.example/vpn?a=1&amp;b=2|VPN › On a Mac>",
        "📄 Wi-Fi",
    ]
    assert [element["text"]["text"] for element in actions["elements"]] == ["Show all steps", "Talk to a human"]
    assert feedback["elements"][0]["type"] == "feedback_buttons"
    assert shown.text == ("1. Open Tunnel.\n\nSources: VPN › On a Mac (https://kb.example/vpn?a=1&amp;b=2); Wi-Fi")


def test_all_steps_are_offered_only_when_there_are_more() -> None:
    shown = render(Answered(Answer("Do it.", 0.9, True)), surface="im")

    assert "Show all steps" not in json.dumps(shown.blocks)


def test_commands_in_code_are_left_as_they_are() -> None:
    code = "Type `[int](5)` and:\n```\nif ! [ -f a ]; then list[0](x) <in >out; fi\n```"

    assert render(Answered(Answer(code, 0.9, True)), surface="im").blocks[0]["text"] == code


def test_a_link_that_hides_its_host_shows_it() -> None:
    text = "See [bank.example](https://evil.example/a) or [the page](https://kb.example/b)."

    shown = render(Answered(Answer(text, 0.9, True)), surface="im").blocks[0]["text"]

    assert shown == "See bank.example https://evil.example/a or [the page](https://kb.example/b)."


def test_a_button_for_each_option() -> None:
    shown = render(Clarified("Which one?", ("Laptop", "Phone")), surface="im")

    assert [button["action_id"] for button in shown.blocks[1]["elements"]] == ["clarify_option_0", "clarify_option_1"]
    assert shown.text == "Which one? (Laptop / Phone)"


def test_an_escalation_says_the_number_and_what_happens_next() -> None:
    handoff = Handoff(HandoffReason.EMPLOYEE_ASKED, "My badge")
    shown = render(Escalated(handoff, ticket="INC0000042"), surface="im")

    assert "INC0000042" in shown.text
    assert "An agent will answer right here in this thread" in shown.text


def test_a_claimed_card_has_no_claim_button_and_a_finished_one_only_details() -> None:
    def labels(*, open_: bool, claimed_by: str | None) -> list[str]:
        handoff = Handoff(HandoffReason.NO_KNOWLEDGE, "Badge")
        card = triage.Card("INC0000042", "Badge", "Alice", handoff, "P4 Low", "new", open_, claimed_by, NOW)
        blocks = triage.card(card).blocks
        return [e["text"]["text"] for block in blocks if block["type"] == "actions" for e in block["elements"]]

    assert labels(open_=True, claimed_by=None) == ["Claim", "Resolve", "Details"]
    assert labels(open_=True, claimed_by="Bob") == ["Resolve", "Details"]
    assert labels(open_=False, claimed_by="Bob") == ["Details"]


def test_the_feedback_form_is_read_back_as_it_was_filled_in() -> None:
    state = {
        "reason": {"value": {"selected_option": {"value": "outdated"}}},
        "wrong": {"value": {"value": " The menu moved "}},
        "ticket": {"value": {"selected_options": [{"value": "open"}]}},
        "story": {"value": {"value": "VPN"}},
    }

    assert FeedbackForm.from_state(state) == FeedbackForm("It is wrong or out of date: The menu moved", True, "VPN")
    assert FeedbackForm.from_state({}) == FeedbackForm("", False, "")
