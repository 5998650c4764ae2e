"""How the durable runtime writes arguments, results and errors: JSON that gives back what was put in, never code."""

import json
from typing import Any

TAG = "$"
LONGEST_ERROR = 500


class StepFailed(Exception):
    """What a step or a workflow raised, kept as text: the class's name and its message."""

    def __init__(self, kind: str, message: str, transient: bool = False) -> None:
        self.kind = kind
        self.message = message[:LONGEST_ERROR]
        self.transient = transient
        super().__init__(f"{kind}: {self.message}")

    @classmethod
    def of(cls, error: BaseException) -> "StepFailed":
        return error if isinstance(error, cls) else cls(type(error).__name__, str(error))


def dumps(value: Any) -> str:
    """JSON text of `None`, booleans, numbers, strings, lists, tuples, dictionaries by strings, and errors.

    Raises `TypeError` for anything else.
    """
    return json.dumps(_encoded(value), separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def loads(written: str) -> Any:
    return _decoded(json.loads(written))


def _encoded(value: Any) -> Any:
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return [_encoded(item) for item in value]
        case tuple():
            return {TAG: "tuple", "items": [_encoded(item) for item in value]}
        case dict():
            if strange := [key for key in value if not isinstance(key, str)]:
                raise TypeError(f"A durable value's keys are strings, not {type(strange[0]).__name__}.")
            plain = {key: _encoded(item) for key, item in value.items()}
            return {TAG: "dict", "items": plain} if TAG in plain else plain
        case BaseException():
            failed = StepFailed.of(value)
            return {TAG: "error", "kind": failed.kind, "message": failed.message, "transient": failed.transient}
        case _:
            raise TypeError(f"A durable value is JSON, not {type(value).__name__}.")


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value.get(TAG):
        case None:
            return {key: _decoded(item) for key, item in value.items()}
        case "tuple":
            return tuple(_decoded(item) for item in value["items"])
        case "dict":
            return {key: _decoded(item) for key, item in value["items"].items()}
        case "error":
            return StepFailed(value["kind"], value["message"], value["transient"])
        case unknown:
            raise ValueError(f"An unknown kind of durable value: {unknown!r}")
