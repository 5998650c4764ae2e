"""The folder of an embedded index: whose it is, and how far each generation in it has come."""

import json
import os
from pathlib import Path

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
        marks = self.marks() | {generation: mark}
        beside = self._file.with_suffix(".new")
        with beside.open("w") as file:
            json.dump({key: [each.base, each.change] for key, each in marks.items()}, file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._file)

    def close(self) -> None:
        self._lock.release()
