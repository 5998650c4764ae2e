"""Trouble on purpose: rate limits, errors, lost answers, slowness, cut sockets, events delivered twice.

Faults wait in a queue per Web API method ("*" for any), each is used up once; or strike with a probability.
"""

import random
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RateLimited:
    """HTTP 429 with Retry-After (seconds); nothing happens."""

    retry_after: int = 1


@dataclass(frozen=True)
class ServerError:
    """HTTP 500 (or `status`); nothing happens."""

    status: int = 500


@dataclass(frozen=True)
class LostResponse:
    """The call takes effect, then the connection closes without an answer."""


@dataclass(frozen=True)
class Slow:
    """The call takes effect after `seconds`."""

    seconds: float


@dataclass(frozen=True)
class Refused:
    """The call is answered with `{"ok": false, "error": error}`; nothing happens."""

    error: str


Fault = RateLimited | ServerError | LostResponse | Slow | Refused
KINDS: dict[str, type[Fault]] = {
    "rate_limited": RateLimited,
    "server_error": ServerError,
    "lost_response": LostResponse,
    "slow": Slow,
    "refused": Refused,
}


class Faults:
    """Safe to use from any thread. `cut_sockets` and `disconnect` act at once on the open Socket Mode connections."""

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self._queues: dict[str, deque[Fault]] = defaultdict(deque)
        self._chances: list[tuple[str, Fault, float]] = []
        self._random = random.Random(seed)  # noqa: S311  # faults that can be repeated, not secrets
        self._twice = 0
        self.cut_sockets: Callable[[], int] = lambda: 0
        self.disconnect: Callable[[], int] = lambda: 0

    def queue(self, method: str, fault: Fault, times: int = 1) -> None:
        """The next `times` calls of `method` ("*": of any) meet the fault."""
        with self._lock:
            self._queues[method].extend([fault] * times)

    def chance(self, method: str, fault: Fault, probability: float) -> None:
        """Each call of `method` ("*": of any) meets the fault with this probability."""
        with self._lock:
            self._chances.append((method, fault, probability))

    def deliver_twice(self, times: int = 1) -> None:
        """The next `times` events are delivered a second time, though acknowledged (retry number 0)."""
        with self._lock:
            self._twice += times

    def clear(self) -> None:
        with self._lock:
            self._queues.clear()
            self._chances.clear()
            self._twice = 0

    def take(self, method: str) -> Fault | None:
        """The fault that this call meets."""
        with self._lock:
            for name in (method, "*"):
                if self._queues[name]:
                    return self._queues[name].popleft()
            for name, fault, probability in self._chances:
                if name in (method, "*") and self._random.random() < probability:
                    return fault
            return None

    def take_duplicate(self) -> bool:
        with self._lock:
            if self._twice < 1:
                return False
            self._twice -= 1
            return True

    def order(self, wish: dict[str, Any]) -> dict[str, Any]:
        """A fault by its wire form: `{"fault": "rate_limited", "method": ..., "times": n | "probability": p, ...}`,
        or `{"fault": "cut_sockets" | "disconnect" | "deliver_twice" | "clear"}`. Raises ValueError when unknown."""
        name, method, times = str(wish.get("fault")), str(wish.get("method", "*")), int(wish.get("times", 1))
        match name:
            case "cut_sockets":
                return {"sockets": self.cut_sockets()}
            case "disconnect":
                return {"sockets": self.disconnect()}
            case "deliver_twice":
                self.deliver_twice(times)
            case "clear":
                self.clear()
            case _ if name in KINDS:
                details = {k: v for k, v in wish.items() if k not in {"fault", "method", "times", "probability"}}
                try:
                    fault = KINDS[name](**details)
                except TypeError as error:
                    raise ValueError(f"{name} does not take {details}") from error
                if "probability" in wish:
                    self.chance(method, fault, float(wish["probability"]))
                else:
                    self.queue(method, fault, times)
            case _:
                raise ValueError(f"There is no fault {name}; there are {', '.join([*KINDS, 'cut_sockets'])}")
        return {}
