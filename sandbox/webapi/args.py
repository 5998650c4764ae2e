"""The arguments of one call, whether they came as a form, as JSON or in the query."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sandbox.errors import ApiError

T = TypeVar("T")


class Args:
    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)

    def as_dict(self) -> dict[str, Any]:
        return dict(self._given)

    def has(self, name: str) -> bool:
        return self._given.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        value = self._given.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        if not self.has(name):
            raise ApiError("invalid_arguments", [f"[ERROR] missing required field: {name}"])
        return self.text(name)

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._given.get(name)
        return default if value is None else value in (True, 1, "1", "true", "True")

    def number(self, name: str, default: int) -> int:
        try:
            return int(self._given.get(name) or default)
        except ValueError:
            raise ApiError("invalid_arguments", [f"[ERROR] must be an integer: {name}"]) from None

    def json(self, name: str, error: str = "invalid_arguments") -> Any:
        """A structure, written out or as a JSON string; None when absent."""
        value = self._given.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError(error, [f"[ERROR] not valid JSON: {name}"]) from None

    def page(self, items: Sequence[T], default: int = 100) -> tuple[list[T], str]:
        """The page that `cursor` and `limit` ask for, and the next cursor ("" on the last page)."""
        start = 0
        if self.has("cursor"):
            try:
                start = int(base64.b64decode(self.text("cursor")).removeprefix(b"from:"))
            except (ValueError, binascii.Error):
                raise ApiError("invalid_cursor") from None
        end = start + min(max(self.number("limit", default), 1), 1000)
        after = base64.b64encode(f"from:{end}".encode()).decode() if end < len(items) else ""
        return list(items[start:end]), after
