"""The workspace as people use it: they post, click, fill in forms; pages read what they see.

Every method is safe to call from any thread. `submit`, `command` and the clicks wait for the app's answer (up to 3 s),
so call them from a worker thread, never on the server's event loop (a `def` endpoint of Starlette runs in one).

The class is built in layers, a file each: `State` (memory, changes), `Events` (what the app is told), `Reading` (what a
page shows), `Interactions` (buttons, forms, commands), and here what people write.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from mimetypes import guess_type
from typing import Any
from urllib.parse import quote

from sandbox.errors import NoSuchThing
from sandbox.interactions import Interactions
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
from sandbox.typed import as_slack_sends, rich_text

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


class Workspace(Interactions):
    def post(
        self, user: str, channel: str, text: str, *, thread_ts: str | None = None, files: Sequence[File] = ()
    ) -> str:
        """Post as typed (escaped here; `<@U..>` stays a mention, `@Deskmate` becomes one); returns the ts."""
        with self.lock:
            room = self.channel(channel)
            if user not in room.members:
                raise NoSuchThing(f"{user} is not in {room.name}")
            if thread_ts is not None:
                self.stored(channel, thread_ts)
            message = Message(self.next_ts(), channel, user, self._typed(text), thread_ts)
            message.client_msg_id = str(uuid.uuid4())
            if text:
                message.blocks = [rich_text(message.text)]
            if files:
                message.files, message.subtype, message.client_msg_id = list(files), "file_share", None
            self.add_message(message)
            self.tell_posted(message)
            return message.ts

    def _typed(self, text: str) -> str:
        names = {user.name: user.id for user in self.users.values()} | {u.handle: u.id for u in self.users.values()}
        return as_slack_sends(text, names)

    def upload(
        self, user: str, channel: str, name: str, content: bytes, text: str = "", *, thread_ts: str | None = None
    ) -> str:
        """Post a message with one file; returns the message's ts."""
        with self.lock:
            file_id = self.new_id("F")
            kind = guess_type(name)[0] or "application/octet-stream"
            url = f"{self.base_url}/files-pri/{self.team.id}-{file_id}/{quote(name, safe='')}"
            file = File(file_id, name, kind, content, user, [channel], int(self.clock()), url)
            self.files[file_id] = file
            return self.post(user, channel, text, thread_ts=thread_ts, files=[file])

    def edit(self, user: str, channel: str, ts: str, text: str) -> None:
        with self.lock:
            message = self._own(user, channel, ts)
            previous = message.to_slack()
            message.text = self._typed(text)
            message.blocks = self.with_ids([rich_text(message.text)])
            message.edited_ts, message.edited_by = self.next_ts(), user
            self.changed(Change("channel", channel, message.thread_ts))
            self.tell_changed(message, previous)

    def delete(self, user: str, channel: str, ts: str) -> None:
        with self.lock:
            message = self._own(user, channel, ts)
            previous = message.to_slack()
            self.remove_message(message)
            self.tell_deleted(channel, previous)

    def _own(self, user: str, channel: str, ts: str) -> Message:
        message = self.stored(channel, ts)
        if message.user != user:
            raise NoSuchThing(f"{user} did not write {ts}")
        return message

    def react(self, user: str, channel: str, ts: str, name: str) -> None:
        """Add the reaction, or take it back when the person has it already."""
        with self.lock:
            message = self.stored(channel, ts)
            added = user not in message.reactions.get(name, [])
            if added:
                message.reactions.setdefault(name, []).append(user)
            else:
                message.reactions[name].remove(user)
                if not message.reactions[name]:
                    del message.reactions[name]
            self.changed(Change("channel", channel, message.thread_ts))
            kind = "reaction_added" if added else "reaction_removed"
            item = {"type": "message", "channel": channel, "ts": ts}
            event: Json = {"type": kind, "user": user, "reaction": name, "item": item, "item_user": message.user}
            self.send_event(event | {"event_ts": self.next_ts()}, kind)

    def open_home(self, user: str, tab: str = "home") -> None:
        with self.lock:
            event: Json = {"type": "app_home_opened", "user": user, "channel": self.dm_of(user).id, "tab": tab}
            view = self.homes.get(user)
            if view is not None and tab == "home":
                event["view"] = self._wire_view(view)
            self.send_event(event | {"event_ts": self.next_ts()}, "app_home_opened")

    def open_assistant(self, user: str, context_channel: str | None = None) -> str:
        """Open a new thread of the assistant pane; returns its thread_ts in the person's DM."""
        with self.lock:
            room = self.dm_of(user)
            root = self.bot_message(room.id, {"text": "New Assistant Thread"}, None)
            root.subtype, root.thread_ts = "assistant_app_thread", root.ts
            self.add_message(root)
            self.assistant_threads[(room.id, root.ts)] = AssistantThread(user, room.id, root.ts)
            self._tell_assistant("assistant_thread_started", user, room.id, root.ts, context_channel)
            self.changed(Change("assistant", room.id, root.ts, user))
            return root.ts

    def change_assistant_context(self, user: str, thread_ts: str, context_channel: str) -> None:
        """The person looks at another channel while the pane is open."""
        self._tell_assistant("assistant_thread_context_changed", user, self.dm_of(user).id, thread_ts, context_channel)

    def _tell_assistant(self, kind: str, user: str, channel: str, thread_ts: str, context_channel: str | None) -> None:
        context: Json = {}
        if context_channel is not None:
            context = {"channel_id": context_channel, "team_id": self.team.id, "enterprise_id": None}
        thread: Json = {"user_id": user, "context": context, "channel_id": channel, "thread_ts": thread_ts}
        self.send_event({"type": kind, "assistant_thread": thread, "event_ts": self.next_ts()}, kind)

    def advance(self, hours: float) -> str:
        """Move time on; returns by how much in all it is ahead, as `2 days, 3:00:00`."""
        if hours < 0:
            raise ValueError("time doesn't go back")
        with self.lock:
            self.advanced += timedelta(hours=hours)
            return str(self.advanced)

    def change_profile(self, user: str, **fields: Any) -> None:
        """Change `name`, `display_name`, `title`, `emails`, `deleted`, `is_restricted`...; the app gets user_change."""
        with self.lock:
            person = self.user(user)
            for name, value in fields.items():
                if name in {"id", "team_id"} or not hasattr(person, name):
                    raise NoSuchThing(f"A profile has no field {name} that can change")
                setattr(person, name, value)
            person.updated = int(self.clock())
            self.changed(Change("users", user=user))
            event: Json = {"type": "user_change", "user": person.to_slack(), "cache_ts": person.updated}
            self.send_event(event | {"event_ts": self.next_ts()}, "user_change")
