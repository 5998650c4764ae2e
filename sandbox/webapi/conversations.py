"""conversations.*, users.conversations and reactions.*: what was said, and where."""

from sandbox.errors import ApiError
from sandbox.objects import Change, Json, Message
from sandbox.webapi.args import Args
from sandbox.webapi.finding import channel_of, joined_channel, message_of, thread_of
from sandbox.workspace import Workspace


def open_(workspace: Workspace, args: Args) -> Json:
    if args.has("channel"):
        channel = channel_of(workspace, args)
    else:
        users = args.required("users").split(",")
        if len(users) != 1:
            raise ApiError("not_enough_users" if not users else "too_many_users")
        if users[0] not in workspace.users:
            raise ApiError("user_not_found")
        if workspace.users[users[0]].deleted:
            raise ApiError("user_disabled")
        if workspace.users[users[0]].is_bot:
            raise ApiError("cannot_dm_bot")
        channel = workspace.dm_of(users[0])
    shown = (
        channel.to_slack(workspace.team, viewer=workspace.bot_user_id) if args.flag("return_im") else {"id": channel.id}
    )
    return {"no_op": True, "already_open": True, "channel": shown}


def info(workspace: Workspace, args: Args) -> Json:
    channel = channel_of(workspace, args)
    if channel.is_private and workspace.bot_user_id not in channel.members:
        raise ApiError("channel_not_found")
    shown = channel.to_slack(workspace.team, viewer=workspace.bot_user_id)
    if not args.flag("include_num_members"):
        shown.pop("num_members", None)
    return {"channel": shown}


def members(workspace: Workspace, args: Args) -> Json:
    page, after = args.page(joined_channel(workspace, args).members)
    return {"members": page, "response_metadata": {"next_cursor": after}}


def list_(workspace: Workspace, args: Args) -> Json:
    kinds = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
    wanted = {kinds.get(kind.strip()) for kind in (args.text("types") or "public_channel").split(",")}
    if None in wanted:
        raise ApiError("invalid_types")
    seen = [
        channel.to_slack(workspace.team, viewer=workspace.bot_user_id)
        for channel in workspace.channels.values()
        if channel.kind in wanted
        and not (channel.is_private and workspace.bot_user_id not in channel.members)
        and not (args.flag("exclude_archived") and channel.is_archived)
    ]
    page, after = args.page(seen)
    return {"channels": page, "response_metadata": {"next_cursor": after}}


def of_bot(workspace: Workspace, args: Args) -> Json:
    listed = list_(workspace, args)
    joined = [c for c in listed["channels"] if workspace.bot_user_id in workspace.channels[c["id"]].members]
    return listed | {"channels": joined}


def _within(args: Args, messages: list[Message]) -> list[Message]:
    """Those between `oldest` and `latest`. Timestamps compare as text: their parts have fixed widths."""
    oldest, latest, inclusive = args.text("oldest", "0"), args.text("latest"), args.flag("inclusive")

    def inside(message: Message) -> bool:
        if inclusive and message.ts in (oldest, latest):
            return True
        return message.ts > oldest and (not latest or message.ts < latest)

    return [message for message in messages if inside(message)]


def _shown(workspace: Workspace, args: Args, messages: list[Message], latest_first: bool) -> Json:
    ordered = sorted(messages, key=lambda message: message.ts, reverse=latest_first)
    page, after = args.page(ordered)
    answer: Json = {
        "messages": [message.to_slack(with_metadata=args.flag("include_all_metadata")) for message in page],
        "has_more": bool(after),
    }
    return answer | ({"response_metadata": {"next_cursor": after}} if after else {})


def history(workspace: Workspace, args: Args) -> Json:
    channel = joined_channel(workspace, args)
    visible = [m for m in workspace.history[channel.id].values() if not m.is_reply and m.ephemeral_for is None]
    return _shown(workspace, args, _within(args, visible), latest_first=True)


def replies(workspace: Workspace, args: Args) -> Json:
    channel = joined_channel(workspace, args)
    args.required("ts")
    root = thread_of(workspace, channel, args, "ts")
    thread = [m for m in workspace.history[channel.id].values() if m.thread_ts == root and m.is_reply]
    visible = [m for m in thread if m.ephemeral_for is None]
    return _shown(
        workspace, args, [workspace.stored(channel.id, str(root)), *_within(args, visible)], latest_first=False
    )


def add_reaction(workspace: Workspace, args: Args) -> Json:
    message = message_of(workspace, joined_channel(workspace, args), args.required("timestamp"))
    name, bot = args.required("name").strip(":"), workspace.bot_user_id
    if bot in message.reactions.get(name, []):
        raise ApiError("already_reacted")
    message.reactions.setdefault(name, []).append(bot)
    workspace.changed(Change("channel", message.channel, message.thread_ts))
    return {}


def remove_reaction(workspace: Workspace, args: Args) -> Json:
    message = message_of(workspace, joined_channel(workspace, args), args.required("timestamp"))
    name, bot = args.required("name").strip(":"), workspace.bot_user_id
    if bot not in message.reactions.get(name, []):
        raise ApiError("no_reaction")
    message.reactions[name].remove(bot)
    if not message.reactions[name]:
        del message.reactions[name]
    workspace.changed(Change("channel", message.channel, message.thread_ts))
    return {}


METHODS = {
    "conversations.open": open_,
    "conversations.info": info,
    "conversations.members": members,
    "conversations.list": list_,
    "conversations.history": history,
    "conversations.replies": replies,
    "users.conversations": of_bot,
    "reactions.add": add_reaction,
    "reactions.remove": remove_reaction,
}
