"""The workspace as people use it: they post, click, fill in forms; pages read what they see.

Every method is safe to call from any thread. `submit` and `command` wait for the app's answer (up to 3 s), so call
them from a worker thread, never on the server's event loop (a `def` endpoint of Starlette runs in one).
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from sandbox.objects import (
    Acknowledgement,
    AssistantThread,
    Change,
    Channel,
    Envelope,
    File,
    Json,
    Mail,
    Message,
    Team,
    User,
    View,
)

__all__ = [
    "Acknowledgement",
    "AssistantThread",
    "Change",
    "Channel",
    "Envelope",
    "File",
    "Json",
    "Mail",
    "Message",
    "Team",
    "User",
    "View",
    "Workspace",
]


class Workspace:
    team: Team
    users: dict[str, User]
    channels: dict[str, Channel]
    bot_user_id: str  # U0DESK
    bot_id: str  # B0DESK
    app_id: str  # A0DESK
    assistant_threads: dict[tuple[str, str], AssistantThread]  # by (channel, thread_ts)

    # What a person does; ids in, Slack's events out.
    def post(self, user: str, channel: str, text: str, *, thread_ts: str | None = None, files: Sequence[File] = ()) -> str:
        """Post as typed (escaped here; `<@U..>` stays a mention, `@Deskmate` becomes one); returns the ts."""
        raise NotImplementedError

    def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        raise NotImplementedError

    def delete(self, user: str, channel: str, ts: str) -> None:
        raise NotImplementedError

    def upload(self, user: str, channel: str, name: str, content: bytes, text: str = "", *, thread_ts: str | None = None) -> str:
        """Post a message with one file; returns the message's ts."""
        raise NotImplementedError

    def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Add the reaction, or take it back when the person has it already."""
        raise NotImplementedError

    def click(self, user: str, channel: str, message_ts: str, block_id: str, action_id: str, value: Any = None) -> Acknowledgement:
        """Use an element of a message. `value`: an option's value (selects, radio, overflow), a list of them
        (multi-selects, checkboxes), a date, a user id, typed text, or for feedback_buttons the pressed button's value;
        None for buttons. Waits for the acknowledgement."""
        raise NotImplementedError

    def click_home(self, user: str, block_id: str, action_id: str, value: Any = None) -> Acknowledgement:
        raise NotImplementedError

    def click_view(self, user: str, view_id: str, block_id: str, action_id: str, value: Any = None) -> Acknowledgement:
        raise NotImplementedError

    def submit(self, user: str, view_id: str, values: Mapping[str, Any]) -> dict[str, str] | None:
        """Submit a modal. `values`: {block_id: {action_id: value}} or, for one input per block, {block_id: value}.
        Returns None when accepted (closed, updated or pushed: see `view_of`), else the errors by block id ("" for none)."""
        raise NotImplementedError

    def close(self, user: str, view_id: str, *, all_views: bool = False) -> None:
        """Close the top modal (all of the stack with `all_views`); the app hears of it if it asked to."""
        raise NotImplementedError

    def open_home(self, user: str, tab: str = "home") -> None:
        raise NotImplementedError

    def open_assistant(self, user: str, context_channel: str | None = None) -> str:
        """Open a new thread of the assistant pane; returns its thread_ts in the person's DM."""
        raise NotImplementedError

    def command(self, user: str, channel: str, command: str, text: str = "") -> Message | None:
        """Type a slash command; returns the ephemeral message that came as its direct answer, if any."""
        raise NotImplementedError

    def change_profile(self, user: str, **fields: Any) -> None:
        """Change `name`, `display_name`, `title`, `emails`, `deleted`, `is_restricted`...; the app gets user_change."""
        raise NotImplementedError

    # What a page reads: copies, safe to keep.
    def people(self) -> list[User]:
        """Everybody but the bot, by name."""
        raise NotImplementedError

    def channels_of(self, user: str) -> list[Channel]:
        """The person's channels, then their DM with the bot (its `name` is the bot's)."""
        raise NotImplementedError

    def dm_of(self, user: str) -> Channel:
        raise NotImplementedError

    def message(self, channel: str, ts: str) -> Message | None:
        raise NotImplementedError

    def messages(self, channel: str, viewer: str) -> list[Message]:
        """Top level, oldest first, with the viewer's ephemeral messages."""
        raise NotImplementedError

    def thread(self, channel: str, ts: str, viewer: str) -> list[Message]:
        """The root, then the replies, oldest first, with the viewer's ephemeral messages."""
        raise NotImplementedError

    def assistant_of(self, channel: str, thread_ts: str) -> AssistantThread | None:
        raise NotImplementedError

    def view_of(self, user: str) -> View | None:
        """The modal on top of the person's stack."""
        raise NotImplementedError

    def home_of(self, user: str) -> View | None:
        raise NotImplementedError

    def mail_of(self, user: str) -> list[Mail]:
        """Mail to any of the person's addresses, oldest first."""
        raise NotImplementedError

    def totp_of(self, user: str) -> tuple[str, int] | None:
        """The authenticator's code now and the whole seconds it stays valid; None without a secret."""
        raise NotImplementedError

    def file(self, file_id: str) -> File | None:
        raise NotImplementedError

    def changes(self) -> AsyncIterator[Change]:
        """Every change from now on; ends when the sandbox stops. Call on the server's loop."""
        raise NotImplementedError

    def wait_until(self, condition: Callable[[], bool], timeout: float = 5.0) -> bool:
        """Wait (without polling) until a change makes `condition` true; False after `timeout` seconds."""
        raise NotImplementedError
