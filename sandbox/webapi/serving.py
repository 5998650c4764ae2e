"""One door for all of the Web API: tokens, bodies, faults, the record of calls."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.errors import ApiError
from sandbox.faults import Faults, LostResponse, RateLimited, Refused, ServerError, Slow
from sandbox.objects import Json
from sandbox.sockets import Sockets
from sandbox.webapi import assistant, chat, conversations, people, views
from sandbox.webapi.args import Args
from sandbox.wire import Wires
from sandbox.workspace import Workspace

METHODS: dict[str, Callable[[Workspace, Args], Json]] = {
    **chat.METHODS,
    **conversations.METHODS,
    **people.METHODS,
    **views.METHODS,
    **assistant.METHODS,
}
SCOPES = "chat:write,channels:history,groups:history,im:history,users:read,users:read.email,assistant:write,commands"
CALLS_KEPT = 5000


class WebApi:
    """`calls` lists the calls since the start (the last 5,000), oldest first: method, args, status, result, at."""

    def __init__(
        self, workspace: Workspace, faults: Faults, sockets: Sockets, wires: Wires, *, bot_token: str, app_token: str
    ) -> None:
        self._workspace, self._faults, self._sockets, self._wires = workspace, faults, sockets, wires
        self._bot_token, self._app_token = bot_token, app_token
        self.calls: deque[Json] = deque(maxlen=CALLS_KEPT)

    def route(self) -> Route:
        return Route("/api/{method}", self.answer, methods=["GET", "POST"])

    async def answer(self, request: Request) -> Response:
        method: str = request.path_params["method"]
        args = await _arguments(request)
        header = request.headers.get("Authorization", "")
        token = header.removeprefix("Bearer ") if header.startswith("Bearer ") else str(args.pop("token", ""))
        args.pop("token", None)
        call: Json = {"method": method, "args": args, "at": time.time(), "status": 200}
        self.calls.append(call)
        fault = self._faults.take(method)
        match fault:
            case RateLimited(retry_after=seconds):
                call |= {"status": 429, "result": {"ok": False, "error": "ratelimited"}}
                return JSONResponse(call["result"], 429, {"Retry-After": str(seconds)})
            case ServerError(status=status):
                call |= {"status": status, "result": {"ok": False, "error": "internal_error"}}
                return JSONResponse(call["result"], status)
            case Refused(error=error):
                call["result"] = {"ok": False, "error": error}
                return JSONResponse(call["result"])
            case Slow(seconds=pause):
                await asyncio.sleep(pause)
            case LostResponse() | None:
                pass
        call["result"] = result = self._result(method, token, Args(args))
        if isinstance(fault, LostResponse):
            call["status"] = 0
            self._wires.cut(request.scope)
        return JSONResponse(result, headers={"X-OAuth-Scopes": SCOPES, "X-Slack-Req-Id": self._workspace.new_id("")})

    def _result(self, method: str, token: str, args: Args) -> Json:
        try:
            if not token:
                raise ApiError("not_authed")
            if method == "apps.connections.open":
                return {"ok": True, "url": self._connection(token)}
            if token == self._app_token:
                raise ApiError("not_allowed_token_type")
            if token != self._bot_token:
                raise ApiError("invalid_auth")
            if method not in METHODS:
                raise ApiError("unknown_method", req_method=method)
            with self._workspace.lock:
                return {"ok": True} | METHODS[method](self._workspace, args)
        except ApiError as error:
            return error.to_slack()

    def _connection(self, token: str) -> str:
        if token != self._app_token:
            raise ApiError("not_allowed_token_type" if token == self._bot_token else "invalid_auth")
        base = self._workspace.base_url.replace("http", "ws", 1)
        return f"{base}/link/?ticket={self._sockets.new_ticket()}&app_id={self._workspace.app_id}"


async def _arguments(request: Request) -> dict[str, Any]:
    args: dict[str, Any] = dict(request.query_params)
    if request.method == "POST":
        if "json" in request.headers.get("Content-Type", ""):
            try:
                body = json.loads(await request.body() or b"{}")
            except ValueError:
                body = {}
            args |= body if isinstance(body, dict) else {}
        else:
            async with request.form() as form:
                args |= {key: value for key, value in form.items() if isinstance(value, str)}
    return args
