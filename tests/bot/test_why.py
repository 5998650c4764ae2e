"""Each turn's trace: kept with the outcome, once, and only of what the asker may see."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from bot import outcomes, turns
from bot.conversation import Asked, decide
from bot.outcomes import Answered, Clarified, Declined, Escalated
from bot.people import Employee
from bot.records import Conversation, Post, Turn, TurnTrace
from bot.routing import Intent, Route
from bot.traces import KEPT, forget, keep, kept
from bot.turn_names import TurnUnknown, turn_named
from bot.why import Branch, Why, from_json, to_json
from knowledge.answers import Answer, Citation
from knowledge.trace import Trace, Versions, traced
from store import Database

ALICE, DANA = "U0ALICE", "U0DANA"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
VPN = "How do I connect to the VPN from home?"
HUMAN = "I want to talk to a human"
PAY = "where can I ask to see pay bands?"
EMPLOYEE = Employee(team="T1", user="U1", name="Alice")


def search(confidence: float) -> Trace:
    return traced(
        "how",
        understood="how",
        earlier=(),
        access_sets=("",),
        hits=(),
        features={},
        confidence=confidence,
        threshold=0.5,
        reservation=None,
        versions=Versions("model.c1", "model", "1", 1, "x"),
        timings_ms={},
    )


def answer(confidence: float) -> Answer:
    cited = (Citation("vpn", "Connect to the VPN", None, None, 0.8),)
    return Answer("Do it.", confidence, confidence >= 0.5, cited, (1,), trace=search(confidence))


def desk_that_is_sure(confidence: float, *, on_topic: bool = True) -> Any:
    return SimpleNamespace(
        library=SimpleNamespace(answer=lambda *_, **__: answer(confidence)),
        router=SimpleNamespace(route=lambda text: Route(Intent.OTHER, 0.5, on_topic=on_topic)),
        grounded=None,
        proposer=None,
        database=None,
    )


def whys(place: Any) -> list[Why]:
    """The traces of all turns, in the order of the turns."""
    place.settled()
    with place.desk.database.reading() as session:
        keys = session.scalars(select(Turn.key).order_by(Turn.id)).all()
        found = [kept(session, key) for key in keys]
    assert None not in found
    return [why for why in found if why is not None]


@pytest.mark.parametrize(
    ("confidence", "on_topic", "asked_before", "outcome", "because"),
    [
        (0.9, True, False, Answered, "sure enough"),
        (0.4, True, False, Clarified, "sure enough to ask back"),
        (0.4, True, True, Escalated, "asked back before"),
        (0.1, True, False, Escalated, "too unsure to ask back"),
        (0.1, False, False, Declined, "nearer to chatter"),
    ],
)
def test_a_decision_says_why_it_is_an_answer_a_question_back_an_escalation_or_a_decline(
    confidence: float, on_topic: bool, asked_before: bool, outcome: type, because: str
) -> None:
    asked = Asked("how?", EMPLOYEE, private=True, last=Clarified("Which?") if asked_before else None)

    decision = decide(desk_that_is_sure(confidence, on_topic=on_topic), asked)

    assert isinstance(decision.outcome, outcome)
    assert decision.why.branch is Branch.KNOWLEDGE_BASE
    assert because in decision.why.because
    assert decision.why.search is not None
    assert decision.why.search.confidence == confidence


def test_a_message_for_an_open_ticket_is_passed_on_without_a_search() -> None:
    nothing: Any = SimpleNamespace(library=None, router=None, database=None)
    decision = decide(nothing, Asked("it is black now", EMPLOYEE, private=True, ticket="INC0000001"))
    assert decision.why == Why(Branch.OPEN_TICKET)


def test_a_trace_comes_back_from_json_as_it_was_and_makes_no_outcome_heavier() -> None:
    decision = decide(desk_that_is_sure(0.9), Asked("how?", EMPLOYEE, private=True))
    assert from_json(json.loads(json.dumps(to_json(decision.why)))) == decision.why
    assert "trace" not in outcomes.to_json(decision.outcome)["answer"]
    assert outcomes.from_json(outcomes.to_json(decision.outcome)) == decision.outcome


def test_every_turn_keeps_which_way_it_went(place: Any) -> None:
    place.ask("what is the capital of Australia?")
    for text in (VPN, "I forgot my password", ":wave:", "status of INC0000009"):
        place.ask(text)
    ts = place.ask(HUMAN).thread_ts
    place.says(ALICE, "it is black now", thread=ts)

    found = whys(place)
    assert [why.branch for why in found] == [
        Branch.KNOWLEDGE_BASE,
        Branch.KNOWLEDGE_BASE,
        Branch.ROUTINE,
        Branch.UNREADABLE,
        Branch.TICKET_NUMBER,
        Branch.HUMAN_WISH,
        Branch.OPEN_TICKET,
    ]
    capital, vpn, routine = found[:3]
    assert vpn.search is not None
    assert vpn.search.candidates[0].title == "Connect to the VPN from home"
    assert vpn.search.question == VPN
    assert capital.search is not None
    assert capital.search.decision == "no answer"
    assert routine.route is not None
    assert routine.route.nearest[0].intent is Intent.ROUTINE
    assert [why.search for why in found[2:]] == [None] * 5


def test_nobody_finds_in_a_trace_what_they_may_not_see(place: Any) -> None:
    place.ask(PAY, ALICE)
    place.ask(PAY, DANA)
    ts = place.says(DANA, f"<@U0DESK> {PAY}", channel="C0ITHELP")
    place.reply(ts, channel="C0ITHELP")

    stranger, reader, in_public = (json.dumps(to_json(why)) for why in whys(place))
    assert "Access to the salary system" in reader
    for seen in (stranger, in_public):
        assert "salary" not in seen
        assert "managers" not in seen


def test_a_turn_whose_recording_fails_at_first_has_one_trace_and_one_reply(
    place: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[str] = []

    def fails_once(session: Any, key: str, why: Why, now: datetime) -> None:
        keep(session, key, why, now)
        if not failures:
            failures.append(key)
            raise OperationalError("", {}, Exception("the database went away"))

    monkeypatch.setattr(turns, "keep", fails_once)
    ts = place.says(ALICE, VPN)
    place.reply(ts)

    assert [why.branch for why in whys(place)] == [Branch.KNOWLEDGE_BASE]
    assert failures
    assert len(place.replies(place.dm(), ts)) == 1


def test_a_turn_that_could_not_be_decided_says_so(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(desk: Any, asked: Any) -> Any:
        raise ValueError("a bug of ours")

    monkeypatch.setattr(turns, "decide", breaks)
    place.ask(VPN)
    assert whys(place) == [Why(Branch.TROUBLE)]


# The table, and naming a turn


def written(database: Database, *keys: str) -> None:
    """A conversation for each channel, and a turn for each key, a second apart."""
    with database.transaction() as session:
        for key in keys:
            team, channel, ts, *edited = key.split(":")
            place = session.scalar(select(Conversation).where(Conversation.channel == channel))
            if place is None:
                place = Conversation(
                    team=team, channel=channel, thread_ts=ts, employee="U1", surface="im",
                    created_at=NOW, last_turn_at=NOW,
                )  # fmt: skip
                session.add(place)
                session.flush()
            session.add(
                Turn(
                    key=key, conversation_id=place.id, ts=ts, edited_ts=edited[0] if edited else None, user="U1",
                    text="hello", files=[], state="done", received_at=NOW,
                )
            )  # fmt: skip
            session.flush()


def test_traces_are_forgotten_after_a_while_and_turns_are_not(database: Database) -> None:
    written(database, "T1:D1:1700000000.000100", "T1:D1:1700000001.000100")
    with database.transaction() as session:
        keep(session, "T1:D1:1700000000.000100", Why(Branch.SMALL_TALK), NOW - KEPT - timedelta(days=1))
        keep(session, "T1:D1:1700000001.000100", Why(Branch.SMALL_TALK), NOW - KEPT + timedelta(days=1))
    forget(database, NOW)
    with database.reading() as session:
        assert session.scalars(select(TurnTrace.turn_key)).all() == ["T1:D1:1700000001.000100"]
        assert session.scalar(select(func.count()).select_from(Turn)) == 2


def test_a_trace_that_is_kept_twice_is_the_later_one(database: Database) -> None:
    written(database, "T1:D1:1700000000.000100")
    for branch in (Branch.TROUBLE, Branch.SMALL_TALK):
        with database.transaction() as session:
            keep(session, "T1:D1:1700000000.000100", Why(branch), NOW)
    with database.reading() as session:
        assert kept(session, "T1:D1:1700000000.000100") == Why(Branch.SMALL_TALK)


@pytest.mark.parametrize(
    "name",
    [
        "last",
        " T1:D1:1700000001.000100 ",
        "1700000001.000100",
        "https://acme.slack.com/archives/D1/p1700000001000100",
        "https://acme.slack.com/archives/D1/p1700000001000100?thread_ts=1700000000.000100&cid=D1",
        "1700000005.000700",
        "https://acme.slack.com/archives/D1/p1700000005000700",
    ],
)
def test_a_turn_is_found_by_its_key_its_message_and_its_reply(database: Database, name: str) -> None:
    written(database, "T1:D2:1700000000.000100", "T1:D1:1700000001.000100")
    with database.transaction() as session:
        reply = Post(
            key="r",
            purpose="reply",
            ref="T1:D1:1700000001.000100",
            channel="D1",
            ts="1700000005.000700",
            created_at=NOW,
        )
        session.add(reply)
    with database.reading() as session:
        assert turn_named(session, name).key == "T1:D1:1700000001.000100"


def test_an_edited_message_is_its_latest_version(database: Database) -> None:
    written(database, "T1:D1:1700000001.000100", "T1:D1:1700000001.000100:1700000009.000000")
    with database.reading() as session:
        assert turn_named(session, "1700000001.000100").edited_ts == "1700000009.000000"
        assert turn_named(session, "T1:D1:1700000001.000100").edited_ts is None


@pytest.mark.parametrize(
    "name", ["", "x" * 999, "1.2.3", "1700000099.000100", "T1:D1:9", "https://acme.slack.com/", "\x1b[2J"]
)
def test_a_turn_that_is_not_there_is_said_with_what_to_do(database: Database, name: str) -> None:
    written(database, "T1:D1:1700000001.000100")
    with database.reading() as session, pytest.raises(TurnUnknown, match="why --list") as raised:
        turn_named(session, name)
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_a_time_in_two_channels_asks_for_the_key(database: Database) -> None:
    written(database, "T1:D1:1700000001.000100", "T1:D2:1700000001.000100")
    with database.reading() as session:
        with pytest.raises(TurnUnknown, match=r"T1:D1:1700000001\.000100"):
            turn_named(session, "1700000001.000100")
        link = "https://acme.slack.com/archives/D2/p1700000001000100"
        assert turn_named(session, link).key == "T1:D2:1700000001.000100"


def test_nobody_has_written_yet(database: Database) -> None:
    with database.reading() as session, pytest.raises(TurnUnknown, match="nobody has written"):
        turn_named(session, "last")
