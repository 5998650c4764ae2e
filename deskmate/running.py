"""A process that runs until it is told to end: signals, the lines to Slack, and a last resort."""

import gc
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.interval_runner import IntervalRunner
from slack_sdk.socket_mode.websocket_client import SocketModeClient

from bot.slack_client import UNREACHABLE
from deskmate.errors import RoofError

log = logging.getLogger(__name__)

CONNECT_SECONDS = 30
HELLO_SECONDS = 2
GOODBYE_SECONDS = 0.5
LAST_RESORT_SECONDS = 8
PING_SECONDS = 10
CONCURRENCY = 16


class Ended(BaseException):
    """Ctrl-C or SIGTERM; unwinds whatever is open. Not an `Exception`, so that no retry takes it for an error."""


@contextmanager
def until_ended() -> Iterator[None]:
    """Within it the first SIGINT or SIGTERM unwinds the block, and no later one disturbs that."""

    def end(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        last_resort()
        raise Ended

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, end)
    try:
        yield
    except Ended:
        return


def last_resort() -> None:
    """Threads of libraries that don't end mustn't keep the process; whatever they do is durable or repeated."""
    timer = threading.Timer(LAST_RESORT_SECONDS, os._exit, (0,))
    timer.daemon = True
    timer.start()


def settled_memory() -> None:
    """Sort out what the start has left and never look through the rest again: half a second, which would otherwise be
    the first employee's. For a process that serves until its end."""
    gc.collect()
    gc.freeze()


def wait_for_the_end() -> None:
    """Returns never; `Ended` does."""
    while True:
        signal.pause()


@contextmanager
def over_the_socket(app: App, client: WebClient, app_token: str) -> Iterator[Callable[[], bool]]:
    """Slack's requests over Socket Mode for the time of the block; gives a way to ask whether the line is up.

    Errors: `RoofError`.
    """
    handler = SocketModeHandler(app, app_token, web_client=client, ping_interval=PING_SECONDS, concurrency=CONCURRENCY)
    greeted, over = threading.Event(), threading.Event()

    def heard(_socket: Any, message: str) -> None:
        if '"hello"' in message[:200]:
            greeted.set()

    handler.client.on_message_listeners.append(heard)
    logging.getLogger("websocket").setLevel(logging.CRITICAL)  # Slack's SDK tells the same
    handler.client.logger.addFilter(lambda record: not over.is_set() and "Unsuccessful Bolt" not in str(record.msg))
    try:
        if not connected(handler, client):
            raise RoofError("Slack's Socket Mode connection didn't open. Is outgoing traffic to *.slack.com allowed?")
        greeted.wait(HELLO_SECONDS)
        yield lambda: bool(handler.client.is_connected())
    finally:
        over.set()
        # A line that is stuck mustn't keep the process; nothing depends on the end of this.
        goodbye = threading.Thread(target=closed, args=(handler.client,), name="goodbye", daemon=True)
        goodbye.start()
        goodbye.join(2 * GOODBYE_SECONDS)


def connected(handler: SocketModeHandler, client: WebClient) -> bool:
    try:
        return opened(handler.client, CONNECT_SECONDS)
    except SlackApiError as error:
        raise RoofError(
            f"Slack refused SLACK_APP_TOKEN ({error.response.get('error')}). Where to get it: docs/slack-setup.md."
        ) from error
    except UNREACHABLE as error:
        raise RoofError(f"Slack can't be reached at {client.base_url} ({type(error).__name__}).") from error


def opened(client: SocketModeClient, seconds: float) -> bool:
    """Connects; whether the connection was open within this time.

    The SDK's monitor takes a first connection that is still being made for a lost one, opens a second and drops the
    first half-made. So it starts once the first is open.
    """
    is_open = threading.Event()
    client.on_open_listeners.append(lambda _socket: is_open.set())
    client.current_app_monitor_started = True
    waiting = client.current_session_runner  # it looks for a session twice a second; a new one looks at once
    waiting.shutdown()  # type: ignore[no-untyped-call]  # the SDK declares no return
    client.connect()
    client.current_session_runner = IntervalRunner(waiting.target, waiting.interval_seconds).start()
    connect = client.connect

    def connect_anew() -> None:
        """As Slack asks for every few hours; without a wait for the line that is left."""
        client.auto_reconnect_enabled = False  # its end is no reason to open a third
        ended_reading(client, GOODBYE_SECONDS)
        connect()

    client.connect = connect_anew  # type: ignore[method-assign]  # the SDK has no place to hook into
    done = is_open.wait(seconds)
    client.current_app_monitor.start()
    return done


def closed(client: SocketModeClient) -> None:
    """Closes the connection for good."""
    client.closed, client.auto_reconnect_enabled = True, False
    client.current_session_runner.event.set()  # or it would open the connection anew
    ended_reading(client, GOODBYE_SECONDS)
    client.message_queue.put(None)  # what waits for a message, a second at a time, sees that it's over
    client.close()


def ended_reading(client: SocketModeClient, seconds: float) -> None:
    """Has the thread that reads from the connection leave it, within this time.

    The SDK closes a connection under that thread, which mostly sees it only when the next ping is due, ten seconds
    later, and serves no other one until then. So it is told first that there is nothing more to read.
    """
    session = client.current_session
    line = session.sock.sock if session is not None and session.sock is not None else None
    if session is None or line is None or not client.current_session_runner.is_alive():
        return
    with suppress(OSError):
        # Of a TLS socket, its own `shutdown` would end the writing too, and with it the goodbye.
        socket.socket.shutdown(line, socket.SHUT_RD)
    deadline = time.monotonic() + seconds
    while session.sock is not None and time.monotonic() < deadline:
        time.sleep(0.01)
