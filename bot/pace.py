"""How fast posts go into a channel that Slack has limited."""

import threading
import time

PACE, PACE_FORGOTTEN = 1.0, 30.0
"""Seconds between posts in a channel that Slack has limited, and for how long that is remembered."""


class Pace:
    """Shared by all threads that post."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._not_before: dict[str, float] = {}

    def hold(self, channel: str, seconds: float) -> None:
        """Let nothing into the channel for so long: Slack has asked for it."""
        with self._lock:
            self._not_before[channel] = max(self._not_before.get(channel, 0), time.monotonic() + seconds)

    def wait_for(self, channel: str) -> None:
        """Wait for the channel's turn. Where Slack has limited us, posts go one a second instead of all at once."""
        with self._lock:
            held_until = self._not_before.get(channel)
            if held_until is None:
                return
            turn = max(held_until, time.monotonic())
            if turn - held_until > PACE_FORGOTTEN:
                del self._not_before[channel]
                return
            self._not_before[channel] = turn + PACE
        time.sleep(max(0.0, turn - time.monotonic()))
