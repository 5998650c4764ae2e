"""`deskmate requests`, `switch` and `audit`, as an administrator types them."""

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.directory.demo import DemoDirectory
from bot.people import load_feed
from bot.routines.records import RoutineRequest
from bot.workflows.register import ROUTINES
from deskmate.cli import app
from deskmate.settings import Settings
from deskmate.up import load_groups
from deskmate.wiring import open_database, people_of
from tests.filled import SAMPLE


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DESKMATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DESKMATE_OFFERS", str(SAMPLE / "offers.json"))
    settings = Settings.read()
    with open_database(settings, migrated=True) as database:
        load_groups(settings, database)
        people_of(database, settings, secret="k" * 32).import_feed(load_feed(SAMPLE / "people.json"))
    return tmp_path / "home"


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def told(*words: str) -> Any:
    return json.loads(run(*words, "--json"))


def test_a_request_is_tried_and_nothing_is_done() -> None:
    plan = told("requests", "try", "group_join", "--as", "alice", "--set", "what=design-tools", "--set", "reason=test")

    assert plan["steps"] == ["put you into the group design-tools"]
    assert plan["approvers"] == ["your manager: dana"]
    assert plan["refusal"] is None
    with open_database(Settings.read()) as database:
        alice = DemoDirectory(database, privileged_groups=frozenset()).find("alice")
    assert alice is not None
    assert "design-tools" not in alice.groups


def test_what_people_would_do_is_told_too() -> None:
    values = ("what=docking station", "place=Desk 3.14", "reason=test")
    plan = run("requests", "try", "hardware", "--as", "alice", *(word for value in values for word in ("--set", value)))

    assert "people would: Take a docking station out of stock, or order one" in plan


def test_the_table_of_requests_is_markdown_wherever_it_goes() -> None:
    assert run("requests", "list", "--markdown").startswith("| Request | Risk |")


def test_codes_are_put_in_stock_once_and_counted(tmp_path: Path) -> None:
    file = tmp_path / "vouchers.txt"
    file.write_text("\ufeffone-111\n\n  two-222  \r\none-111\n", encoding="utf-8")

    assert told("codes", "add", "Guest Wi-Fi", str(file)) == {"offer": "guest Wi-Fi", "added": 2, "left": 2}
    assert told("codes", "add", "guest Wi-Fi", str(file)) == {"offer": "guest Wi-Fi", "added": 0, "left": 2}
    assert told("codes", "list") == [{"offer": "guest Wi-Fi", "left": 2}]


@pytest.mark.parametrize(
    "words", [("parking", "vouchers.txt"), ("guest Wi-Fi", "missing.txt"), ("guest Wi-Fi", "empty.txt")]
)
def test_codes_of_no_offer_and_files_without_codes_are_refused_in_a_line(
    tmp_path: Path, words: tuple[str, str]
) -> None:
    (tmp_path / "vouchers.txt").write_text("one-111")
    (tmp_path / "empty.txt").write_text("\n")
    offer, file = words

    said = run("codes", "add", offer, file, code=1)

    assert said.count("\n") == 1
    assert "There are: guest Wi-Fi" in said or file in said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("what=price-lists", "reason=test"), "90 days at most"),
        (("what=design-tools", "reason=test", "until=2020-01-01"), "over already"),
        (("what=nothing", "reason=test"), "isn't on offer"),
    ],
)
def test_what_would_be_refused_is_said(values: tuple[str, ...], said: str) -> None:
    settings = [word for value in values for word in ("--set", value)]
    assert said in run("requests", "try", "group_join", "--as", "alice", *settings)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing", "--as", "alice"), "There is no request nothing"),
        (("group_join", "--as", "nobody", "--set", "what=design-tools", "--set", "reason=test"), "no account nobody"),
        (("group_join", "--as", "alice", "--set", "what=design-tools"), "reason: This is needed."),
    ],
)
def test_what_cant_be_tried_is_one_clear_line(words: tuple[str, ...], said: str) -> None:
    assert said in run("requests", "try", *words, code=1)


def test_one_person_switches_off_and_two_switch_on_again() -> None:
    run("switch", "off", "workflow:group_join", "--reason", "too many", "--by", "bob")
    assert told("switch", "list")[0]["scope"] == "workflow:group_join"
    values = ("--set", "what=design-tools", "--set", "reason=test")
    assert "switched this off" in run("requests", "try", "group_join", "--as", "alice", *values)

    assert "second person" in run("switch", "on", "workflow:group_join", "--by", "bob")
    assert "second person" in run("switch", "on", "workflow:group_join", "--by", "bob", code=1)
    assert "is on" in run("switch", "on", "workflow:group_join", "--by", "carol")
    assert "Nothing is switched off" in run("switch", "list")


def test_a_scope_that_isnt_there_is_misuse() -> None:
    assert "neither all" in run("switch", "off", "workflow:nothing", "--reason", "x", code=2)


def test_the_trail_verifies_until_somebody_changes_a_row(home: Path) -> None:
    run("switch", "off", "all", "--reason", "test", "--by", "bob")
    run("switch", "on", "all", "--by", "bob")
    report = told("audit", "verify")
    assert (report["rows"], report["first_broken"]) == (2, None)
    rows = [json.loads(line) for line in run("audit", "export", "-").splitlines()]
    assert [(row["subject"], row["event"]) for row in rows] == [("all", "off"), ("all", "on")]
    assert rows[-1]["digest"] == report["last_digest"]

    with sqlite3.connect(home / "deskmate.sqlite") as connection:
        connection.execute("UPDATE audit SET actor = 'carol' WHERE id = 1")
    assert "Row 1 was changed" in run("audit", "verify", code=1)


def test_what_can_be_asked_for_is_listed() -> None:
    names = [row["name"] for row in told("requests", "list")]
    assert names == [routine.name for routine in ROUTINES]


def test_past_requests_are_tried_against_the_offers_of_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no requests yet" in run("requests", "replay")
    with open_database(Settings.read()) as database, database.transaction() as session:
        for number, (account, what) in enumerate((("alice", "design-tools"), ("alice", "price-lists"), ("gone", "x"))):
            session.add(past_request(number, account, {"what": what, "reason": "a test"}))
    plans = [row["plan"] for row in told("requests", "replay", "group_join")]
    assert [plan["approvers"] for plan in plans] == [["your manager: dana"], [], []]
    assert "90 days at most" in plans[1]["refusal"]
    assert "no account gone" in plans[2]["refusal"]

    (tmp_path / "offers.json").write_text("[]")
    monkeypatch.setenv("DESKMATE_OFFERS", str(tmp_path / "offers.json"))
    assert "isn't on offer" in run("requests", "replay")
    assert told("requests", "replay", "sign_out") == []


def past_request(number: int, account: str, wish: dict[str, str]) -> RoutineRequest:
    at = datetime(2026, 3, 2, 9, number, tzinfo=UTC)
    return RoutineRequest(
        id=f"{number:032}",
        key=f"turn:{number}",
        workflow="group_join",
        team="T0SANDBOX",
        slack_user="U0ALICE",
        account=account,
        directory_id=account,
        name=account.title(),
        conversation_id=1,
        channel="D0ALICE",
        thread_ts="1.1",
        state="done",
        wish=wish,
        stage=0,
        created_at=at,
        changed_at=at,
    )
