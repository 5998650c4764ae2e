"""Events, interactions and commands as signed HTTP requests, taken by Bolt's own request handling."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from slack_bolt import App, BoltRequest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier

from sandbox import Sandbox


class Receiver:
    """A web server in front of a Bolt app; keeps the headers and bodies that came."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.refuse = 0
        self.app: App | None = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.got.append((dict(self.headers), body))
                if len(receiver.got) <= receiver.refuse or receiver.app is None:
                    status, answer, kind = 500, "", "text/plain"
                else:
                    headers: Any = {name: [value] for name, value in self.headers.items()}
                    response = receiver.app.dispatch(BoltRequest(body=body, headers=headers))
                    status, answer = response.status, response.body or ""
                    kind = response.first_headers().get("content-type", "text/plain")
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(answer.encode())))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/slack/events"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture
def sandbox(receiver: Receiver) -> Iterator[Sandbox]:
    sandbox = Sandbox(port=0, redelivery_scale=0.001, events_url=receiver.url)
    sandbox.start()
    client = WebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
    receiver.app = App(client=client, signing_secret=sandbox.signing_secret, process_before_response=True)
    yield sandbox
    sandbox.stop()


def test_a_message_arrives_signed_and_is_answered(sandbox: Sandbox, receiver: Receiver) -> None:
    assert receiver.app is not None

    @receiver.app.event("message")
    def answer(event: dict[str, Any], say: Any) -> None:
        say(text="Hello", thread_ts=event["ts"])

    ts = sandbox.workspace.post("U0ALICE", "D0ALICE", "Grüße & <tags>")

    assert sandbox.workspace.wait_until(lambda: len(sandbox.workspace.thread("D0ALICE", ts, "U0ALICE")) == 2)
    headers, body = receiver.got[0]
    assert SignatureVerifier(sandbox.signing_secret).is_valid_request(body, headers)
    assert "X-Slack-Retry-Num" not in headers


def test_a_refused_event_comes_again_with_its_number_and_reason(sandbox: Sandbox, receiver: Receiver) -> None:
    assert receiver.app is not None

    @receiver.app.event("message")
    def answer(event: dict[str, Any], say: Any) -> None:
        say(text="Hello", thread_ts=event["ts"])

    receiver.refuse = 2
    ts = sandbox.workspace.post("U0ALICE", "D0ALICE", "Hello")

    assert sandbox.workspace.wait_until(lambda: len(sandbox.workspace.thread("D0ALICE", ts, "U0ALICE")) == 2)
    retries = [(h.get("X-Slack-Retry-Num"), h.get("X-Slack-Retry-Reason")) for h, _ in receiver.got[:3]]
    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert receiver.got[0][1] == receiver.got[2][1]


def test_commands_and_forms_get_their_answers_in_the_response(sandbox: Sandbox, receiver: Receiver) -> None:
    assert receiver.app is not None

    @receiver.app.command("/desk")
    def desk(ack: Any, command: dict[str, Any]) -> None:
        ack({"response_type": "in_channel", "text": f"For all: {command['text']}"})

    @receiver.app.view("form")
    def refuse(ack: Any) -> None:
        ack(response_action="errors", errors={"code": "No"})

    workspace = sandbox.workspace
    answer = workspace.command("U0ALICE", "C0GENERAL", "/desk", "a & b")
    assert answer is not None
    assert (answer.text, answer.ephemeral_for) == ("For all: a & b", None)

    def plain(text: str) -> dict[str, str]:
        return {"type": "plain_text", "text": text}

    entry = {"type": "plain_text_input", "action_id": "entry"}
    block = {"type": "input", "block_id": "code", "label": plain("Code"), "element": entry}
    form = {"type": "modal", "callback_id": "form", "title": plain("F"), "submit": plain("S"), "blocks": [block]}
    client = WebClient(token=sandbox.bot_token, base_url=sandbox.api_url)
    view = client.views_open(trigger_id=workspace.new_trigger("U0ALICE"), view=form)["view"]
    assert workspace.submit("U0ALICE", view["id"], {"code": "1"}) == {"code": "No"}
