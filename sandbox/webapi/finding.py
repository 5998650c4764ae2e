"""Channels, users and messages by what a call names, with Slack's errors."""

from sandbox.errors import ApiError
from sandbox.objects import Channel, Message, User
from sandbox.webapi.args import Args
from sandbox.workspace import Workspace


def channel_of(workspace: Workspace, args: Args, name: str = "channel") -> Channel:
    """By id, by `#name`, or a user's id for their direct messages."""
    wanted = args.text(name)
    if wanted in workspace.channels:
        return workspace.channels[wanted]
    for channel in workspace.channels.values():
        if wanted and ((channel.is_im and channel.user == wanted) or f"#{channel.name}" == wanted):
            return channel
    raise ApiError("channel_not_found")


def joined_channel(workspace: Workspace, args: Args, name: str = "channel") -> Channel:
    """A channel that the bot is in; a private one that it isn't in doesn't exist for it."""
    channel = channel_of(workspace, args, name)
    if workspace.bot_user_id not in channel.members:
        raise ApiError("channel_not_found" if channel.is_private else "not_in_channel")
    return channel


def writable_channel(workspace: Workspace, args: Args, name: str = "channel") -> Channel:
    channel = joined_channel(workspace, args, name)
    if channel.is_archived:
        raise ApiError("is_archived")
    return channel


def message_of(workspace: Workspace, channel: Channel, ts: str) -> Message:
    message = workspace.history[channel.id].get(ts)
    if message is None or message.ephemeral_for is not None:
        raise ApiError("message_not_found")
    return message


def thread_of(workspace: Workspace, channel: Channel, args: Args, name: str = "thread_ts") -> str | None:
    """The ts of the thread's root, when one is named."""
    if not args.has(name):
        return None
    root = workspace.history[channel.id].get(args.text(name))
    if root is None or root.ephemeral_for is not None:
        raise ApiError("thread_not_found")
    return root.thread_ts if root.is_reply else root.ts


def user_of(workspace: Workspace, args: Args, name: str = "user") -> User:
    user = workspace.users.get(args.text(name))
    if user is None:
        raise ApiError("user_not_found")
    return user
