"""assistant.threads.* and streamed messages."""

from typing import Any

from sandbox.errors import ApiError
from sandbox.objects import AssistantThread, Change, Json, Message
from sandbox.webapi.args import Args
from sandbox.webapi.chat import MARKDOWN_LIMIT, metadata_of, own_message, refuse_wrong_blocks
from sandbox.webapi.finding import joined_channel, thread_of, writable_channel
from sandbox.workspace import Workspace

STREAM_SECONDS = 300.0
PROMPT_LIMIT = 4


def _thread(workspace: Workspace, args: Args) -> AssistantThread:
    """Status and the like work in any thread, not only in those that the pane opened."""
    channel = joined_channel(workspace, args, "channel_id")
    args.required("thread_ts")
    ts = str(thread_of(workspace, channel, args))
    made = AssistantThread(channel.user, channel.id, ts)
    return workspace.assistant_threads.setdefault((channel.id, ts), made)


def _changed(workspace: Workspace, thread: AssistantThread) -> Json:
    workspace.changed(Change("assistant", thread.channel, thread.thread_ts, thread.user or None))
    return {}


def set_status(workspace: Workspace, args: Args) -> Json:
    thread = _thread(workspace, args)
    thread.status = args.text("status")
    thread.loading_messages = list(args.json("loading_messages") or []) if thread.status else []
    return _changed(workspace, thread)


def set_title(workspace: Workspace, args: Args) -> Json:
    thread = _thread(workspace, args)
    thread.title = args.required("title")
    root = workspace.stored(thread.channel, thread.thread_ts)
    if root.subtype == "assistant_app_thread":
        previous = root.to_slack()
        root.state["title"] = thread.title
        workspace.tell_changed(root, previous)
    return _changed(workspace, thread)


def set_suggested_prompts(workspace: Workspace, args: Args) -> Json:
    prompts: Any = args.json("prompts")
    shaped = isinstance(prompts, list) and all(
        isinstance(prompt, dict) and prompt.get("title") and prompt.get("message") for prompt in prompts
    )
    if not shaped or not 1 <= len(prompts) <= PROMPT_LIMIT:
        raise ApiError(
            "invalid_arguments", [f"[ERROR] 1 to {PROMPT_LIMIT} prompts with title and message [json-pointer:/prompts]"]
        )
    thread = _thread(workspace, args)
    thread.prompts, thread.prompts_title = prompts, args.text("title")
    return _changed(workspace, thread)


def _markdown(args: Args) -> str:
    chunks: Any = args.json("chunks") or []
    text = args.text("markdown_text") + "".join(c.get("text", "") for c in chunks if c.get("type") == "markdown_text")
    if len(text) > MARKDOWN_LIMIT:
        raise ApiError("msg_too_long")
    return text


def start_stream(workspace: Workspace, args: Args) -> Json:
    channel = writable_channel(workspace, args)
    args.required("thread_ts")
    if not channel.is_im:
        for name in ("recipient_team_id", "recipient_user_id"):
            if not args.has(name):
                raise ApiError(f"missing_{name}")
    thread_ts, text = thread_of(workspace, channel, args), _markdown(args)
    message = workspace.bot_message(channel.id, {}, thread_ts)
    message.streaming = True
    message.state["streaming_until"] = workspace.clock() + STREAM_SECONDS
    workspace.add_message(message)
    _append(workspace, message, text)
    workspace.tell_posted(message)
    return {"channel": channel.id, "ts": message.ts}


def _append(workspace: Workspace, message: Message, text: str) -> None:
    message.text += text
    if message.text:
        message.blocks = workspace.with_ids([{"type": "markdown", "text": message.text}])
    workspace.changed(Change("channel", message.channel, message.thread_ts))


def _streamed(workspace: Workspace, args: Args) -> Message:
    message = own_message(workspace, writable_channel(workspace, args), args, "message_not_owned_by_app")
    if message.streaming and workspace.clock() > message.state["streaming_until"]:
        message.streaming = False
    if not message.streaming:
        raise ApiError("message_not_in_streaming_state")
    return message


def append_stream(workspace: Workspace, args: Args) -> Json:
    message, text = _streamed(workspace, args), _markdown(args)
    if not text and not args.has("chunks"):
        raise ApiError("no_text")
    _append(workspace, message, text)
    return {"channel": message.channel, "ts": message.ts}


def stop_stream(workspace: Workspace, args: Args) -> Json:
    message, text = _streamed(workspace, args), _markdown(args)
    blocks: Any = args.json("blocks", "invalid_blocks_format")
    refuse_wrong_blocks(blocks)
    metadata, previous = metadata_of(args), message.to_slack()
    _append(workspace, message, text)
    message.blocks += workspace.with_ids(blocks or [])
    message.streaming, message.metadata = False, metadata or message.metadata
    workspace.changed(Change("channel", message.channel, message.thread_ts))
    workspace.tell_changed(message, previous)
    return {"channel": message.channel, "ts": message.ts, "message": message.to_slack()}


METHODS = {
    "assistant.threads.setStatus": set_status,
    "assistant.threads.setTitle": set_title,
    "assistant.threads.setSuggestedPrompts": set_suggested_prompts,
    "chat.startStream": start_stream,
    "chat.appendStream": append_stream,
    "chat.stopStream": stop_stream,
}
