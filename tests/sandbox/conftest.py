"""A sandbox on free ports, and real Bolt apps connected to it."""

import logging
from collections.abc import Callable, Iterator

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient

from deskmate.running import closed, opened
from sandbox import Sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(port=0, redelivery_scale=0.001)
    sandbox.start()
    yield sandbox
    sandbox.stop()


@pytest.fixture
def client(sandbox: Sandbox) -> WebClient:
    return WebClient(token=sandbox.bot_token, base_url=sandbox.api_url)


@pytest.fixture
def app(client: WebClient) -> App:
    return App(client=client, process_before_response=True, logger=logging.getLogger("bolt"))


@pytest.fixture
def connect(sandbox: Sandbox) -> Iterator[Callable[[App], SocketModeHandler]]:
    """Connects an app by Socket Mode; closed at the end."""
    handlers: list[SocketModeHandler] = []

    def run(app: App) -> SocketModeHandler:
        handler = SocketModeHandler(app, sandbox.app_token, ping_interval=5)
        handlers.append(handler)
        assert opened(handler.client, 10)
        assert sandbox.wait_for_app()
        return handler

    yield run
    for handler in handlers:
        closed(handler.client)
