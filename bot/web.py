"""What the bot serves over HTTP: Slack's requests, one-time pages, and whether it is well."""

import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import uvicorn
from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.errors import BotError
from bot.once.page import OncePages
from bot.workflows.workflow import Workflow

log = logging.getLogger(__name__)

LARGEST_REQUEST = 4 * 1024 * 1024
"""Bytes; Slack's largest payloads are far smaller, and what follows isn't known to be Slack's until it is read."""
SIGNATURE, UNIX_TIME = re.compile(r"v0=[0-9a-f]{64}"), re.compile(r"[0-9]{1,12}")
STOP_SECONDS = 3
CLOSED = PlainTextResponse("not ready", 503, headers={"Retry-After": "5"})


class AddressTaken(BotError):
    """The address can't be listened on; the text says which and why."""


def web_app(*, workflows: Sequence[Workflow], well: Callable[[], bool], slack: App | None) -> Starlette:
    """`slack`: the app for `POST /slack/events`; None in Socket Mode, where Slack sends nothing here."""

    def health(request: Request) -> Response:
        return PlainTextResponse("ok") if well() else PlainTextResponse("not ready", 503)

    routes: list[BaseRoute] = [Route("/healthz", health, methods=["GET"])]
    if slack is not None:
        routes.append(Route("/slack/events", slack_requests(slack), methods=["POST"]))
    for workflow in workflows:
        routes += workflow.routes()
    return Starlette(routes=[*routes, *OncePages().common_routes()])


class Doors:
    """Serves `app` while there is one; before and after, whoever comes is asked to come again."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.app or CLOSED)(scope, receive, send)


def slack_requests(app: App) -> Callable[[Request], Any]:
    async def receive(request: Request) -> Response:
        if not looks_signed(request):
            return PlainTextResponse("not signed", 401)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_REQUEST:
                return PlainTextResponse("too large", 413)
        try:
            asked = to_bolt_request(request, bytes(body))
        except Exception:  # noqa: BLE001 (Bolt takes a stranger's body apart before it looks at the signature)
            return PlainTextResponse("not understood", 400)
        # Bolt's own handler dispatches on the event loop and would serve one request at a time.
        return to_starlette_response(await run_in_threadpool(app.dispatch, asked))

    return receive


def looks_signed(request: Request) -> bool:
    """Whether there is one signature and one time, of Slack's form: on others Bolt fails instead of refusing them."""
    signatures, times = (request.headers.getlist(name) for name in ("x-slack-signature", "x-slack-request-timestamp"))
    if len(signatures) != 1 or len(times) != 1:
        return False
    return bool(SIGNATURE.fullmatch(signatures[0]) and UNIX_TIME.fullmatch(times[0]))


def listening(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one. Errors: `AddressTaken`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise AddressTaken(f"Port {port} on {host} can't be used: {(error.strerror or str(error)).lower()}.") from error
    return listener


@contextmanager
def served(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Serve on another thread for the time of the block."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # addresses of one-time pages hold their tokens
            lifespan="off",
            timeout_graceful_shutdown=1,
            server_header=False,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="web", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
        listener.close()
