"""The folder of an embedded index: whose it is, and how far each generation in it has come."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from filelock import FileLock, Timeout

from knowledge.vectors import UNMARKED, Mark


class FolderTaken(Exception):
    """Another process owns the index folder."""


class IndexFolder:
    """Locked for as long as it is open. The lock is the operating system's, so a killed process frees it."""

    def __init__(self, path: Path) -> None:
        """Raises `FolderTaken` at once when another process has it."""
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        # Opened by one thread, closed by another: the lock must not be per thread.
        self._lock = FileLock(path / "owner.lock", thread_local=False)
        try:
            self._lock.acquire(timeout=0)
        except Timeout as taken:
            raise FolderTaken(str(path)) from taken
        self._file = path / "marks.json"

    def hold_again(self) -> None:
        """For another generation beside; the last `close` lets go."""
        self._lock.acquire(timeout=0)

    @property
    def is_held(self) -> bool:
        return self._lock.is_locked

    def marks(self) -> dict[str, Mark]:
        """By generation; one that is being written has an empty mark. A file that can't be read says nothing."""
        try:
            stored = json.loads(self._file.read_text())
            return {generation: Mark(str(base), int(change)) for generation, (base, change) in stored.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def mark(self, generation: str) -> Mark:
        return self.marks().get(generation, UNMARKED)

    def set_mark(self, generation: str, mark: Mark) -> None:
        """On disk when it returns: neither a crash of the machine nor of the process leaves a mark that isn't true."""
        self._write(self.marks() | {generation: mark})

    def forget(self, generation: str) -> None:
        self._write({key: mark for key, mark in self.marks().items() if key != generation})

    def _write(self, marks: Mapping[str, Mark]) -> None:
        beside = self._file.with_suffix(".new")
        with beside.open("w") as file:
            json.dump({key: [each.base, each.change] for key, each in marks.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file)

    def close(self) -> None:
        self._lock.release()


class FolderKeeper:
    """The index folder as one library has it: generations that are open side by side share the lock."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opening = Lock()
        self._folder: IndexFolder | None = None

    def open(self) -> IndexFolder:
        """Each one given is to be closed. Raises `FolderTaken`."""
        with self._opening:
            if self._folder is not None and self._folder.is_held:
                self._folder.hold_again()
            else:
                self._folder = IndexFolder(self._path)
            return self._folder
