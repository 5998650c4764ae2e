"""The whole desk behind its real web server, and every request that Slack made of it, kept to be sent again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web import listening, served, web_app
from deskmate.open_desk import open_desk
from deskmate.wiring import open_database, open_library
from sandbox import Sandbox
from tests.bot.conftest import Place
from tests.filled import SAMPLE, filled


@dataclass(frozen=True)
class Request:
    """One request of Slack, as it came."""

    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def is_retry(self) -> bool:
        return "x-slack-retry-num" in dict(self.headers)

    def retried(self, number: int) -> "Request":
        """The same delivered again. Slack signs each delivery, so that it is as genuine as the first."""
        return Request(
            (*self.headers, ("x-slack-retry-num", str(number)), ("x-slack-retry-reason", "http_timeout")), self.body
        )


@dataclass
class Tap:
    """Passes all on and keeps what was asked; `closed`, it answers 503, as a desk that is away."""

    app: ASGIApp | None = None
    requests: list[Request] = field(default_factory=list)
    closed: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["path"] == "/slack/events":
            headers = tuple((name.decode(), value.decode()) for name, value in scope["headers"])
            self.requests.append(Request(headers, body))
            if self.closed:
                await send({"type": "http.response.start", "status": 503, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        whole = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Message:
            return next(whole, {"type": "http.disconnect"})

        await self.app(scope, again, send)


@dataclass
class Line:
    """A desk that Slack reaches over HTTP."""

    place: Place
    tap: Tap
    url: str

    def send(self, request: Request) -> int:
        """The status of the answer."""
        dropped = {"host", "connection", "content-length"}
        headers = [(name, value) for name, value in request.headers if name.lower() not in dropped]
        with httpx.Client(trust_env=False, timeout=60) as client:
            return client.post(self.url, content=request.body, headers=headers).status_code

    def send_at_once(self, *requests: Request) -> list[int]:
        with ThreadPoolExecutor(len(requests)) as threads:
            return list(threads.map(self.send, requests))


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> Iterator[Line]:
    with ExitStack() as stack:
        listener = listening("127.0.0.1", 0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events"
        box = Sandbox(port=0, people=SAMPLE / "people.json", events_url=url, redelivery_scale=0.02)
        box.start()
        stack.callback(box.stop)
        settings = filled(box, tmp_path, database_url)
        database = stack.enter_context(open_database(settings))
        library = stack.enter_context(open_library(database, settings))
        opened = stack.enter_context(open_desk(settings, database, library))
        tap = Tap(web_app(workflows=opened.desk.workflows, well=lambda: True, slack=opened.app))
        stack.enter_context(served(tap, listener))
        yield Line(Place(box, opened, settings), tap, url)
