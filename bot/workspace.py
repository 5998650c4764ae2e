"""The Slack workspace: who and what is in it, remembered for a while."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient

FRESH_SECONDS = 60.0


@dataclass(frozen=True)
class SlackUser:
    """A person as Slack knows them at this moment; none of it identifies anybody in the directory."""

    id: str
    team: str
    name: str
    email: str | None = None
    deleted: bool = False
    is_bot: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_stranger: bool = False

    @property
    def is_guest(self) -> bool:
        return self.is_restricted or self.is_ultra_restricted or self.is_stranger

    @classmethod
    def from_slack(cls, user: dict[str, Any]) -> "SlackUser":
        profile = user.get("profile") or {}
        return cls(
            id=user["id"],
            team=user.get("team_id") or "",
            name=profile.get("display_name")
            or profile.get("real_name")
            or user.get("real_name")
            or user.get("name")
            or user["id"],
            email=profile.get("email") or None,
            deleted=bool(user.get("deleted")),
            is_bot=bool(user.get("is_bot")),
            is_restricted=bool(user.get("is_restricted")),
            is_ultra_restricted=bool(user.get("is_ultra_restricted")),
            is_stranger=bool(user.get("is_stranger")),
        )


class Workspace:
    """Safe to use from many threads. Errors: as those of `Slack`."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._cache: dict[tuple[str, str], tuple[float, Any]] = {}

    def me(self) -> tuple[str, str]:
        """The bot's own user id and its team."""
        data = self._cached("auth", "me", lambda: self._client.auth_test().data, max_age=float("inf"))
        return data["user_id"], data["team_id"]

    def user(self, user: str, *, max_age: float = FRESH_SECONDS) -> SlackUser:
        """The person as Slack knows them, at most `max_age` seconds old; 0 asks Slack now."""
        found: SlackUser = self._cached(
            "user", user, lambda: SlackUser.from_slack(self._client.users_info(user=user)["user"]), max_age=max_age
        )
        return found

    def dm(self, user: str) -> str:
        """The id of the bot's direct-message channel with this person."""
        channel: str = self._cached(
            "dm", user, lambda: self._client.conversations_open(users=user)["channel"]["id"], max_age=float("inf")
        )
        return channel

    def members(self, channel: str, *, max_age: float = FRESH_SECONDS) -> frozenset[str]:
        def fetch() -> frozenset[str]:
            members: list[str] = []
            cursor = ""
            while True:
                arguments: dict[str, Any] = {"channel": channel, "limit": 200} | ({"cursor": cursor} if cursor else {})
                page = self._client.conversations_members(**arguments)
                members += page["members"]
                cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
                if not cursor:
                    return frozenset(members)

        found: frozenset[str] = self._cached("members", channel, fetch, max_age=max_age)
        return found

    def channel_named(self, name: str) -> str | None:
        """The id of a channel that the bot is in, by `#name`."""
        cursor = ""
        while True:
            arguments: dict[str, Any] = {
                "types": "public_channel,private_channel",
                "limit": 200,
                "exclude_archived": True,
            }
            if cursor:
                arguments["cursor"] = cursor
            page = self._client.users_conversations(**arguments)
            for channel in page["channels"]:
                if channel["name"] == name.removeprefix("#"):
                    found: str = channel["id"]
                    return found
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return None

    def forget(self, user: str) -> None:
        """Drop what is remembered of this person; called when Slack says that they changed."""
        with self._lock:
            self._cache.pop(("user", user), None)

    def _cached(self, kind: str, name: str, fetch: Callable[[], Any], *, max_age: float) -> Any:
        with self._lock:
            held = self._cache.get((kind, name))
        if held is not None and time.monotonic() - held[0] <= max_age:
            return held[1]
        value = fetch()
        with self._lock:
            self._cache[(kind, name)] = (time.monotonic(), value)
        return value
