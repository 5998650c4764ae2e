"""JSON Lines: an object a line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from knowledge.errors import KnowledgeError


class NotReadable(KnowledgeError):
    """A file can't be read, or isn't what it should be; says where in it."""


def objects_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each object stands, for a complaint about it, and the object. Errors: `NotReadable`."""
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            found = json.loads(line)
        except ValueError as error:
            raise NotReadable(f"{where}: not JSON ({error}).") from error
        if not isinstance(found, dict):
            raise NotReadable(f"{where}: not an object.")
        yield where, found


def lines_of(path: Path) -> list[str]:
    """The lines of a text in UTF-8; only a line feed ends one. Errors: `NotReadable`."""
    try:
        return path.read_text("utf-8").split("\n")
    except OSError as error:
        raise NotReadable(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise NotReadable(f"{path} isn't text in UTF-8.") from error
