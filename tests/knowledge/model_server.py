"""A server on loopback that speaks OpenAI's chat completions over HTTP and SSE, and says what a test tells it to."""

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from anyio import sleep
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route


@dataclass(frozen=True)
class Trouble:
    """Instead of an answer: a status, with headers; `reset` closes the connection in the middle of the stream."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    reset: bool = False


@dataclass(frozen=True)
class Pause:
    seconds: float


Script = Callable[[str], list[Any]]
"""From the prompt to what is said: pieces of JSON and pauses, or one `Trouble`."""


class ModelServer:
    """`requests` are the bodies that came. Each request takes the next script; the last is used again and again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[dict[str, Any]] = []
        self.scripts: list[Script] = []

    async def complete(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        prompt = "\n".join(str(message["content"]) for message in body["messages"])
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        pieces = script(prompt)
        if pieces and isinstance(pieces[0], Trouble):
            error = {"error": {"message": "no", "type": "x", "code": None, "param": None}}
            return JSONResponse(error, pieces[0].status, pieces[0].headers)
        if not body.get("stream"):
            message = {"role": "assistant", "content": "".join(map(str, pieces))}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            about = {"id": "c1", "object": "chat.completion", "created": int(time.time()), "model": body["model"]}
            return JSONResponse(about | {"choices": [choice]})
        return StreamingResponse(self._events(pieces, body), media_type="text/event-stream")

    async def _events(self, pieces: list[Any], body: dict[str, Any]) -> AsyncIterator[str]:
        common = {"id": "c1", "object": "chat.completion.chunk", "created": int(time.time()), "model": body["model"]}

        def event(delta: dict[str, Any], finish: str | None = None) -> str:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return f"data: {json.dumps(common | {'choices': [choice]})}\n\n"

        yield event({"role": "assistant", "content": ""})
        for piece in pieces:
            if isinstance(piece, Pause):
                await sleep(piece.seconds)
            elif isinstance(piece, Trouble):
                raise ConnectionResetError  # uvicorn drops the connection without the end of the stream
            else:
                yield event({"content": piece})
        yield event({}, "stop")
        yield "data: [DONE]\n\n"


@contextmanager
def model_server() -> Iterator[ModelServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = ModelServer(f"http://127.0.0.1:{listener.getsockname()[1]}/v1")
    app = Starlette(routes=[Route("/v1/chat/completions", server.complete, methods=["POST"])])
    running = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield server
    finally:
        running.should_exit = running.force_exit = True
        thread.join(10)
        listener.close()
