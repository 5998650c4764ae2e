"""Who the agents are: the members of the triage channel, as Slack says it now."""

import logging
import threading

from bot.slack import Slack

log = logging.getLogger(__name__)


class Agents:
    """The triage channel and its members. `channel` is an id or `#name`, looked up when first needed."""

    def __init__(self, slack: Slack, channel: str | None) -> None:
        self._workspace = slack.workspace
        self._named = channel
        self._id: str | None = None
        self._warned = False
        self._lock = threading.Lock()

    def channel(self) -> str | None:
        """The channel's id; None, and one warning in the log, while there is none."""
        with self._lock:
            if self._id is None and self._named:
                self._id = self._workspace.channel_named(self._named) if self._named.startswith("#") else self._named
            if self._id is None and not self._warned:
                self._warned = True
                log.warning(
                    "no triage channel (%s): tickets are opened, but no agent is told",
                    f"{self._named} isn't a channel that the bot is in"
                    if self._named
                    else "DESKMATE_TRIAGE_CHANNEL is not set",
                )
            return self._id

    def include(self, user: str) -> bool:
        """Whether this person is an agent; at most 60 s old."""
        channel = self.channel()
        return channel is not None and user in self._workspace.members(channel)
