"""Several questions in one message: each answered by itself, in order, with its own sources."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select

from bot import outcomes
from bot.blocks.outcomes import render
from bot.conversation import Asked, decide
from bot.outcomes import Answered, Clarified, Escalated, Part
from bot.people import Employee
from bot.records import Turn
from bot.routing import Intent, Route
from bot.several import MOST, TOLD, UNKNOWN
from bot.traces import kept
from knowledge.answers import Answer, Citation
from tests.bot.conftest import ALICE, Place
from tests.handoff.block_kit import check_message

DANA = "U0DANA"
EMPLOYEE = Employee(team="T1", user="U1", name="Alice")
VPN = "How do I connect to the VPN from home?"
PRINTER = "How do I add a printer?"
CAPITAL = "What is the capital of Australia?"
PAY = "How do I request access to pay bands in the salary system?"


def answer(article: str, confidence: float, passage: int, *, more: bool = False) -> Answer:
    cited = (Citation(article, article.upper(), f"https://kb.example/{article}", None, 0.8),)
    return Answer(f"All about {article}.", confidence, confidence >= 0.5, cited, (passage,), more=more)


KNOWN = {
    "vpn": answer("vpn", 0.9, 1),
    "printer": answer("printer", 0.7, 2, more=True),
    "badge": answer("badge", 0.8, 3),
    "monitor": answer("monitor", 0.3, 4),
    "tunnel": answer("vpn", 0.9, 1),
    "router": answer("vpn", 0.2, 5),
}


class Desk(SimpleNamespace):
    """Knows the matter of a question by one word of it, and remembers what it was asked."""

    def __init__(self) -> None:
        self.searched: list[tuple[str, frozenset[str]]] = []
        super().__init__(library=self, router=self, database=None, grounded=None, proposer=None)

    def answer(self, question: str, *, groups: frozenset[str] = frozenset(), **_: Any) -> Answer:
        self.searched.append((question, groups))
        return next((known for word, known in KNOWN.items() if word in question.lower()), Answer("", 0.0, False))

    def route(self, text: str) -> Route:
        if text.lower().startswith("how do i reset my password"):
            return Route(Intent.ROUTINE, 0.9, "password_reset")
        return Route(Intent.OTHER, 0.1)


def outcome_of(text: str, desk: Desk | None = None, **asked: Any) -> Any:
    return decide(desk or Desk(), Asked(text, EMPLOYEE, **{"private": True} | asked)).outcome


def test_the_parts_come_in_order_each_with_its_own_answer() -> None:
    outcome = outcome_of("Where can I get a badge? And how do I add a printer?")
    assert isinstance(outcome, Answered)
    assert [(part.question, part.answer and part.answer.text) for part in outcome.parts] == [
        ("Where can I get a badge?", "All about badge."),
        (PRINTER, "All about printer."),
    ]
    assert outcome.answer.text == "All about badge.\n\nAll about printer."
    assert [citation.article_id for citation in outcome.answer.citations] == ["badge", "printer"]
    assert (outcome.answer.confidence, outcome.answer.more) == (0.7, True)


def test_what_it_is_not_sure_of_is_said_among_what_it_knows() -> None:
    outcome = outcome_of("How do I add a printer? And can I get a second monitor?")
    assert [part.said for part in outcome.parts] == ["", UNKNOWN]
    assert [citation.article_id for citation in outcome.answer.citations] == ["printer"]
    text = render(outcome, surface="im").text
    assert text.index("1. How do I add a printer?") < text.index("kb.example/printer") < text.index("2. Can I get")
    assert text.endswith("I don't know about this one. A person can help.")


def test_when_it_is_sure_of_none_the_message_is_judged_as_a_whole() -> None:
    desk = Desk()
    message = "Can I get a second monitor? And where do I find the canteen menu?"
    assert isinstance(outcome_of(message, desk), Clarified | Escalated)
    assert desk.searched[-1][0] == message


@pytest.mark.parametrize(
    "message",
    [
        "How do I connect to the VPN? And where can I find the tunnel address?",
        "How do I connect to the VPN? And how do I set up my router at home?",
    ],
)
def test_two_questions_that_one_article_answers_get_one_answer(message: str) -> None:
    outcome = outcome_of(message)
    assert isinstance(outcome, Answered)
    assert outcome.parts == ()


def test_of_three_questions_two_on_the_same_matter_are_told_once() -> None:
    outcome = outcome_of("How do I get a VPN? Where can I find the tunnel address? How do I add a printer?")
    assert [part.said for part in outcome.parts] == ["", TOLD, ""]


def test_more_than_three_are_not_all_answered_and_that_is_said() -> None:
    desk = Desk()
    outcome = outcome_of(
        "How do I get a VPN? How do I add a printer? Where can I get a badge? What is a monitor arm? Who sells chairs?",
        desk,
    )
    assert len(desk.searched) == MOST
    assert [part.answer is not None for part in outcome.parts] == [True, True, True, False, False]
    assert all(part.offered and "by itself" in part.said for part in outcome.parts[3:])


def test_a_routine_request_among_questions_starts_nothing_and_is_offered_by_a_button() -> None:
    outcome = outcome_of("How do I reset my password? And where do I find the VPN client?")
    first, second = outcome.parts
    assert (first.offered, first.answer, second.offered) == (True, None, False)
    (actions,) = [block for block in render(outcome, surface="im").blocks if block["type"] == "actions"]
    labels = {element["action_id"]: element["text"]["text"] for element in actions["elements"]}
    assert labels["clarify_option_0"] == "How do I reset my password?"


@pytest.mark.parametrize(("private", "groups"), [(True, frozenset({"managers"})), (False, frozenset())])
def test_each_part_is_searched_with_what_the_asker_may_see_at_that_place(private: bool, groups: frozenset[str]) -> None:
    desk, boss = Desk(), Employee(team="T1", user="U2", name="Dana", groups=frozenset({"managers"}))
    decide(desk, Asked("How do I get a VPN? How do I add a printer?", boss, private=private))
    assert desk.searched == [("How do I get a VPN?", groups), (PRINTER, groups)]


def test_the_outcome_comes_back_from_json_as_it_was() -> None:
    outcome = outcome_of("How do I add a printer? And can I get a second monitor?")
    assert outcomes.from_json(json.loads(json.dumps(outcomes.to_json(outcome)))) == outcome


@pytest.mark.parametrize("count", [2, 3, 5])
def test_whatever_the_parts_hold_slack_can_take_the_message(count: int) -> None:
    long = Answer(
        "1. Do **this** <!channel> & that.\n" * 3_000,
        0.9,
        True,
        tuple(Citation(f"a{n}", "T" * 300, f"https://kb.example/{'x' * 400}", "H" * 300, 0.5) for n in range(3)),
        (1,),
        more=True,
    )
    parts = tuple(Part("<@U1> *why* & how? " * 100, long, offered=True) for _ in range(count))
    rendered = render(Answered(long, parts), surface="im")
    check_message(rendered.text, rendered.blocks)
    assert len(rendered.text) <= 3_000
    assert sum(len(block["text"]) for block in rendered.blocks if block["type"] == "markdown") <= 12_000


# In Slack


def words(message: Any) -> str:
    return "\n".join(str(block["text"]) for block in message.blocks if block["type"] in ("section", "markdown"))


def test_one_reply_answers_both_and_one_trace_tells_of_both(place: Place) -> None:
    ts = place.says(ALICE, f"{VPN} And where do I add a printer? Thanks!")
    reply = place.reply(ts)
    place.settled()

    assert len(place.replies(place.dm(), ts)) == 1
    assert words(reply).index("Northgate VPN") < words(reply).index("Add a printer")
    assert [block["type"] for block in reply.blocks].count("context") == 2
    with place.desk.database.reading() as session:
        (turn,) = session.scalars(select(Turn))
        why = kept(session, turn.key)
    assert turn.outcome_kind == "answered"
    assert why is not None
    assert why.search is not None
    assert [search.question for search in (why.search, *why.further)] == [VPN, "Where do I add a printer?"]


def test_what_nobody_knows_is_said_beside_the_answer(place: Place) -> None:
    said = words(place.ask(f"{VPN} And {CAPITAL.lower()}"))
    assert "Northgate VPN" in said
    assert "2. What is the capital of australia?" in said
    assert "I don't know about this one" in said


def test_a_part_that_the_asker_may_not_read_is_not_known_to_them(place: Place) -> None:
    message = f"{VPN} {PAY}"
    assert "managers' portal" in words(place.ask(message, DANA))
    told = place.ask(message, ALICE)
    assert "Northgate VPN" in words(told)
    assert "managers" not in str(told.blocks)
    ts = place.says(DANA, f"<@U0DESK> {message}", channel="C0ITHELP")
    assert "managers" not in str(place.reply(ts, channel="C0ITHELP").blocks)


def test_all_steps_of_the_second_answer_are_shown_at_a_click(place: Place) -> None:
    reply = place.ask(f"{VPN} And how do I run the quarterly archive?")
    place.press(ALICE, reply, "answer_more_1")
    place.until(lambda: any("step number 60" in str(m.blocks) for m in place.replies(place.dm(), str(reply.thread_ts))))


def test_the_button_of_a_routine_request_asks_for_it(place: Place) -> None:
    reply = place.ask(f"{VPN} And how do I reset my password?")
    place.press(ALICE, reply, "clarify_option_1")
    place.reply(str(reply.thread_ts), number=2)
    place.settled()
    with place.desk.database.reading() as session:
        kinds = session.scalars(select(Turn.outcome_kind).order_by(Turn.id)).all()
    assert kinds == ["answered", "in_progress"]
