"""A message as Slack delivers it, reduced to what the desk needs, and the key that makes it one."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

MAX_MESSAGE = 12_000
"""Characters; Slack cuts a message at 40,000, and what is longer than this is a log, not a question."""


@dataclass(frozen=True)
class SlackFile:
    id: str
    name: str
    mimetype: str
    size: int
    url: str


@dataclass(frozen=True)
class Message:
    """One message of a person. `text` is Slack's own form: escaped, with `<@U…>` and `<http…>` in it."""

    team: str
    channel: str
    ts: str
    user: str
    text: str
    thread_ts: str | None = None
    channel_type: str = "im"
    edited_ts: str | None = None
    user_team: str | None = None
    files: tuple[SlackFile, ...] = ()
    mention: bool = False
    """True when it came as `app_mention`, or its text names the bot."""

    @classmethod
    def from_slack(cls, event: dict[str, Any], *, team: str) -> Self:
        """Parse a `message` (also a changed one) or `app_mention` event; `team` is that of the signed envelope."""
        inner = event["message"] if event.get("subtype") == "message_changed" else event
        channel: str = event["channel"]
        edited = inner.get("edited") if event.get("subtype") == "message_changed" else None
        return cls(
            team=team,
            channel=channel,
            ts=inner["ts"],
            user=inner["user"],
            text=storable(inner.get("text") or ""),
            thread_ts=inner.get("thread_ts"),
            channel_type=event.get("channel_type") or ("im" if channel.startswith("D") else "channel"),
            edited_ts=(edited or {}).get("ts"),
            user_team=inner.get("user_team") or inner.get("team") or event.get("team"),
            files=tuple(
                SlackFile(
                    id=file["id"],
                    name=storable(file.get("name") or "") or file["id"],
                    mimetype=file.get("mimetype") or "application/octet-stream",
                    size=int(file.get("size") or 0),
                    url=file.get("url_private_download") or file.get("url_private") or "",
                )
                for file in inner.get("files") or ()
            ),
            mention=event.get("type") == "app_mention",
        )

    @property
    def key(self) -> str:
        """What makes the message one, however often and by whichever event it comes."""
        edit = f":{self.edited_ts}" if self.edited_ts else ""
        return f"{self.team}:{self.channel}:{self.ts}{edit}"

    @property
    def direct(self) -> bool:
        return self.channel_type == "im"

    @property
    def root_ts(self) -> str:
        """The thread that the answer goes to: the message's own, or the one that it starts."""
        return self.thread_ts or self.ts


def workspace_of(body: Mapping[str, Any]) -> str:
    """The workspace that got the event. In a channel that is shared with others, an envelope's `team_id` may be that of
    whoever wrote: https://docs.slack.dev/apis/slack-connect"""
    installed = (body.get("authorizations") or [{}])[0]
    return str(installed.get("team_id") or body["team_id"])


LINK = re.compile(r"<(https?://[^|>]+|mailto:[^|>]+)(?:\|([^>]*))?>")
CHANNEL = re.compile(r"<#[A-Z0-9]+(?:\|([^>]*))?>")
SPECIAL = re.compile(r"<!([a-z]+)(?:\^[^|>]*)?(?:\|([^>]*))?>")
USER = re.compile(r"<@[A-Z0-9]+(?:\|[^>]*)?>")
EMOJI = re.compile(r":[a-z0-9_+'-]+:(?::skin-tone-\d:)?")


def storable(text: str) -> str:
    """The text without what a database refuses: NUL, and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode("utf-8")


def plain(text: str) -> str:
    """What the person meant to write: mentions dropped, links by their label, entities unescaped."""
    text = USER.sub(" ", text)
    text = LINK.sub(lambda m: m.group(2) or m.group(1).removeprefix("mailto:"), text)
    text = CHANNEL.sub(lambda m: f"#{m.group(1)}" if m.group(1) else " ", text)
    text = SPECIAL.sub(lambda m: m.group(2) or "", text)
    return re.sub(r"[ \t]+", " ", html.unescape(text)).strip()


def escape(text: str) -> str:
    """Text for a `mrkdwn` object or a message's `text`: nothing in it is live any more.

    Slack asks for `&`, `<` and `>`: https://docs.slack.dev/messaging/formatting-message-text
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def has_words(text: str) -> bool:
    """False for an empty message, and for one of emoji and punctuation alone."""
    return any(character.isalnum() for character in EMOJI.sub("", text))
