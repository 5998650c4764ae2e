"""From the workspace to the app: at once, again when not acknowledged, over sockets or signed HTTP."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx

from sandbox.faults import Faults
from sandbox.objects import Acknowledgement, Envelope, Json

log = logging.getLogger(__name__)

REDELIVER_AFTER = (0.0, 60.0, 300.0)
PATIENCE = 3.0


class Transport(Protocol):
    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Acknowledgement:
        """Send once and wait for the acknowledgement, PATIENCE seconds at most. Never raises for the app's faults."""


class Delivery:
    """Called with an envelope from any thread; the future holds the first attempt's acknowledgement.

    Events (not interactions or commands) that were not acknowledged come again: at once, then 60 s and 300 s
    (times `scale`) after the attempt before.
    """

    def __init__(self, transport: Transport, faults: Faults, *, scale: float) -> None:
        self._transport, self._faults, self._scale = transport, faults, scale
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def stop(self) -> None:
        self._loop = None
        for task in list(self._tasks):
            task.cancel()

    def __call__(self, envelope: Envelope) -> "Future[Acknowledgement]":
        loop, first = self._loop, Future[Acknowledgement]()
        if loop is None:
            first.set_result(Acknowledgement(ok=False, reason="dispatch_failed"))
        else:
            loop.call_soon_threadsafe(self._keep, self._deliver(envelope, first))
        return first

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("A delivery failed", exc_info=task.exception())

    async def _deliver(self, envelope: Envelope, first: "Future[Acknowledgement]") -> None:
        try:
            answer = await self._transport.send(envelope, 0, "")
        finally:
            if not first.done():
                first.set_result(answer if "answer" in locals() else Acknowledgement(ok=False, reason="stopped"))
        if envelope.kind != "events_api":
            return
        if self._faults.take_duplicate():
            await self._transport.send(envelope, 0, "")
        for attempt, pause in enumerate(REDELIVER_AFTER, start=1):
            if answer.ok or answer.reason == "no_retry":
                return
            await asyncio.sleep(pause * self._scale)
            answer = await self._transport.send(envelope, attempt, answer.reason)


def signature(secret: str, timestamp: str, body: str) -> str:
    """Slack's X-Slack-Signature, version 0."""
    return "v0=" + hmac.new(secret.encode(), f"v0:{timestamp}:{body}".encode(), hashlib.sha256).hexdigest()


class HttpTransport:
    """POSTs to one URL: events as JSON, interactions as a form with `payload`, commands as a form."""

    def __init__(self, url: str, signing_secret: str) -> None:
        self._url, self._secret = url, signing_secret
        self._client: httpx.AsyncClient | None = None

    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Acknowledgement:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)
        form = "application/x-www-form-urlencoded"
        match envelope.kind:
            case "events_api":
                body, kind = json.dumps(envelope.payload), "application/json"
            case "interactive":
                body, kind = urlencode({"payload": json.dumps(envelope.payload)}), form
            case "slash_commands":
                body, kind = urlencode(envelope.payload), form
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": kind,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(self._secret, timestamp, body),
        }
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx.TimeoutException:
            return Acknowledgement(ok=False, reason="http_timeout" if envelope.kind == "events_api" else "timeout")
        except httpx.HTTPError:
            return Acknowledgement(ok=False, reason="connection_failed")
        if not answer.is_success:
            stop = answer.headers.get("X-Slack-No-Retry") == "1"
            return Acknowledgement(ok=False, reason="no_retry" if stop else "http_error")
        return Acknowledgement(ok=True, body=_read(answer))

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()


def _read(answer: httpx.Response) -> Json | str | None:
    if not answer.text:
        return None
    if "json" in answer.headers.get("Content-Type", ""):
        parsed = answer.json()
        return parsed if isinstance(parsed, dict) else None
    return answer.text
