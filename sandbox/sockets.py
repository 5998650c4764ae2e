"""Socket Mode: the app's open WebSocket connections, any of which may get the next payload."""

import asyncio
import json
import secrets
import threading
import uuid

from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.delivery import PATIENCE
from sandbox.objects import Acknowledgement, Envelope, Json
from sandbox.wire import Wires


class Sockets:
    """Payloads go to the connections in turn. `cut_all` breaks them like a pulled cable; `disconnect_all` asks the app
    politely to reconnect, as Slack does every few hours. Both are called on the server's loop."""

    def __init__(self, wires: Wires, app_id: str) -> None:
        self._wires, self._app_id = wires, app_id
        self._open: list[WebSocket] = []
        self._tickets: set[str] = set()
        self._waiting: dict[str, tuple[WebSocket, asyncio.Future[Acknowledgement]]] = {}
        self._arrived = asyncio.Event()
        self.connected = threading.Event()

    def new_ticket(self) -> str:
        """What the URL of `apps.connections.open` carries; it opens one connection."""
        ticket = secrets.token_hex(16)
        self._tickets.add(ticket)
        return ticket

    async def serve(self, socket: WebSocket) -> None:
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close(4401)
            return
        self._tickets.discard(ticket)
        await socket.accept()
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._open) + 1,
                "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060},
                "connection_info": {"app_id": self._app_id},
            }
        )
        self._open.append(socket)
        self._arrived.set()
        self.connected.set()
        try:
            while True:
                self._acknowledged(await socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            self._gone(socket)

    def _acknowledged(self, text: str) -> None:
        try:
            answer = json.loads(text)
        except ValueError:
            return
        if not isinstance(answer, dict):
            return
        _, future = self._waiting.pop(str(answer.get("envelope_id")), (None, None))
        if future is not None and not future.done():
            payload = answer.get("payload")
            if isinstance(payload, dict) and set(payload) == {"text"} and isinstance(payload["text"], list):
                payload = {"text": payload["text"][0]}
            future.set_result(Acknowledgement(ok=True, body=payload or None))

    def _gone(self, socket: WebSocket) -> None:
        if socket in self._open:
            self._open.remove(socket)
        if not self._open:
            self._arrived.clear()
            self.connected.clear()
        for envelope_id, (carrier, future) in list(self._waiting.items()):
            if carrier is socket and not future.done():
                del self._waiting[envelope_id]
                future.set_result(Acknowledgement(ok=False, reason="timeout"))

    async def send(self, envelope: Envelope, attempt: int, reason: str) -> Acknowledgement:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._arrived.wait()
        except TimeoutError:
            return Acknowledgement(ok=False, reason="dispatch_failed")
        socket = self._open.pop(0)
        self._open.append(socket)
        envelope_id = str(uuid.uuid4())
        wire: Json = {
            "envelope_id": envelope_id,
            "type": envelope.kind,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.accepts_response_payload,
        }
        if envelope.kind == "events_api":
            wire |= {"retry_attempt": attempt, "retry_reason": reason}
        future = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = (socket, future)
        try:
            async with asyncio.timeout(PATIENCE):
                await socket.send_text(json.dumps(wire))
                answer: Acknowledgement = await future
                return answer
        except (TimeoutError, WebSocketDisconnect, RuntimeError):  # Starlette raises RuntimeError on a closed socket
            return Acknowledgement(ok=False, reason="timeout")
        finally:
            self._waiting.pop(envelope_id, None)

    def cut_all(self) -> int:
        sockets = list(self._open)
        for socket in sockets:
            self._wires.cut(socket.scope)
            self._gone(socket)
        return len(sockets)

    async def disconnect_all(self) -> int:
        sockets = list(self._open)
        for socket in sockets:
            await socket.send_json({"type": "disconnect", "reason": "refresh_requested", "debug_info": {}})
            await socket.close()
        return len(sockets)
