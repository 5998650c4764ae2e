"""What a Slack workspace is made of: plain records without behaviour but their form on the wire."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Role = Literal["employee", "agent", "knowledge manager"]


@dataclass
class Team:
    id: str = "T0SANDBOX"
    name: str = "Harbour & Pine"
    domain: str = "harbour-and-pine"

    def to_slack(self) -> Json:
        return {"id": self.id, "name": self.name, "domain": self.domain, "email_domain": "", "icon": {}}


@dataclass
class User:
    """A member of the workspace; the bot is one too. `account` and `totp_secret` are the sandbox's own knowledge."""

    id: str
    name: str
    account: str = ""
    team_id: str = "T0SANDBOX"
    emails: list[str] = field(default_factory=list)
    role: Role = "employee"
    totp_secret: str | None = None
    title: str = ""
    display_name: str = ""
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    deleted: bool = False
    is_bot: bool = False
    updated: int = 0

    @property
    def handle(self) -> str:
        return self.account or self.name.lower().replace(" ", ".")

    def to_slack(self, *, bot_id: str = "", app_id: str = "") -> Json:
        profile: Json = {
            "real_name": self.name,
            "real_name_normalized": self.name,
            "display_name": self.display_name,
            "display_name_normalized": self.display_name,
            "title": self.title,
            "team": self.team_id,
            "image_48": "",
        }
        if self.is_bot:
            profile |= {"bot_id": bot_id, "api_app_id": app_id, "always_active": True}
        elif self.emails:
            profile["email"] = self.emails[0]
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.handle,
            "deleted": self.deleted,
            "real_name": self.name,
            "tz": "Europe/London",
            "tz_label": "Greenwich Mean Time",
            "tz_offset": 0,
            "profile": profile,
            "is_admin": False,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": self.is_ultra_restricted,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": self.updated,
        }


@dataclass
class Channel:
    """A public or private channel, or (`is_im`) the direct messages of `user` and the bot."""

    id: str
    name: str
    members: list[str]
    is_private: bool = False
    is_im: bool = False
    user: str = ""
    topic: str = ""
    created: int = 0
    is_archived: bool = False

    @property
    def kind(self) -> Literal["im", "group", "channel"]:
        """What message events call `channel_type`."""
        if self.is_im:
            return "im"
        return "group" if self.is_private else "channel"

    def to_slack(self, team: Team, *, viewer: str) -> Json:
        common: Json = {
            "id": self.id,
            "created": self.created,
            "is_archived": self.is_archived,
            "is_im": self.is_im,
            "is_org_shared": False,
            "context_team_id": team.id,
            "updated": self.created * 1000,
        }
        if self.is_im:
            return common | {"user": self.user, "is_user_deleted": False, "priority": 0}
        return common | {
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": not self.is_private,
            "is_group": self.is_private,
            "is_mpim": False,
            "is_private": self.is_private,
            "is_general": self.name == "general",
            "is_shared": False,
            "is_ext_shared": False,
            "is_member": viewer in self.members,
            "creator": "",
            "num_members": len(self.members),
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": "", "creator": "", "last_set": 0},
            "previous_names": [],
        }


@dataclass
class File:
    id: str
    name: str
    mimetype: str
    content: bytes
    user: str
    channels: list[str]
    created: int
    url: str = ""

    def to_slack(self) -> Json:
        kind = self.name.rsplit(".", 1)[-1] if "." in self.name else "text"
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.name,
            "mimetype": self.mimetype,
            "filetype": kind,
            "pretty_type": kind.upper(),
            "user": self.user,
            "size": len(self.content),
            "mode": "hosted",
            "is_external": False,
            "is_public": True,
            "url_private": self.url,
            "url_private_download": self.url,
            "channels": self.channels,
            "file_access": "visible",
        }


@dataclass
class Message:
    """One message. `text` and `blocks` are as the Web API gives them (people's text is escaped: &amp; &lt; &gt;).

    `ephemeral_for` names the one person who sees it; such a message is in no history of the Web API.
    `streaming` is true between `chat.startStream` and `chat.stopStream`.
    """

    ts: str
    channel: str
    user: str
    text: str
    thread_ts: str | None = None
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    bot_id: str | None = None
    app_id: str | None = None
    team: str = ""
    subtype: str | None = None
    client_msg_id: str | None = None
    metadata: Json | None = None
    edited_ts: str | None = None
    edited_by: str | None = None
    files: list[File] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    reply_count: int = 0
    reply_users: list[str] = field(default_factory=list)
    latest_reply: str | None = None
    parent_user_id: str | None = None
    ephemeral_for: str | None = None
    streaming: bool = False
    state: Json = field(default_factory=dict)
    username: str | None = None
    icon_emoji: str | None = None

    @property
    def is_reply(self) -> bool:
        return self.thread_ts is not None and self.thread_ts != self.ts

    def to_slack(self, *, with_metadata: bool = False) -> Json:
        """The message object of histories and events."""
        wire: Json = {"user": self.user, "type": "message", "ts": self.ts, "text": self.text, "team": self.team}
        optional: Json = {
            "subtype": self.subtype,
            "client_msg_id": self.client_msg_id,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "blocks": self.blocks,
            "attachments": self.attachments,
            "thread_ts": self.thread_ts,
            "parent_user_id": self.parent_user_id,
            "username": self.username,
            "icons": {"emoji": self.icon_emoji} if self.icon_emoji else None,
            "files": [file.to_slack() for file in self.files],
            "edited": {"user": self.edited_by, "ts": self.edited_ts} if self.edited_ts else None,
            "reactions": [
                {"name": name, "users": list(users), "count": len(users)} for name, users in self.reactions.items()
            ],
        }
        wire |= {key: value for key, value in optional.items() if value}
        if self.subtype == "assistant_app_thread":
            wire["assistant_app_thread"] = {"title": self.state.get("title", ""), "title_blocks": [], "artifacts": []}
        if self.reply_count:
            wire |= {
                "thread_ts": self.ts,
                "reply_count": self.reply_count,
                "reply_users_count": len(self.reply_users),
                "reply_users": list(self.reply_users),
                "latest_reply": self.latest_reply,
                "is_locked": False,
                "subscribed": False,
            }
        if with_metadata and self.metadata:
            wire["metadata"] = self.metadata
        return wire


@dataclass
class View:
    """An open modal or a home tab. `errors` (block id -> text) is what the person sees after a refused submission;
    the key "" stands for an error that belongs to no field."""

    id: str
    user: str
    body: Json
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    values: Json = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return str(self.body["type"])

    @property
    def blocks(self) -> list[Json]:
        blocks: list[Json] = self.body["blocks"]
        return blocks

    def to_slack(self, *, team: Team, app_id: str, bot_id: str) -> Json:
        return {
            "id": self.id,
            "team_id": team.id,
            "type": self.type,
            "blocks": self.blocks,
            "private_metadata": self.body.get("private_metadata", ""),
            "callback_id": self.body.get("callback_id", ""),
            "state": {"values": self.values},
            "hash": self.hash,
            "title": self.body.get("title"),
            "close": self.body.get("close"),
            "submit": self.body.get("submit"),
            "clear_on_close": self.body.get("clear_on_close", False),
            "notify_on_close": self.body.get("notify_on_close", False),
            "previous_view_id": self.previous_view_id,
            "root_view_id": self.root_view_id,
            "external_id": self.body.get("external_id", ""),
            "app_id": app_id,
            "app_installed_team_id": team.id,
            "bot_id": bot_id,
        }


@dataclass
class AssistantThread:
    """The assistant pane's extras of one thread; `prompts` are `{"title", "message"}`."""

    user: str
    channel: str
    thread_ts: str
    title: str = ""
    status: str = ""
    loading_messages: list[str] = field(default_factory=list)
    prompts: list[Json] = field(default_factory=list)
    prompts_title: str = ""


@dataclass
class Mail:
    """A message that arrived by SMTP, for one of a person's addresses (lower case)."""

    to: str
    sender: str
    subject: str
    body: str
    received_at: float
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """Something changed: `kind` says what, `channel`/`thread_ts`/`user` where (None when it doesn't apply)."""

    kind: Literal["channel", "view", "home", "mail", "assistant", "users"]
    channel: str | None = None
    thread_ts: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class Acknowledgement:
    """How the app took a payload: `ok`, its answer's body (JSON object, text or nothing), or the reason why not."""

    ok: bool
    body: Json | str | None = None
    reason: str = ""


@dataclass(frozen=True)
class Envelope:
    """One payload on its way to the app."""

    kind: Literal["events_api", "interactive", "slash_commands"]
    payload: Json
    accepts_response_payload: bool = False
