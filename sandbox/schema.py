"""Small checks that compose: each takes a value and its JSON pointer and returns what is wrong, in Slack's words."""

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], list[str]]


def wrong(text: str, path: str) -> list[str]:
    return [f"[ERROR] {text} [json-pointer:{path}]"]


def string(longest: int, shortest: int = 1) -> Check:
    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, str):
            return wrong("must provide a string", path)
        if len(value) < shortest:
            return wrong(f"must be more than {shortest - 1} characters", path)
        if len(value) > longest:
            return wrong(f"must be less than {longest + 1} characters", path)
        return []

    return check


def integer(value: Any, path: str) -> list[str]:
    return [] if isinstance(value, int) and not isinstance(value, bool) else wrong("must provide an integer", path)


def boolean(value: Any, path: str) -> list[str]:
    return [] if isinstance(value, bool) else wrong("must provide a boolean", path)


def anything(value: Any, path: str) -> list[str]:
    return []


def one_of(*allowed: Any) -> Check:
    def check(value: Any, path: str) -> list[str]:
        return [] if value in allowed else wrong(f"must be one of: {', '.join(map(str, allowed))}", path)

    return check


def array(of: Check, most: int, least: int = 1) -> Check:
    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, list):
            return wrong("must provide an array", path)
        if len(value) < least:
            return wrong(f"no fewer than {least} items allowed", path)
        if len(value) > most:
            return wrong(f"no more than {most} items allowed", path)
        return [error for number, item in enumerate(value) for error in of(item, f"{path}/{number}")]

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others."""
    known = {**required, **(optional or {})}

    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, dict):
            return wrong("must provide an object", path)
        errors = [
            e for name in required if value.get(name) is None for e in wrong(f"missing required field: {name}", path)
        ]
        for name, content in value.items():
            if name not in known:
                errors += wrong(f"invalid additional property: {name}", path)
            elif content is not None:
                errors += known[name](content, f"{path}/{name}")
        return errors

    return check


def typed(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """A record that says its `type` (checked by `by_type`)."""
    return record({"type": anything, **required}, optional)


def by_type(kinds: Mapping[str, Check], named: str = "type") -> Check:
    """The check that the object's `type` asks for."""

    def check(value: Any, path: str) -> list[str]:
        if not isinstance(value, dict):
            return wrong("must provide an object", path)
        kind = value.get("type")
        if not isinstance(kind, str):
            return wrong("missing required field: type", path)
        if kind not in kinds:
            return wrong(f"unsupported {named}: {kind}", f"{path}/type")
        return kinds[kind](value, path)

    return check


def exactly_one(check: Check, *names: str) -> Check:
    """`check`, and that exactly one of these fields is there."""

    def both(value: Any, path: str) -> list[str]:
        if isinstance(value, dict) and sum(value.get(name) is not None for name in names) != 1:
            return [*check(value, path), *wrong(f"must provide exactly one of: {', '.join(names)}", path)]
        return check(value, path)

    return both


def at_least_one(check: Check, *names: str) -> Check:
    def both(value: Any, path: str) -> list[str]:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            return [*check(value, path), *wrong(f"must provide one of: {', '.join(names)}", path)]
        return check(value, path)

    return both
