"""The history on disk, so that a restart keeps it."""

import asyncio
import base64
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from sandbox.errors import BadStateFile
from sandbox.objects import AssistantThread, Change, File, Json, Mail, Message, View
from sandbox.workspace import Workspace

VERSION = 1
PAUSE = 0.5


def dumped(workspace: Workspace) -> Json:
    """Everything that people would miss: messages, files, homes, mail, assistant threads, changed profiles."""
    with workspace.lock:
        return {
            "version": VERSION,
            "messages": [
                dataclasses.asdict(message) | {"files": [file.id for file in message.files]}
                for messages in workspace.history.values()
                for message in messages.values()
            ],
            "files": [
                dataclasses.asdict(file) | {"content": base64.b64encode(file.content).decode()}
                for file in workspace.files.values()
            ],
            "homes": [dataclasses.asdict(view) for view in workspace.homes.values()],
            "mail": [dataclasses.asdict(mail) for mail in workspace.mail],
            "assistant_threads": [dataclasses.asdict(thread) for thread in workspace.assistant_threads.values()],
        }


def restore(workspace: Workspace, kept: Json) -> None:
    """Put a dump back into a fresh workspace; what belongs to channels that are no more is left out."""
    with workspace.lock:
        for entry in kept["files"]:
            file = File(**entry | {"content": base64.b64decode(entry["content"])})
            workspace.files[file.id] = file
        for entry in kept["messages"]:
            if entry["channel"] in workspace.channels:
                files = [workspace.files[name] for name in entry["files"]]
                workspace.history[entry["channel"]][entry["ts"]] = Message(
                    **entry | {"files": files, "streaming": False}
                )
        workspace.homes = {entry["user"]: View(**entry) for entry in kept["homes"]}
        workspace.mail = [Mail(**entry) for entry in kept["mail"]]
        for entry in kept["assistant_threads"]:
            thread = AssistantThread(**entry | {"status": "", "loading_messages": []})
            workspace.assistant_threads[(thread.channel, thread.thread_ts)] = thread


class StateFile:
    """Writes the state at most twice a second while it changes, and at the end; each time as a whole, never half."""

    def __init__(self, path: Path | None, workspace: Workspace) -> None:
        self._path, self._workspace = path, workspace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._due: asyncio.TimerHandle | None = None

    def load(self) -> None:
        """Raises BadStateFile."""
        if self._path is None or not self._path.exists():
            return
        try:
            restore(self._workspace, json.loads(self._path.read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadStateFile(f"{self._path} holds no history of a sandbox ({error}); move it away.") from error

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._path is not None:
            self._loop = loop
            self._workspace.watchers.append(self._changed)

    def _changed(self, change: Change | None) -> None:
        loop: Any = self._loop
        loop.call_soon_threadsafe(self._soon)

    def _soon(self) -> None:
        if self._due is None and self._loop is not None:
            self._due = self._loop.call_later(PAUSE, self._write)

    def _write(self) -> None:
        self._due = None
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        half = self._path.with_suffix(".new")
        half.write_text(json.dumps(dumped(self._workspace)))
        os.replace(half, self._path)

    def stop(self) -> None:
        if self._loop is None:
            return
        self._workspace.watchers.remove(self._changed)
        if self._due is not None:
            self._due.cancel()
        self._write()
        self._loop = None
