import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from store import Database
from tests.deskmate.conftest import SAMPLE, run
from tickets.numbers import Kind
from tickets.opening import open_ticket
from tickets.records import ConversationRef


def document(*arguments: str) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def opened(home: Path) -> str:
    database = Database.at(f"sqlite:///{home / 'deskmate.sqlite'}")
    with database.transaction() as session:
        number = open_ticket(
            session,
            kind=Kind.INCIDENT,
            title="Badge",
            description="My badge stopped working",
            requester="U1",
            requester_account=None,
            conversation=ConversationRef("T1", "D1", "1.1"),
            actor="deskmate",
            now=datetime(2026, 3, 2, tzinfo=UTC),
        ).number
    database.close()
    return number


def test_tickets_are_listed_and_shown(new_home: Path) -> None:
    run("migrate")
    number = opened(new_home)
    listed = document("tickets", "list")
    assert [ticket["number"] for ticket in listed] == [number]
    assert listed[0]["conversation"] == {"team": "T1", "channel": "D1", "thread_ts": "1.1"}
    for spelling in (number, number.removeprefix("INC").lstrip("0")):
        shown = document("tickets", "show", spelling)
        assert shown == listed[0] | {"worklog": shown["worklog"], "events": shown["events"]}
        assert shown["events"][0]["type"] == "opened"
    assert "Badge" in run("tickets", "list").stdout
    assert "Badge" in run("tickets", "show", number).stdout


def test_a_ticket_that_is_not_there_is_said_in_one_line(new_home: Path) -> None:
    run("migrate")
    result = run("tickets", "show", "42")
    assert (result.exit_code, result.stderr) == (1, "deskmate: There is no ticket 42.\n")


def test_people_are_imported_and_the_same_feed_changes_nothing(new_home: Path) -> None:
    feed = str(SAMPLE / "people.json")
    first, second = document("people", "import", feed), document("people", "import", feed)
    assert first["added"] > 0
    assert second == {"added": 0, "changed": 0, "unchanged": first["added"], "failed": []}


def test_a_broken_feed_is_said_in_one_line(new_home: Path, tmp_path: Path) -> None:
    (tmp_path / "people.json").write_text('[{"account": "x"}]')
    result = run("people", "import", str(tmp_path / "people.json"))
    assert result.exit_code == 1
    assert result.stderr.startswith("deskmate: Entry 1 (x): name")


def test_a_failed_article_ends_with_one_and_the_rest_is_in(home: Path, tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("# Printer\n\nTurn it on.\n")
    (tmp_path / "bad.md").write_text("---\naccess: {\n---\n# Secret\n")
    result = run("ingest", str(tmp_path), "--json")
    counts = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (counts["added"], [Path(failure["path"]).name for failure in counts["failed"]]) == (1, ["bad.md"])


def test_migrating_tells_the_schema(new_home: Path) -> None:
    assert document("migrate") == document("migrate")


def test_a_database_of_a_newer_version_is_said_in_one_line(new_home: Path) -> None:
    run("migrate")
    connection = sqlite3.connect(new_home / "deskmate.sqlite")
    connection.execute("UPDATE alembic_version SET version_num = '9999_later'")
    connection.commit()
    connection.close()
    for command in (["migrate"], ["tickets", "list"], ["ask", "hello"]):
        result = run(*command)
        assert result.exit_code == 1
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DESKMATE_INDEX", "faiss", "DESKMATE_INDEX"),
        ("DESKMATE_INDEX", "pgvector", "DESKMATE_INDEX"),
        ("DESKMATE_CHROMA_URL", "http://127.0.0.1:1", "DESKMATE_CHROMA_URL"),
        ("DESKMATE_LLM", "gpt", "DESKMATE_LLM"),
        ("DESKMATE_LLM", "nobodys:model", "DESKMATE_LLM"),
        ("DESKMATE_LLM", "anthropic:claude", "pip install langchain-anthropic"),
        ("DESKMATE_LLM", "openai:gpt", "OPENAI_API_KEY"),
        ("DESKMATE_LLM_TIMEOUT_SECONDS", "soon", "DESKMATE_LLM_TIMEOUT_SECONDS"),
        ("DESKMATE_PUBLIC_URL", "nonsense", "DESKMATE_PUBLIC_URL"),
        ("DESKMATE_DATABASE_URL", "nonsense", "DESKMATE_DATABASE_URL"),
        ("DESKMATE_DATABASE_URL", "postgresql://nobody:pass-word@127.0.0.1:1/x", "DESKMATE_DATABASE_URL"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    result = run("ask", "How do I connect to the VPN?")
    assert result.exit_code == 1
    assert said in result.stderr
    assert "pass-word" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "tokens", "said"),
    [
        ([], {}, "SLACK_BOT_TOKEN"),
        ([], {"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_APP_TOKEN"),
        (["--socket"], {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}, "SLACK_APP_TOKEN"),
        (["--http"], {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}, "SLACK_SIGNING_SECRET"),
    ],
)
def test_serving_without_a_token_says_which_and_where_to_get_it(
    new_home: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], tokens: dict[str, str], said: str
) -> None:
    for name, value in tokens.items():
        monkeypatch.setenv(name, value)
    result = run("serve", *arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "docs/slack-setup.md" in result.stderr


def test_the_doctor_finds_a_filled_home_well(home: Path) -> None:
    checks = {check["name"]: check for check in document("doctor")}
    assert {"python", "home", "index", "model", "database", "articles", "directory", "work"} <= checks.keys()
    assert checks["slack"]["state"] == "optional"
    assert "Nothing that is required is missing" in run("doctor").stdout


def test_the_doctor_asks_nothing_of_a_newcomer_and_makes_nothing(new_home: Path) -> None:
    assert "missing" not in {check["state"] for check in document("doctor")}
    assert not new_home.exists()


def test_the_doctor_says_what_to_do(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setenv("DESKMATE_SMTP_URL", "smtp://127.0.0.1:1")
    result = run("doctor", "--json")
    assert result.exit_code == 1
    missing = {check["name"]: check for check in json.loads(result.stdout) if check["state"] == "missing"}
    assert missing.keys() == {"slack", "slack way", "mail"}
    assert all(check["to_do"] for check in missing.values())


def test_the_doctor_names_an_index_server_that_does_not_answer_without_its_password(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKMATE_CHROMA_URL", "http://ann:hush-hush@127.0.0.1:1")
    result = run("doctor", "--json")
    assert result.exit_code == 1
    index = next(check for check in json.loads(result.stdout) if check["name"] == "index")
    assert index["state"] == "missing"
    assert "http://127.0.0.1:1 doesn't answer" in index["found"]
    assert "hush-hush" not in result.output


def test_the_secret_key_is_made_once_and_closed_to_others(new_home: Path) -> None:
    run("people", "import", str(SAMPLE / "people.json"))
    key = new_home / "secret.key"
    made = key.read_text()
    run("people", "import", str(SAMPLE / "people.json"))
    assert key.read_text() == made
    assert key.stat().st_mode & 0o077 == 0
    assert new_home.stat().st_mode & 0o077 == 0
