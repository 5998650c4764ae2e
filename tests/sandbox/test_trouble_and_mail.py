"""Faults on purpose, /control, mail, authenticator codes, and what a restart keeps."""

import json
import smtplib
import socket
import urllib.request
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pyotp
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler, ServerErrorRetryHandler

from sandbox import PortInUse, Sandbox
from sandbox.errors import BadStateFile
from sandbox.faults import LostResponse, RateLimited, ServerError
from sandbox.totp import totp


def control(sandbox: Sandbox, path: str, wish: dict[str, Any] | None = None) -> dict[str, Any]:
    data = None if wish is None else json.dumps(wish).encode()
    with urllib.request.urlopen(f"{sandbox.page_url}/control/{path}", data) as answer:
        result: dict[str, Any] = json.load(answer)
        return result


def texts(sandbox: Sandbox) -> list[str]:
    return [message.text for message in sandbox.workspace.messages("C0GENERAL", "U0ALICE")]


def test_a_rate_limited_call_says_when_to_come_back(sandbox: Sandbox, client: WebClient) -> None:
    sandbox.faults.queue("chat.postMessage", RateLimited(retry_after=7))
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel="C0GENERAL", text="one")
    assert (refused.value.response.status_code, refused.value.response["error"]) == (429, "ratelimited")
    assert refused.value.response.headers["Retry-After"] == "7"
    assert texts(sandbox) == []


def test_slacks_own_retry_handlers_get_over_it(sandbox: Sandbox, client: WebClient) -> None:
    client.retry_handlers += [RateLimitErrorRetryHandler(), ServerErrorRetryHandler()]
    sandbox.faults.queue("chat.postMessage", RateLimited(retry_after=0))
    client.chat_postMessage(channel="C0GENERAL", text="one")
    sandbox.faults.queue("chat.postMessage", ServerError())
    client.chat_postMessage(channel="C0GENERAL", text="two")
    assert texts(sandbox) == ["one", "two"]


def test_after_a_lost_response_a_blind_retry_posts_twice(sandbox: Sandbox, client: WebClient) -> None:
    sandbox.faults.queue("chat.postMessage", LostResponse())
    client.chat_postMessage(channel="C0GENERAL", text="one")  # slack_sdk retries a reset connection by itself
    assert texts(sandbox) == ["one", "one"]

    client.retry_handlers = []
    sandbox.faults.queue("chat.postMessage", LostResponse())
    with pytest.raises(OSError, match=r"closed|reset"):
        client.chat_postMessage(channel="C0GENERAL", text="two")
    assert texts(sandbox) == ["one", "one", "two"]


def test_another_process_orders_faults_drives_people_and_looks_around(sandbox: Sandbox, client: WebClient) -> None:
    control(sandbox, "faults", {"fault": "refused", "method": "chat.postMessage", "error": "fatal_error"})
    with pytest.raises(SlackApiError, match="fatal_error"):
        client.chat_postMessage(channel="C0GENERAL", text="one")
    ts = control(sandbox, "act", {"do": "post", "user": "U0ALICE", "channel": "C0GENERAL", "text": "Hi"})["result"]
    assert control(sandbox, "state")["messages"]["C0GENERAL"][0]["ts"] == ts
    call = control(sandbox, "calls?method=chat.postMessage")["calls"][0]
    assert (call["args"]["text"], call["result"]["error"]) == ("one", "fatal_error")
    for wish in ({"do": "dance"}, {"do": "post", "user": "U0NOBODY", "channel": "C0GENERAL", "text": "Hi"}):
        with pytest.raises(HTTPError) as refused:
            control(sandbox, "act", wish)
        assert refused.value.code == 400
        refused.value.close()


def test_mail_arrives_at_any_of_a_persons_addresses(sandbox: Sandbox) -> None:
    sandbox.workspace.change_profile("U0ALICE", emails=["alice@example.com", "Alice@home.example"])
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Grüße", "desk@example.com", "alice@HOME.example"
    message.set_content("Your code: 123")
    message.add_alternative("<b>Your code: 123</b>", subtype="html")
    host, port = sandbox.smtp_url.removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port)) as smtp:
        smtp.send_message(message)

    assert sandbox.workspace.wait_until(lambda: bool(sandbox.workspace.mail_of("U0ALICE")))
    (mail,) = sandbox.workspace.mail_of("U0ALICE")
    assert (mail.subject, mail.body.strip(), mail.sender) == ("Grüße", "Your code: 123", "desk@example.com")
    assert sandbox.workspace.mail_of("U0BOB") == []


@pytest.mark.parametrize("now", [0, 59, 1111111109, 1234567890, 2000000000])
def test_the_authenticator_shows_what_pyotp_shows(sandbox: Sandbox, now: int) -> None:
    secret = pyotp.random_base32()
    assert totp(secret, now) == pyotp.TOTP(secret).at(now)
    shown = sandbox.workspace.totp_of("U0ALICE")
    assert shown is not None
    assert 1 <= shown[1] <= 30
    assert sandbox.workspace.totp_of("U0BOB") is None


def test_a_restart_keeps_the_history(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    first = Sandbox(port=0, state=state)
    first.start()
    ts = first.workspace.post("U0ALICE", "D0ALICE", "Remember me")
    first.workspace.upload("U0ALICE", "D0ALICE", "a.bin", b"\x00\xff")
    first.stop()

    second = Sandbox(port=0, state=state)
    second.start()
    kept, with_file = second.workspace.messages("D0ALICE", "U0ALICE")
    later = second.workspace.post("U0ALICE", "D0ALICE", "And me")
    second.stop()

    assert (kept.ts, kept.text) == (ts, "Remember me")
    assert with_file.files[0].content == b"\x00\xff"
    assert later > with_file.ts


def test_a_spoilt_history_is_refused_in_one_line(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    state.write_text("{")
    with pytest.raises(BadStateFile, match=r"state\.json holds no history"):
        Sandbox(port=0, state=state).start()


def test_people_come_from_a_file(tmp_path: Path) -> None:
    people = tmp_path / "people.json"
    gus = {"account": "gus", "name": "Gus", "emails": ["g@x.example"], "slack_user_id": "U0GUS", "team_id": "T0X"}
    people.write_text(json.dumps([gus | {"role": "agent", "groups": [], "is_restricted": True}, {"account": "none"}]))
    workspace = Sandbox(port=0, people=people).workspace
    assert [(p.id, p.role, p.is_restricted) for p in workspace.people()] == [("U0GUS", "agent", True)]
    assert workspace.channels["C0TRIAGE"].members == ["U0GUS", "U0DESK"]
    assert workspace.team.id == "T0X"


def test_a_taken_port_is_named_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} on 127.0.0.1 is taken"):
            Sandbox(port=port).start()
