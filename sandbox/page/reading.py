"""What each person has read already, so that the rail can show where something is new."""

import threading
from collections.abc import Iterable

from sandbox.objects import Message


class Reading:
    """Remembers the newest message that each person has had on screen, per channel; lives as long as the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], float] = {}

    def saw(self, user: str, place: str, at: float) -> None:
        with self._lock:
            self._seen[user, place] = max(at, self._seen.get((user, place), 0.0))

    def since(self, user: str, place: str) -> float:
        with self._lock:
            return self._seen.get((user, place), 0.0)

    def unread(self, user: str, place: str, messages: Iterable[Message]) -> int:
        """How many messages of others came after what the person has seen, replies in threads included."""
        since = self.since(user, place)
        return sum(
            1
            for message in messages
            if message.user != user and max(float(message.ts), float(message.latest_reply or 0)) > since
        )
