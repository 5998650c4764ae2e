"""Acknowledge first, think after: many messages at once are all recorded before the desk begins to answer them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Arrivals:
    """How many messages are being recorded at this moment, while Slack waits."""

    def __init__(self) -> None:
        self._none = threading.Condition()
        self._count = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._none:
            self._count += 1
        try:
            yield
        finally:
            with self._none:
                self._count -= 1
                if not self._count:
                    self._none.notify_all()

    def give_way(self, seconds: float) -> None:
        """Wait until none is being recorded, at most that long."""
        with self._none:
            self._none.wait_for(lambda: not self._count, seconds)
