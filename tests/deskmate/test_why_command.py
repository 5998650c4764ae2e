"""`deskmate why` and `deskmate ask --why`, as somebody at a terminal uses them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.outcomes import Answered, Clarified, Declined, Escalated, Handoff, HandoffReason, InProgress, Outcome, to_json
from bot.records import Conversation, Feedback, Post, Turn, TurnTrace
from bot.routing import Example, Intent, Route
from bot.traces import keep
from bot.why import Branch, Why
from knowledge.answers import Answer, Citation
from knowledge.retrieval import Hit
from knowledge.trace import BELOW, Trace, Versions, traced
from store import Database
from tests.deskmate.conftest import run

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SCREEN = 40
"""Lines."""
TITLE = "Connect to the VPN"


def searched(confidence: float, *, reservation: str | None = None) -> Trace:
    hits = [
        Hit(
            number,
            number,
            f"a{number}",
            TITLE if number == 1 else f"Article {number}",
            None,
            ("Steps",),
            "",
            0,
            cosine,
            0,
            frozenset(),
        )
        for number, cosine in ((1, 0.8), *((n, 0.5 - n / 100) for n in range(2, 40)))
    ]
    return traced(
        "how do i get on the wlan?",
        understood="how do i get on the Wi-Fi?",
        earlier=("hello",),
        access_sets=("", "4f1d"),
        hits=hits,
        features={"cosine": 0.8, "something_new": 0.25},
        confidence=confidence,
        threshold=0.5,
        reservation=reservation,
        versions=Versions("model.c1", "model", "1", 7, "abc"),
        timings_ms={"retrieve": 5.0},
    )


def asked_the_base(because: str, search: Trace) -> Why:
    route = Route(Intent.OTHER, 0.4, nearest=(Example("the wifi is slow", Intent.OTHER, 0.4),))
    return Why(Branch.KNOWLEDGE_BASE, because, route, search, asking_from=0.25)


ANSWERED = Answered(Answer("Do it.", 0.83, True, (Citation("a1", TITLE, None, "Steps", 0.9),), (1,)))
ESCALATED = Escalated(Handoff(HandoffReason.LOW_CONFIDENCE, "how"), ticket="INC0000007")
FOLLOW_UP = Escalated(Handoff(HandoffReason.EMPLOYEE_ASKED, "how"), ticket="INC0000007", follow_up=True)
ROUTINE = Route(
    Intent.ROUTINE, 0.9, "password_reset", sure=0.97, nearest=(Example("I forgot it", Intent.ROUTINE, 0.9),)
)
DAMAGE = "the question names damage that the article doesn't"

TURNS: list[tuple[Outcome, Why, list[str]]] = [
    (
        ANSWERED,
        asked_the_base("it is sure enough of it", searched(0.83)),
        [
            'from "Connect to the VPN" ("Steps")',
            "0.83, and the bar is 0.50",
            "wlan → Wi-Fi",
            "1 set of restricted",
            "*  1",
        ],
    ),
    (
        Clarified("Which?", options=("a", "b")),
        asked_the_base("it was too unsure to answer, and sure enough to ask back", searched(0.31)),
        ["It asked back", "0.31 sure", "below the bar of 0.50", "hello"],
    ),
    (
        Declined("I don't know."),
        asked_the_base("the message is nearer to chatter and general knowledge than to IT", searched(0.01)),
        ["It declined", "nearer to chatter", "0.25 for asking back"],
    ),
    (
        ESCALATED,
        asked_the_base("it was too unsure to ask back", searched(0.1, reservation=DAMAGE)),
        ["brought in a person (INC0000007)", DAMAGE],
    ),
    (FOLLOW_UP, Why(Branch.OPEN_TICKET), ["passed the message on to INC0000007", "Nothing was searched"]),
    (
        InProgress("password_reset", "I can do that."),
        Why(Branch.ROUTINE, route=ROUTINE),
        ["workflow password_reset", "0.97 sure that it is a routine request, 0.50 needed"],
    ),
    (
        Declined("No authenticator."),
        Why(Branch.ROUTINE, route=ROUTINE, refused="No authenticator."),
        ["It declined", "It was refused: No authenticator."],
    ),
    (Declined("Sorry, something broke."), Why(Branch.TROUBLE), ["something broke", "log"]),
]


@pytest.fixture
def base(new_home: Path) -> Database:
    run("migrate")
    database = Database.at(f"sqlite:///{new_home / 'deskmate.sqlite'}")
    with database.transaction() as session:
        session.add(
            Conversation(
                id=1, team="T1", channel="D1", thread_ts="1700000000.000100", employee="U1", surface="im",
                created_at=NOW, last_turn_at=NOW,
            )
        )  # fmt: skip
    return database


def kept(database: Database, outcome: Outcome | None, why: Why | None, number: int = 0, text: str = "how?") -> str:
    """A turn's key."""
    ts = f"170000{number:04}.000100"
    with database.transaction() as session:
        session.add(
            Turn(
                key=f"T1:D1:{ts}", conversation_id=1, ts=ts, user="U1", text=text, files=[],
                state="done" if outcome else "received", outcome=to_json(outcome) if outcome else None,
                outcome_kind=outcome.kind if outcome else None, received_at=NOW + timedelta(seconds=number),
            )
        )  # fmt: skip
        session.flush()
        if why is not None:
            keep(session, f"T1:D1:{ts}", why, NOW)
    return f"T1:D1:{ts}"


def said(*arguments: str) -> str:
    result = run("why", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(("outcome", "why", "expected"), TURNS)
def test_a_turn_is_explained_on_one_screen(base: Database, outcome: Outcome, why: Why, expected: list[str]) -> None:
    shown = said(kept(base, outcome, why))
    for phrase in expected:
        assert words(phrase) in words(shown)
    assert len(shown.splitlines()) <= SCREEN
    assert max(map(len, shown.splitlines())) <= 100


def test_all_names_of_a_turn_show_the_same(base: Database) -> None:
    key = kept(base, ANSWERED, asked_the_base("it is sure enough of it", searched(0.83)))
    with base.transaction() as session:
        session.add(Post(key="r", purpose="reply", ref=key, channel="D1", ts="1700000009.000700", created_at=NOW))
    names = ["last", key, key.split(":")[2], "1700000009.000700", "https://x.slack.com/archives/D1/p1700000009000700"]
    assert len({said(name) for name in names}) == 1


def test_json_holds_the_whole_trace(base: Database) -> None:
    key = kept(base, ANSWERED, asked_the_base("it is sure enough of it", searched(0.83)), text="on the &lt;wlan&gt;?")
    with base.transaction() as session:
        session.add(Feedback(turn_key=key, user="U1", helpful=False, wrong="old menu", at=NOW))
    shown: dict[str, Any] = json.loads(said("last", "--json"))
    assert list(shown) == [
        "turn", "user", "surface", "received_at", "state", "text", "outcome", "trace", "feedback",
    ]  # fmt: skip
    assert (shown["turn"], shown["text"]) == (key, "on the <wlan>?")
    assert len(shown["trace"]["search"]["candidates"]) == 20
    assert shown["trace"]["search"]["because"] != BELOW
    assert shown["feedback"] == [{"user": "U1", "helpful": False, "wrong": "old menu"}]
    assert "not helpful old menu" in words(said("last"))


def test_the_latest_turns_are_listed_newest_first(base: Database) -> None:
    keys = [kept(base, outcome, why, number) for number, (outcome, why, _) in enumerate(TURNS)]
    keys.append(kept(base, None, None, len(TURNS), text="still\x1b[2J\nwaiting"))
    lines = said("--list").splitlines()
    assert [line.split()[0] for line in lines] == keys[::-1]
    assert "undecided" in lines[0]
    assert "\x1b" not in lines[0]
    assert "0.83" in lines[-1]
    listed = json.loads(said("--list", "--json"))
    assert [entry["turn"] for entry in listed] == keys[::-1]
    assert list(listed[-1].values()) == [keys[0], NOW.isoformat(), "answered", 0.83, "how?"]


def test_what_is_not_there_any_more_or_not_yet_is_said(base: Database) -> None:
    assert "traces are kept for 90 days" in words(said(kept(base, ANSWERED, None)))
    assert "Nothing is decided yet" in said(kept(base, None, None, 1))


def test_a_trace_of_another_version_is_shown_as_it_is(base: Database) -> None:
    key = kept(base, ANSWERED, None)
    with base.transaction() as session:
        session.add(TurnTrace(turn_key=key, trace={"branch": "telepathy"}, created_at=NOW))
    result = run("why", key)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "--json" in result.stderr
    assert json.loads(said(key, "--json"))["trace"] == {"branch": "telepathy"}


@pytest.mark.parametrize(
    "name", ["nonsense", "", "1.1", "T1:D1:1700000099.000100", "https://x.slack.com/archives/D1/p1"]
)
@pytest.mark.usefixtures("base")
def test_an_unknown_turn_is_one_line_that_says_what_to_do(name: str) -> None:
    result = run("why", name)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "why --list" in result.stderr


@pytest.mark.usefixtures("base")
def test_a_desk_that_nobody_has_written_to_says_so() -> None:
    assert said("--list") == "There are no turns yet.\n"
    assert json.loads(said("--list", "--json")) == []
    assert "nobody has written" in run("why", "last").stderr


@pytest.mark.parametrize("arguments", [[], ["last", "--list"], ["a", "b"]])
@pytest.mark.usefixtures("base")
def test_neither_or_both_is_misuse(arguments: list[str]) -> None:
    assert run("why", *arguments).exit_code == 2


@pytest.mark.usefixtures("new_home")
def test_without_a_database_it_is_one_line() -> None:
    result = run("why", "last")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


@pytest.mark.usefixtures("home")
def test_a_question_is_asked_and_explained_and_nothing_is_kept() -> None:
    question = "How do I set up the VPN on Windows?"
    plain, explained = run("ask", question), run("ask", "--why", question)
    assert explained.exit_code == 0
    assert explained.stdout.startswith(plain.stdout)
    assert 'It answered from "Set up the VPN on Windows"' in words(explained.stdout)
    result = json.loads(run("ask", "--why", question, "--json").stdout)
    assert result["why"]["branch"] == "knowledge_base"
    assert result["why"]["search"]["candidates"][0]["article_id"] == "kb-vpn-setup"
    assert said("--list") == "There are no turns yet.\n"


@pytest.mark.usefixtures("home")
def test_why_is_for_one_question(tmp_path: Path) -> None:
    assert run("ask", "--why", "--batch", str(tmp_path / "questions.jsonl")).exit_code == 2
