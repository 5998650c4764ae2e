"""What each person has read already, so that the rail can show where something is new."""

import threading
import time

from sandbox.objects import User
from sandbox.workspace import Workspace


class Reading:
    """Remembers up to when each person has seen each place; what came before this process began counts as read."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], float] = {}
        self._began = time.time()

    def saw(self, user: str, place: str) -> None:
        """The person has `place` (a channel's id, or "mail") on screen now."""
        newest = self._newest(user, place)
        with self._lock:
            self._seen[user, place] = max(newest, self._since(user, place))

    def unread(self, user: str, place: str) -> int:
        """How many messages of others came since, replies in threads included."""
        with self._lock:
            since = self._since(user, place)
        if place == "mail":
            return sum(letter.received_at > since for letter in self._workspace.mail_of(user))
        with self._workspace.lock:
            return sum(
                float(message.ts) > since and message.user != user and message.ephemeral_for in (None, user)
                for message in self._workspace.history[place].values()
            )

    def has_news(self, person: User) -> bool:
        """Whether something waits for the person in particular: in direct messages, a private channel, or mail."""
        with self._workspace.lock:
            places = [
                channel.id
                for channel in self._workspace.channels.values()
                if person.id in channel.members and (channel.is_im or channel.is_private)
            ]
        return any(self.unread(person.id, place) for place in ("mail", *places))

    def _since(self, user: str, place: str) -> float:
        return self._seen.get((user, place), self._began)

    def _newest(self, user: str, place: str) -> float:
        if place == "mail":
            return max((letter.received_at for letter in self._workspace.mail_of(user)), default=0.0)
        with self._workspace.lock:
            return max(map(float, self._workspace.history[place]), default=0.0)
