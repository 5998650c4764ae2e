"""What the page shows: messages as lines of a conversation, and who and what stands in the rail."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment
from markupsafe import Markup

from sandbox.objects import Channel, Message, User
from sandbox.page.rendering import render_blocks
from sandbox.workspace import Workspace

TOGETHER_SECONDS = 300
TONES = 8


@dataclass(frozen=True)
class Face:
    """How a person or the bot appears: `tone` picks the colour of the initials."""

    name: str
    initials: str
    tone: int
    robot: bool

    @classmethod
    def of(cls, user: User) -> "Face":
        words = re.findall(r"\w+", user.name) or ["?"]
        initials = words[0][0] + (words[-1][0] if len(words) > 1 else "")
        return cls(user.name, initials.upper(), sum(user.id.encode()) % TONES, user.is_bot)


@dataclass(frozen=True)
class Line:
    """One message as shown. `follows` leaves out the name when the author goes on; `day` opens a new day."""

    message: Message
    face: Face
    body: Markup
    time: str
    full_time: str
    day: str | None
    follows: bool
    own: bool
    app: bool
    repliers: list[Face]
    last_reply: str
    status: str


@dataclass(frozen=True)
class Place:
    """A channel in the rail."""

    channel: Channel
    unread: int


def moment(ts: str) -> datetime:
    """A message's timestamp in the laptop's time zone."""
    return datetime.fromtimestamp(float(ts)).astimezone()


def clock(ts: str) -> str:
    return f"{moment(ts):%H:%M}"


def day(ts: str) -> str:
    when, today = moment(ts), datetime.now().astimezone()
    if when.date() == today.date():
        return "Today"
    if (today.date() - when.date()).days == 1:
        return "Yesterday"
    return f"{when:%A}, {when.day} {when:%B %Y}"


def as_typed(text: str, user_name: Callable[[str], str | None]) -> str:
    """A message's text as its author would type it again."""
    text = re.sub(r"<@(\w+)(?:\|[^<>]*)?>", lambda found: f"@{user_name(found[1]) or found[1]}", text)
    text = re.sub(r"<([^<>|@#!][^<>|]*)(?:\|[^<>]*)?>", lambda found: found[1].removeprefix("mailto:"), text)
    text = re.sub(r"<!(\w+)(?:\|[^<>]*)?>", r"@\1", text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


class Scene:
    """Reads the workspace as one person sees it."""

    def __init__(self, workspace: Workspace, environment: Environment, viewer: User) -> None:
        self.workspace, self.environment, self.viewer = workspace, environment, viewer

    def face(self, user_id: str) -> Face:
        user = self.workspace.users.get(user_id)
        return Face.of(user) if user else Face(user_id or "Somebody", "?", 0, False)

    def lines(self, messages: Sequence[Message], *, place: str) -> list[Line]:
        return list(self._lines(messages, place))

    def _lines(self, messages: Sequence[Message], place: str) -> Iterator[Line]:
        last: Message | None = None
        last_day = ""
        for message in messages:
            today = day(message.ts)
            fresh = today != last_day
            yield Line(
                message=message,
                face=self.face(message.user),
                body=self.body(message, place),
                time=clock(message.ts),
                full_time=f"{moment(message.ts):%A} {moment(message.ts).day} {moment(message.ts):%B %Y, %H:%M:%S}",
                day=today if fresh else None,
                follows=not fresh and last is not None and _goes_on(last, message),
                own=message.user == self.viewer.id and message.subtype in (None, "file_share"),
                app=self.is_app(message),
                repliers=[self.face(user) for user in message.reply_users[:4]],
                last_reply=clock(message.latest_reply) if message.latest_reply else "",
                status=self.status(message.channel, message.ts),
            )
            last, last_day = message, today

    def is_app(self, message: Message) -> bool:
        return message.bot_id is not None or message.user == self.workspace.bot_user_id

    def body(self, message: Message, place: str) -> Markup:
        """Blocks for what the app wrote, else the text; a person's text is as they typed it."""
        if message.blocks and self.is_app(message):
            values = message.state.get(self.viewer.id)
            return render_blocks(message.blocks, self.environment, place=f"{place}-{message.ts}", values=values)
        mrkdwn = self.environment.filters["mrkdwn"]
        return Markup('<div class="prose">{}</div>').format(mrkdwn(message.text)) if message.text else Markup("")

    def status(self, channel: str, thread_ts: str) -> str:
        """The assistant's status in words, e.g. "Deskmate is thinking...", or nothing."""
        thread = self.workspace.assistant_of(channel, thread_ts)
        if thread is None or not thread.status:
            return ""
        return f"{self.face(self.workspace.bot_user_id).name} {thread.status}"


def _goes_on(last: Message, message: Message) -> bool:
    """Whether the same author wrote again so soon that the name needn't be repeated."""
    author = ("user", "username", "ephemeral_for", "subtype")
    same = all(getattr(last, part) == getattr(message, part) for part in author)
    return same and not last.reply_count and float(message.ts) - float(last.ts) < TOGETHER_SECONDS
