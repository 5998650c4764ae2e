"""S1: a request that Slack didn't sign is refused, whatever it looks like, and no code of ours sees it.

By default N = 1,000 forgeries; marked `slow`, N = 10,000, which bounds what gets
through at 0.03 % with 95 % confidence.
"""

import hmac
import json
import logging
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr
from slack_bolt import Ack, App
from slack_sdk import WebClient
from starlette.testclient import TestClient

from bot.app import bolt_app
from bot.settings import SlackSettings
from bot.web import web_app

SECRET, OTHER_APPS = "the signing secret of this app", "the signing secret of another"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
Headers = list[tuple[str, str]]
WAYS = (
    *("unsigned", "no stamp", "noise", "bit", "cut", "other app", "empty secret", "body", "stamp", "case", "version"),
    *("doubled", "odd body"),
)
ODD = (
    *(b"[]", b"null", b"1", b'"text"', b"{", b'{"event": []}', b'{"event": null}', b'{"type": {}}', b'{"team": 1}'),
    *(b"payload=null", b"payload=[]", b"payload={", b"payload=", b"=&&=", b"\xff\xfe", b"command", b'{"user": []}'),
    *(b'{"authorizations": [1]}', b'{"enterprise": 1}', b"payload=%7B%22channel%22%3A%5B%5D%7D", b"[" * 100_000),
)


class Said(dict[str, Any]):
    headers: dict[str, str] = {}  # noqa: RUF012 (never changed)


class StubClient(WebClient):
    def api_call(self, api_method: str, **arguments: Any) -> Any:
        assert api_method == "auth.test"
        return Said({"ok": True, "user_id": "U0DESK", "bot_id": "B0DESK", "team_id": "T1", "bot_user_id": "U0DESK"})


class Gate:
    """The product's app and web server, with a listener for everything; `seen` counts what got to one."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        app = bolt_app(SlackSettings(signing_secret=SecretStr(SECRET)), StubClient(token="xoxb-1"))
        app.use(self._passed)
        anything = re.compile(".*")
        app.event(anything)(self._hears("event"))
        app.action(anything)(self._hears("action"))
        app.command(anything)(self._hears("command"))
        app.view(anything)(self._hears("view"))
        app.shortcut(anything)(self._hears("shortcut"))
        self.app: App = app
        self._web = TestClient(web_app(workflows=(), well=lambda: True, slack=app))

    def _hears(self, what: str) -> Callable[..., None]:
        def listener(ack: Ack) -> None:
            self.seen.append(what)
            ack()

        return listener

    def _passed(self, next: Any) -> None:
        self.seen.append("middleware")
        next()

    def send(self, body: bytes, headers: Headers) -> int:
        wire = [(name.encode(), value.encode("latin-1")) for name, value in headers]
        return self._web.post("/slack/events", content=body, headers=wire).status_code


@pytest.fixture
def gate() -> Gate:
    return Gate()


def signed(body: bytes, *, secret: str = SECRET, timestamp: str | None = None) -> dict[str, str]:
    stamp = timestamp or str(int(time.time()))
    made = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, "sha256").hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={made}"}


def payloads() -> list[tuple[bytes, str]]:
    """One of each kind that Slack sends."""
    event = {"type": "message", "channel_type": "im", "channel": "D1", "user": "U1", "ts": "1.2", "text": "hello"}
    clicked = {
        "type": "block_actions",
        "user": {"id": "U1"},
        "team": {"id": "T1"},
        "actions": [{"action_id": "triage_claim"}],
    }
    sent = {
        "type": "view_submission",
        "user": {"id": "U1"},
        "team": {"id": "T1"},
        "view": {"type": "modal", "callback_id": "x"},
    }
    shortcut = {"type": "shortcut", "callback_id": "any", "user": {"id": "U1"}, "team": {"id": "T1"}}
    command = {"command": "/desk", "text": "human", "user_id": "U1", "team_id": "T1", "channel_id": "D1"}
    return [
        (json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "E1", "event": event}).encode(), JSON),
        (json.dumps({"type": "url_verification", "challenge": "c"}).encode(), JSON),
        *((urlencode({"payload": json.dumps(payload)}).encode(), FORM) for payload in (clicked, sent, shortcut)),
        (urlencode(command).encode(), FORM),
    ]


def forgery(chance: random.Random) -> tuple[str, bytes, Headers]:
    """How it was forged, and the request."""
    body, kind = chance.choice(payloads())
    genuine = signed(body)
    stamp, signature = genuine["X-Slack-Request-Timestamp"], genuine["X-Slack-Signature"]
    way = chance.choice(WAYS)
    match way:
        case "unsigned":
            headers = [("X-Slack-Request-Timestamp", stamp)]
        case "no stamp":
            headers = [("X-Slack-Signature", signature)]
        case "noise":
            noise = bytes(chance.randrange(33, 256) for _ in range(chance.randrange(0, 90))).decode("latin-1")
            headers = [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", noise)]
        case "bit":
            place = chance.randrange(3, len(signature))
            other = chance.choice([digit for digit in "0123456789abcdef" if digit != signature[place]])
            headers = [
                ("X-Slack-Request-Timestamp", stamp),
                ("X-Slack-Signature", signature[:place] + other + signature[place + 1 :]),
            ]
        case "cut":
            cut = signature[: chance.randrange(0, len(signature))]
            headers = [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", cut)]
        case "other app":
            headers = list(signed(body, secret=OTHER_APPS).items())
        case "empty secret":
            key = chance.choice([b"", b"\0", b"None", b"null"])
            made = "v0=" + hmac.new(key, f"v0:{stamp}:".encode() + body, "sha256").hexdigest()
            headers = [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", made)]
        case "body":
            headers = list(genuine.items())
            place = chance.randrange(len(body))
            body = chance.choice(
                [
                    body[:place] + bytes([body[place] ^ (1 << chance.randrange(8))]) + body[place + 1 :],
                    body + b"&text=more",
                    body[:place],
                    b"",
                    body + body,
                ]
            )
        case "stamp":
            moved = chance.choice(
                [str(int(stamp) + 1), str(int(stamp) - 1), f"0{stamp}", f"{stamp}.0", "", "now", f"-{stamp}"]
            )
            headers = [("X-Slack-Request-Timestamp", moved), ("X-Slack-Signature", signature)]
        case "odd body":
            body, kind = chance.choice(ODD), chance.choice((JSON, FORM, "text/plain", "application/json; charset=x"))
            headers = list(signed(body, secret=OTHER_APPS).items())
        case "case":
            headers = [("X-Slack-Request-Timestamp", stamp), ("X-Slack-Signature", signature.upper())]
        case "version":
            headers = [
                ("X-Slack-Request-Timestamp", stamp),
                ("X-Slack-Signature", chance.choice(["v1=", "", "v0:", "sha256="]) + signature[3:]),
            ]
        case _:  # doubled
            forged = signed(body, secret=OTHER_APPS)["X-Slack-Signature"]
            body = body + b" "
            both = [("X-Slack-Signature", signature), ("X-Slack-Signature", forged)]
            chance.shuffle(both)
            headers = [("X-Slack-Request-Timestamp", stamp), *both, ("X-Slack-Request-Timestamp", str(int(stamp) + 1))]
    return way, body, [*headers, ("Content-Type", kind)]


def test_the_genuine_ones_get_through(gate: Gate) -> None:
    """Otherwise the other tests would prove nothing."""
    for body, kind in payloads():
        assert gate.send(body, [*signed(body).items(), ("Content-Type", kind)]) == 200
    assert Counter(gate.seen) == {"middleware": 5, "event": 1, "action": 1, "view": 1, "shortcut": 1, "command": 1}


@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
def test_each_of_n_forged_requests_is_refused_and_reaches_no_listener(
    gate: Gate, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does a stranger get to fill the log with errors."""
    chance = random.Random(1)
    answers: Counter[tuple[str, int]] = Counter()
    caplog.set_level(logging.WARNING)
    for _ in range(count):
        way, body, headers = forgery(chance)
        answers[way, gate.send(body, headers)] += 1

    assert {status for _, status in answers} <= {400, 401}, answers
    assert {way for way, _ in answers} == set(WAYS)
    assert answers.total() == count
    assert gate.seen == []
    assert caplog.records == []


def test_a_forged_check_of_the_certificate_reaches_no_listener(gate: Gate) -> None:
    """Bolt answers `ssl_check=1` with an empty 200 before it looks at the signature, and does nothing else."""
    for body, _ in payloads():
        gate.send(b"ssl_check=1&" + body, [("Content-Type", FORM)])
    assert gate.seen == []


@contextmanager
def watched_comparisons(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[Any, Any]]]:
    compared: list[tuple[Any, Any]] = []
    real = hmac.compare_digest

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return real(one, other)

    with monkeypatch.context() as patch:
        patch.setattr(hmac, "compare_digest", compare)
        yield compared


def test_signatures_are_compared_in_constant_time(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    body, kind = payloads()[0]
    headers = signed(body, secret=OTHER_APPS)
    with watched_comparisons(monkeypatch) as compared:
        assert gate.send(body, [*headers.items(), ("Content-Type", kind)]) == 401
    assert [headers["X-Slack-Signature"] in pair for pair in compared] == [True]


def test_without_a_signing_secret_nothing_gets_through() -> None:
    app = bolt_app(SlackSettings(), StubClient(token="xoxb-1"))
    seen: list[int] = []
    app.event(re.compile(".*"))(lambda: seen.append(1))
    web = TestClient(web_app(workflows=(), well=lambda: True, slack=app))
    body, kind = payloads()[0]
    made = hmac.new(b"", b"v0:" + (stamp := str(int(time.time()))).encode() + b":" + body, "sha256").hexdigest()
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={made}", "Content-Type": kind}
    assert web.post("/slack/events", content=body, headers=headers).status_code == 500
    assert seen == []
