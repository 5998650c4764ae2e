"""The server: Web API, Socket Mode or signed HTTP, files, response URLs, mail, control, and the page."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from sandbox import page
from sandbox.blockkit import block_errors
from sandbox.control import control_routes
from sandbox.delivery import Delivery, HttpTransport
from sandbox.errors import ApiError
from sandbox.faults import Faults
from sandbox.mailbox import serve_mail
from sandbox.people import people_of
from sandbox.persistence import StateFile
from sandbox.sockets import Sockets
from sandbox.webapi.serving import WebApi
from sandbox.wire import ServerThread, Wires, bound
from sandbox.workspace import Workspace


class Sandbox:
    """A Slack workspace on this machine. With `events_url` the app gets signed HTTP POSTs (events, interactions and
    commands alike), otherwise Socket Mode. `redelivery_scale` shortens Slack's pauses before it delivers again.
    Port 0 takes any free port."""

    bot_token = "xoxb-sandbox-bot"  # noqa: S105  # opens nothing but this sandbox
    app_token = "xapp-sandbox-app"  # noqa: S105
    signing_secret = "sandbox-signing-secret"  # noqa: S105

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 8321,
        smtp_port: int = 0,
        people: Path | None = None,
        state: Path | None = None,
        events_url: str | None = None,
        redelivery_scale: float = 1.0,
    ) -> None:
        self._host, self._port, self._smtp_port = host, port, smtp_port
        self.workspace = Workspace(people_of(people))
        self.faults = Faults()
        self._state = StateFile(state, self.workspace)
        self._wires = Wires()
        self._sockets = Sockets(self._wires, self.workspace.app_id)
        self._http = HttpTransport(events_url, self.signing_secret) if events_url else None
        self._delivery = Delivery(self._http or self._sockets, self.faults, scale=redelivery_scale)
        self._api = WebApi(
            self.workspace,
            self.faults,
            self._sockets,
            self._wires,
            bot_token=self.bot_token,
            app_token=self.app_token,
        )
        self._thread: ServerThread | None = None

    @property
    def page_url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def api_url(self) -> str:
        return f"{self.page_url}/api/"

    @property
    def smtp_url(self) -> str:
        return f"smtp://{self._host}:{self._smtp_port}"

    def start(self) -> None:
        """Return when it accepts connections. Raises PortInUse, and BadStateFile when the history can't be read."""
        self._state.load()
        listener = bound(self._host, self._port, "sandbox")
        try:
            self._mail_listener = bound(self._host, self._smtp_port, "sandbox's mail")
        except OSError:
            listener.close()
            raise
        self._port, self._smtp_port = listener.getsockname()[1], self._mail_listener.getsockname()[1]
        self.workspace.base_url = self.page_url
        self._thread = ServerThread(self._app(), listener, self._wires)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self.workspace.closing()
            self._thread.stop()
            self._thread = None

    def wait_for_app(self, timeout: float = 10.0) -> bool:
        """Wait until the app has a Socket Mode connection open."""
        return self._sockets.connected.wait(timeout)

    def _app(self) -> Starlette:
        routes = [
            self._api.route(),
            WebSocketRoute("/link/", self._sockets.serve),
            Route("/respond/{token}", self._respond, methods=["POST"]),
            Route("/files-pri/{file_id}/{name:path}", self._file),
            *control_routes(self.workspace, self.faults, self._api.calls),
            *page.routes(self.workspace),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        self._delivery.start(loop)
        self.workspace.deliver = self._delivery
        self.faults.cut_sockets = lambda: self._on_loop(loop, self._cut)
        self.faults.disconnect = lambda: self._on_loop(loop, self._sockets.disconnect_all)
        mail = await serve_mail(self._mail_listener, self.workspace)
        self._state.start(loop)
        try:
            yield
        finally:
            self._delivery.stop()
            mail.close()
            if self._http is not None:
                await self._http.close()
            self._state.stop()

    async def _cut(self) -> int:
        return self._sockets.cut_all()

    def _on_loop(self, loop: asyncio.AbstractEventLoop, act: Callable[[], Coroutine[Any, Any, int]]) -> int:
        return asyncio.run_coroutine_threadsafe(act(), loop).result(5)

    async def _respond(self, request: Request) -> Response:
        """A response_url: one more message, or the clicked one replaced or deleted."""
        try:
            body = await request.json()
        except ValueError:
            return PlainTextResponse("invalid_payload", 400)
        if not isinstance(body, dict):
            return PlainTextResponse("invalid_payload", 400)
        errors = block_errors(body["blocks"]) if body.get("blocks") else []
        if errors:
            return JSONResponse(ApiError("invalid_blocks", errors).to_slack(), 400)
        if not (body.get("text") or body.get("blocks") or body.get("delete_original")):
            return PlainTextResponse("no_text", 400)
        try:
            self.workspace.spend_response_url(request.path_params["token"], body)
        except ApiError as error:
            return JSONResponse(error.to_slack(), 404)
        return PlainTextResponse("ok")

    async def _file(self, request: Request) -> Response:
        """A file's content for the bot's token (and for the page, which carries a person's cookie); otherwise a login
        page with status 200, as Slack does."""
        file = self.workspace.file(request.path_params["file_id"].split("-", 1)[-1])
        allowed = request.headers.get("Authorization") == f"Bearer {self.bot_token}"
        if not allowed or file is None:
            return HTMLResponse(
                "<!DOCTYPE html><html><title>Sign in</title><body>Sign in to the workspace</body></html>"
            )
        return Response(file.content, media_type=file.mimetype)
