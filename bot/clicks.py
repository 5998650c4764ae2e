"""A click on a button, and what it is about: found by where it was clicked, never by what the button says."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from slack_sdk.errors import SlackApiError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.blocks.kit import Block
from bot.records import OpenView, Post
from bot.slack import Slack

OLD = "I can't tell any more what this button is about, so nothing has happened. Write to me instead."
PRESS_AGAIN = "That took me too long, so Slack didn't let me open the form. Please press the button again."
TOO_LATE = ("expired_trigger_id", "trigger_expired", "exchanged_trigger_id", "invalid_trigger_id")
FORM_GONE = "This form is too old, so nothing has happened. Please open it again."


@dataclass(frozen=True)
class Click:
    """A signed `block_actions` payload on a message, reduced to what the desk trusts."""

    team: str
    user: str
    channel: str
    message_ts: str
    thread_ts: str | None
    action: str
    value: str | None
    """A hint at most."""
    trigger_id: str
    action_ts: str

    @classmethod
    def from_slack(cls, body: dict[str, Any]) -> Self:
        container, action = body["container"], body["actions"][0]
        return cls(
            team=(body.get("team") or {}).get("id") or body["user"].get("team_id") or "",
            user=body["user"]["id"],
            channel=container.get("channel_id") or "",
            message_ts=container.get("message_ts") or "",
            thread_ts=container.get("thread_ts") or (body.get("message") or {}).get("thread_ts"),
            action=action["action_id"],
            value=action.get("value"),
            trigger_id=body.get("trigger_id") or "",
            action_ts=action.get("action_ts") or "",
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def key(self) -> str:
        """One click; a second one on the same button is another, and is guarded by the object's state."""
        return f"click:{self.channel}:{self.message_ts}:{self.user}:{self.action}:{self.action_ts}"

    @property
    def number(self) -> int | None:
        """What follows the last underscore of the action's id, as in `rate_5`."""
        last = self.action.rpartition("_")[2]
        return int(last) if last.isascii() and last.isdigit() else None


def opened_view(slack: Slack, click: Click, view: Block) -> str | None:
    """The id of the view; None when Slack's three seconds were over, which the person is told."""
    try:
        return slack.open_view(trigger_id=click.trigger_id, view=view)
    except SlackApiError as error:
        if error.response.get("error") not in TOO_LATE:
            raise
        slack.whisper(channel=click.channel, user=click.user, text=PRESS_AGAIN, thread_ts=click.thread_ts)
        return None


def clicked(session: Session, click: Click, purpose: str) -> Post | None:
    """Our message that was clicked on, if it is one with this purpose."""
    return session.scalar(
        select(Post).where(Post.channel == click.channel, Post.ts == click.message_ts, Post.purpose == purpose)
    )


def keep_view(session: Session, view_id: str, *, purpose: str, ref: str, user: str, now: datetime) -> None:
    session.add(OpenView(view_id=view_id, purpose=purpose, ref=ref, user=user, opened_at=now))
    session.flush()


def submitted(session: Session, view_id: str, *, purpose: str, user: str) -> str | None:
    """What the form that was sent is about, if this person was shown it for this purpose."""
    view = session.get(OpenView, view_id)
    return view.ref if view is not None and (view.purpose, view.user) == (purpose, user) else None


def opened_form(session: Session, view: str, form: str, user: str) -> OpenView | None:
    """What was kept of a form of this name that was opened for this user."""
    kept = session.get(OpenView, view)
    return kept if kept is not None and (kept.purpose, kept.user) == (form, user) else None
