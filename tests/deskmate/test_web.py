import json
import time
from typing import Any
from urllib.error import URLError

import pytest
from pydantic import SecretStr
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from starlette.testclient import TestClient

from bot.app import bolt_app, web_client
from bot.errors import SlackUnavailable
from bot.settings import SlackSettings
from bot.web import AddressTaken, Doors, listening, web_app

SECRET = "a signing secret"
ME = {"ok": True, "user_id": "U0DESK", "bot_id": "B0DESK", "team_id": "T1"}


class Said(dict[str, Any]):
    headers: dict[str, str] = {}  # noqa: RUF012 (never changed)


class StubClient(WebClient):
    """Knows who it is, and nothing else."""

    reachable = True

    def api_call(self, api_method: str, **arguments: Any) -> Any:
        if not self.reachable:
            raise URLError("no network")
        assert api_method == "auth.test"
        return Said(ME)


def slack_app() -> App:
    return bolt_app(SlackSettings(signing_secret=SecretStr(SECRET)), StubClient(token="xoxb-1"))


def event(kind: str) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T1", "event_id": "E1", "event": {"type": kind, "user": "U1"}}


def sent(app: App, body: dict[str, Any], *, secret: str = SECRET) -> int:
    web = TestClient(web_app(workflows=(), well=lambda: True, slack=app))
    content, now = json.dumps(body), str(int(time.time()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=now, body=content)
    headers = {
        "x-slack-request-timestamp": now,
        "x-slack-signature": str(signature),
        "content-type": "application/json",
    }
    return web.post("/slack/events", content=content, headers=headers).status_code


def test_a_signed_event_reaches_its_listener() -> None:
    app, seen = slack_app(), []

    def listener(event: dict[str, Any]) -> None:
        seen.append(event["type"])

    app.event("user_change")(listener)
    assert sent(app, event("user_change")) == 200
    assert seen == ["user_change"]


def test_a_wrongly_signed_event_reaches_nobody() -> None:
    app, seen = slack_app(), []
    app.event("user_change")(lambda: seen.append(1))
    assert sent(app, event("user_change"), secret="another") == 401
    assert seen == []


def test_a_listener_that_fails_is_answered_with_500_so_that_slack_delivers_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = slack_app()

    def listener() -> None:
        raise ValueError("a bug")

    app.event("user_change")(listener)
    assert sent(app, event("user_change")) == 500
    assert "A request of Slack (user_change) failed (" in caplog.text


def test_what_nobody_listens_to_is_acknowledged_quietly(caplog: pytest.LogCaptureFixture) -> None:
    assert sent(slack_app(), event("channel_rename")) == 200
    assert caplog.text == ""


def test_client_id_and_secret_in_the_environment_do_not_turn_the_app_to_oauth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "three")
    app = slack_app()
    assert app.oauth_flow is None
    app.event("user_change")(lambda: None)
    assert sent(app, event("user_change")) == 200


def test_without_slack_there_is_no_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StubClient, "reachable", False)
    with pytest.raises(SlackUnavailable):
        slack_app()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/api", "http://127.0.0.1:9/api/"])
def test_the_base_of_the_web_api_ends_with_a_slash_however_it_was_given(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_API_URL", url)
    assert web_client(SlackSettings()).base_url == "http://127.0.0.1:9/api/"


def test_health_is_503_until_all_is_well() -> None:
    state = {"well": False}
    web = TestClient(web_app(workflows=(), well=lambda: state["well"], slack=None))
    assert web.get("/healthz").status_code == 503
    state["well"] = True
    assert web.get("/healthz").status_code == 200


def test_until_there_is_an_app_whoever_comes_is_asked_to_come_again() -> None:
    doors = Doors()
    web = TestClient(doors)
    assert [web.get("/healthz").status_code, web.post("/slack/events").status_code] == [503, 503]
    doors.app = web_app(workflows=(), well=lambda: True, slack=None)
    assert web.get("/healthz").status_code == 200


def test_in_socket_mode_slack_requests_are_not_taken_over_http() -> None:
    web = TestClient(web_app(workflows=(), well=lambda: True, slack=None))
    assert web.post("/slack/events", json={}).status_code == 404


def test_a_port_in_use_is_said_in_one_line() -> None:
    with listening("127.0.0.1", 0) as taken, pytest.raises(AddressTaken, match="already in use"):
        listening("127.0.0.1", taken.getsockname()[1])
