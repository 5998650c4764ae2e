"""uvicorn in a thread of its own, with a hand on the connections so that they can be cut."""

import asyncio
import errno
import socket
import threading
from collections.abc import MutableMapping
from typing import Any

import uvicorn
from starlette.concurrency import run_in_threadpool
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sandbox.errors import PortInUse


class Wires:
    """The open TCP connections by the client's address."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def keep(self, transport: asyncio.Transport) -> None:
        if len(self._transports) > 200:
            self._transports = {peer: t for peer, t in self._transports.items() if not t.is_closing()}
        host, port, *_ = transport.get_extra_info("peername")
        self._transports[(host, port)] = transport

    def cut(self, scope: MutableMapping[str, Any]) -> None:
        """Close the connection of an ASGI scope under the feet of both sides: no answer, no farewell."""
        transport = self._transports.pop(tuple(scope["client"]), None)
        if transport is not None:
            transport.abort() if scope["type"] == "websocket" else transport.close()

    def protocol(self) -> type[asyncio.Protocol]:
        wires = self

        class KeptProtocol(HttpToolsProtocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
                wires.keep(transport)
                super().connection_made(transport)

        return KeptProtocol


def bound(host: str, port: int, purpose: str) -> socket.socket:
    """A listening address of our own; port 0 takes any free one. Raises PortInUse."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port, purpose) from error
        raise
    listener.listen(128)
    return listener


class _Announced(uvicorn.Server):
    """Says when it accepts connections."""

    def __init__(self, config: uvicorn.Config, ready: threading.Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # In a thread, as pages are answered: the first such call imports for half a second.
        await run_in_threadpool(self._ready.set)


class ServerThread:
    def __init__(self, app: Any, listener: socket.socket, wires: Wires) -> None:
        config = uvicorn.Config(
            app,
            http=wires.protocol(),
            ws="websockets-sansio",
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._ready = threading.Event()
        self._server = _Announced(config, self._ready)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        finally:
            self._ready.set()

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()
        if not self._thread.is_alive():
            raise RuntimeError("The sandbox's server did not start; see the log")

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
