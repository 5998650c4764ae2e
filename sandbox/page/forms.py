"""What a person put into a form of the page, in the shape in which the workspace takes it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import FormData

from sandbox.objects import Json
from sandbox.page.rendering import address

_MANY = ("checkboxes", "multi_static_select", "multi_users_select", "multi_conversations_select")


class BadForm(Exception):
    """The page sent something that it never offers."""


@dataclass(frozen=True)
class Click:
    block_id: str
    action_id: str
    value: str | list[str] | None


def elements(block: Json) -> Iterator[Json]:
    """The interactive elements of a block, wherever this type of block keeps them."""
    for part in (block.get("element"), block.get("accessory"), *(block.get("elements") or [])):
        if isinstance(part, dict) and "action_id" in part:
            yield part


def read_click(form: FormData, blocks: Sequence[Json]) -> Click:
    """The element that was used and its value; raises BadForm when these blocks have no such element."""
    click = form.get("click")
    place = [unquote(part) for part in click.split("/")] if isinstance(click, str) else []
    if len(place) not in (2, 3):
        raise BadForm("That button is unknown")
    block_id, action_id = place[:2]
    for block in blocks:
        for element in elements(block):
            if (block.get("block_id"), element["action_id"]) == (block_id, action_id):
                value = place[2] if len(place) == 3 else _value(form, block_id, element)
                return Click(block_id, action_id, value)
    raise BadForm("That button is gone; the message has changed in the meantime")


def read_values(form: FormData, blocks: Sequence[Json]) -> dict[str, dict[str, Any]]:
    """What was entered: block id -> action id -> value (a list where several may be chosen, None where nothing was)."""
    values: dict[str, dict[str, Any]] = {}
    for block in blocks:
        for element in elements(block):
            if element["type"] in ("button", "overflow", "feedback_buttons", "icon_button"):
                continue
            block_id = str(block.get("block_id"))
            values.setdefault(block_id, {})[element["action_id"]] = _value(form, block_id, element)
    return values


def _value(form: FormData, block_id: str, element: Json) -> str | list[str] | None:
    name = address(block_id, element["action_id"])
    given = [text for text in form.getlist(name) if isinstance(text, str) and text]
    if element["type"] in _MANY:
        return given
    return given[0] if given else None
