"""A form in Slack made from what a request declares, and what was filled in read back into it."""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from bot.blocks import kit
from bot.routines.offers import Kind
from bot.values import Kind as ValueKind
from bot.values import Wanted

MOST_OPTIONS = 100
"""Slack's limit of a select."""
TITLE_LENGTH = 24
OLD_FORM = "This form is too old, so nothing has happened. Ask me again."
Values = dict[str, Any]


@dataclass(frozen=True)
class Offered:
    """Marks a field that takes the name of something on offer."""

    kind: Kind


def form(
    callback: str, title: str, wish: type[BaseModel], given: Mapping[str, Any], names: Callable[[Kind], Sequence[str]]
) -> kit.Block:
    """A modal with a question per field; `given` are values that are known already, as JSON has them."""
    blocks = [
        kit.question(
            name,
            field.title or name.replace("_", " ").capitalize(),
            _element(field, given.get(name), names),
            optional=not field.is_required(),
            hint=field.description or "",
        )
        for name, field in wish.model_fields.items()
    ]
    return kit.modal(callback, title[:TITLE_LENGTH], blocks, submit="Ask for it")


def _element(field: FieldInfo, given: Any, names: Callable[[Kind], Sequence[str]]) -> kit.Element:
    if kind := offered(field):
        options = [kit.option(name, name) for name in names(kind)[:MOST_OPTIONS]]
        element: kit.Element = {"type": "static_select", "options": options}
        chosen = next((option for option in options if option["value"] == given), None)
        return element | ({"initial_option": chosen} if chosen else {})
    if date in _types(field):
        return {"type": "datepicker"} | ({"initial_date": str(given)} if given else {})
    if int in _types(field):
        least, most = (_limit(field, name) for name in ("ge", "le"))
        number: kit.Element = {"type": "number_input", "is_decimal_allowed": False}
        bounds = {"min_value": least, "max_value": most, "initial_value": None if given is None else str(given)}
        return number | {name: bound for name, bound in bounds.items() if bound is not None}
    longest = next((limit.max_length for limit in field.metadata if hasattr(limit, "max_length")), kit.INPUT)
    return kit.text_input(initial=str(given or ""), limit=longest)


def _limit(field: FieldInfo, name: str) -> str | None:
    return next((str(getattr(mark, name)) for mark in field.metadata if hasattr(mark, name)), None)


def offered(field: FieldInfo) -> Kind | None:
    return next((mark.kind for mark in field.metadata if isinstance(mark, Offered)), None)


def wanted(wish: type[BaseModel], names: Callable[[Kind], Sequence[str]]) -> list[Wanted]:
    """What a message may say already. A day is the last one where the field is called `until`, and `reason` is why."""
    found = []
    for name, field in wish.model_fields.items():
        if kind := offered(field):
            found.append(Wanted(name, ValueKind.CHOICE, tuple(names(kind))))
        elif date in _types(field):
            found.append(Wanted(name, ValueKind.UNTIL if name == "until" else ValueKind.DAY))
        elif name == "reason":
            found.append(Wanted(name, ValueKind.REASON))
    return found


def _types(field: FieldInfo) -> tuple[Any, ...]:
    if get_origin(field.annotation) in (Union, types.UnionType):
        return get_args(field.annotation)
    return (field.annotation,)


def filled_in(state: Mapping[str, Any]) -> Values:
    """The values of a form that was sent (`view.state.values`), by field, without empty ones."""
    values: Values = {}
    for name, actions in state.items():
        element = actions.get("value") or {}
        value = element.get("value") or element.get("selected_date")
        if value is None:
            value = (element.get("selected_option") or {}).get("value")
        if isinstance(value, str) and value.strip():
            values[name] = value.strip()
    return values


def wish_of(wish: type[BaseModel], values: Mapping[str, Any]) -> BaseModel | dict[str, str]:
    """The wish, or what is wrong with the values, by field and in words."""
    try:
        return wish.model_validate(dict(values))
    except ValidationError as error:
        return {str(flaw["loc"][0]): _said(flaw) for flaw in reversed(error.errors()) if flaw["loc"]}


def _said(flaw: Any) -> str:
    match flaw["type"]:
        case "missing":
            return "This is needed."
        case "string_too_short":
            return f"Write at least {flaw['ctx']['min_length']} characters."
        case "string_too_long":
            return f"Write at most {flaw['ctx']['max_length']} characters."
        case "greater_than_equal":
            return f"At least {flaw['ctx']['ge']}."
        case "less_than_equal":
            return f"At most {flaw['ctx']['le']}."
        case "int_parsing" | "int_from_float":
            return "A whole number is needed."
        case _:
            return "This isn't right."
