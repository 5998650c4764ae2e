"""chat.*: the bot's own messages."""

from typing import Any

from sandbox.blockkit import block_errors
from sandbox.errors import ApiError
from sandbox.objects import Change, Channel, Json, Message
from sandbox.webapi.args import Args
from sandbox.webapi.finding import channel_of, message_of, thread_of, writable_channel
from sandbox.workspace import Workspace

TEXT_LIMIT, UPDATE_LIMIT, MARKDOWN_LIMIT = 40_000, 4_000, 12_000


def content_of(args: Args, *, text_limit: int) -> Json:
    """Text, blocks, attachments and metadata of a message to be, checked."""
    blocks, attachments = args.json("blocks", "invalid_blocks_format"), args.json("attachments")
    text, markdown = args.text("text"), args.text("markdown_text")
    if markdown:
        if text or blocks:
            raise ApiError("markdown_text_conflict")
        if len(markdown) > MARKDOWN_LIMIT:
            raise ApiError("msg_too_long")
        text, blocks = markdown, [{"type": "markdown", "text": markdown}]
    if not (text.strip() or blocks or attachments):
        raise ApiError("no_text")
    if len(text) > text_limit:
        raise ApiError("msg_too_long")
    refuse_wrong_blocks(blocks)
    for number, attachment in enumerate(attachments or []):
        refuse_wrong_blocks(attachment.get("blocks"), f"/attachments/{number}/blocks")
    metadata = metadata_of(args)
    return {"text": text, "blocks": blocks or [], "attachments": attachments or [], "metadata": metadata}


def refuse_wrong_blocks(blocks: Any, path: str = "/blocks") -> None:
    if blocks is None:
        return
    errors = block_errors(blocks, path=path)
    if errors:
        raise ApiError("invalid_blocks", errors)


def metadata_of(args: Args) -> Json | None:
    metadata = args.json("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    shaped = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not shaped or not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    kept: Json = metadata
    return kept


def post_message(workspace: Workspace, args: Args) -> Json:
    channel = writable_channel(workspace, args)
    message = workspace.bot_message(
        channel.id, content_of(args, text_limit=TEXT_LIMIT), thread_of(workspace, channel, args)
    )
    message.username, message.icon_emoji = args.text("username") or None, args.text("icon_emoji") or None
    workspace.add_message(message)
    workspace.tell_posted(message)
    return {"channel": channel.id, "ts": message.ts, "message": message.to_slack()}


def own_message(workspace: Workspace, channel: Channel, args: Args, refusal: str) -> Message:
    message = message_of(workspace, channel, args.required("ts"))
    if message.user != workspace.bot_user_id:
        raise ApiError(refusal)
    return message


def update(workspace: Workspace, args: Args) -> Json:
    channel = writable_channel(workspace, args)
    message = own_message(workspace, channel, args, "cant_update_message")
    if message.streaming and workspace.clock() <= message.state["streaming_until"]:
        raise ApiError("streaming_state_conflict")
    message.streaming = False
    content, previous = content_of(args, text_limit=UPDATE_LIMIT), message.to_slack()
    message.text, message.blocks = content["text"], workspace.with_ids(content["blocks"])
    message.attachments = content["attachments"]
    if content["metadata"] is not None:
        message.metadata = content["metadata"]
    message.edited_ts, message.edited_by = workspace.next_ts(), workspace.bot_user_id
    workspace.changed(Change("channel", channel.id, message.thread_ts))
    workspace.tell_changed(message, previous)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": message.to_slack()}


def delete(workspace: Workspace, args: Args) -> Json:
    channel = writable_channel(workspace, args)
    message = own_message(workspace, channel, args, "cant_delete_message")
    workspace.remove_message(message)
    workspace.tell_deleted(channel.id, message.to_slack())
    return {"channel": channel.id, "ts": message.ts}


def post_ephemeral(workspace: Workspace, args: Args) -> Json:
    channel = writable_channel(workspace, args)
    if args.required("user") not in channel.members:
        raise ApiError("user_not_in_channel")
    message = workspace.bot_message(
        channel.id, content_of(args, text_limit=TEXT_LIMIT), thread_of(workspace, channel, args)
    )
    message.ephemeral_for = args.text("user")
    workspace.add_message(message)
    return {"message_ts": message.ts}


def get_permalink(workspace: Workspace, args: Args) -> Json:
    channel = channel_of(workspace, args)
    message = message_of(workspace, channel, args.required("message_ts"))
    link = f"{workspace.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


METHODS = {
    "chat.postMessage": post_message,
    "chat.update": update,
    "chat.delete": delete,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
}
