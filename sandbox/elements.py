"""Interactive elements in a person's hands: what an element holds at first, and what it says when used."""

from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.errors import NoSuchThing
from sandbox.objects import Json

_PLAIN = {
    "plain_text_input": "value",
    "email_text_input": "value",
    "url_text_input": "value",
    "number_input": "value",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "multi_users_select": "selected_users",
    "conversations_select": "selected_conversation",
    "multi_conversations_select": "selected_conversations",
    "channels_select": "selected_channel",
    "multi_channels_select": "selected_channels",
    "rich_text_input": "rich_text_value",
}
_ONE_OPTION = {"static_select", "radio_buttons", "overflow"}
_MANY_OPTIONS = {"multi_static_select", "checkboxes"}
_INITIAL = {
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_conversation": "initial_conversation",
    "selected_conversations": "initial_conversations",
    "selected_channel": "initial_channel",
    "selected_channels": "initial_channels",
    "value": "initial_value",
    "rich_text_value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
}


def interactive(blocks: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """(block, element) for each element that has an action_id."""
    for block in blocks:
        inside = [block.get("accessory"), block.get("element"), *block.get("elements", [])]
        for element in inside:
            if isinstance(element, dict) and element.get("action_id"):
                yield block, element


def element_of(blocks: Sequence[Json], block_id: str, action_id: str) -> Json:
    for block, element in interactive(blocks):
        if block["block_id"] == block_id and element["action_id"] == action_id:
            return element
    raise NoSuchThing(f"There is no element {action_id} in block {block_id}")


def holds_state(element: Json) -> bool:
    kind = element["type"]
    return kind in _PLAIN or kind in _MANY_OPTIONS or (kind in _ONE_OPTION and kind != "overflow")


def initial_values(blocks: Sequence[Json], before: Json) -> Json:
    """The state of a view's fields: what `before` holds for the same block and action, otherwise the initial values."""
    values: Json = {}
    for block, element in interactive(blocks):
        if not holds_state(element):
            continue
        key = "selected_options" if element["type"] in _MANY_OPTIONS else _PLAIN.get(element["type"], "selected_option")
        empty: Any = [] if key.startswith("selected_") and key.endswith("s") else None
        held = before.get(block["block_id"], {}).get(element["action_id"])
        if held is None or held["type"] != element["type"]:
            held = {"type": element["type"], key: element.get(_INITIAL[key], empty)}
        values.setdefault(block["block_id"], {})[element["action_id"]] = held
    return values


def chosen(element: Json, value: Any) -> Json:
    """What the element says with `value` chosen: `{"type": ..., "selected_option": {...}}` and the like."""
    kind = element["type"]
    said: Json = {"type": kind}
    if kind in _PLAIN:
        return said | {_PLAIN[kind]: str(value) if kind == "number_input" and value is not None else (value or None)}
    if kind in _ONE_OPTION:
        return said | {"selected_option": None if value is None else _option(element, value)}
    if kind in _MANY_OPTIONS:
        return said | {"selected_options": [_option(element, one) for one in value or []]}
    if kind == "feedback_buttons":
        pressed = [element[side] for side in ("positive_button", "negative_button") if element[side]["value"] == value]
        if not pressed:
            raise NoSuchThing(f"Neither of the feedback buttons has the value {value}")
        return said | {"text": pressed[0]["text"], "value": value}
    extras = {key: element[key] for key in ("text", "icon", "value", "style", "url") if key in element}
    return said | extras


def _option(element: Json, value: Any) -> Json:
    groups = element.get("option_groups", [])
    for option in [*element.get("options", []), *(option for group in groups for option in group["options"])]:
        if option["value"] == value:
            picked: Json = option
            return picked
    raise NoSuchThing(f"{element['action_id']} has no option {value}")


def problems(blocks: Sequence[Json], values: Json) -> dict[str, str]:
    """What Slack's own form refuses before the app hears of it, by block id."""
    found: dict[str, str] = {}
    for block, element in interactive(blocks):
        if block["type"] != "input" or not holds_state(element):
            continue
        held = values[block["block_id"]][element["action_id"]]
        content = next(value for key, value in held.items() if key != "type")
        problem = _problem(element, content, optional=bool(block.get("optional")))
        if problem:
            found[block["block_id"]] = problem
    return found


def _problem(element: Json, content: Any, *, optional: bool) -> str | None:
    if not content:
        return None if optional else "Please complete this required field."
    match element["type"]:
        case "email_text_input" if "@" not in content:
            return "Please enter a valid email address."
        case "number_input":
            return _number_problem(element, content)
        case "plain_text_input" if len(content) < element.get("min_length", 0):
            return f"Enter at least {element['min_length']} characters."
        case "plain_text_input" if len(content) > element.get("max_length", 3000):
            return f"Enter at most {element.get('max_length', 3000)} characters."
        case _:
            return None


def _number_problem(element: Json, content: str) -> str | None:
    try:
        number = float(content) if element.get("is_decimal_allowed") else int(content)
    except ValueError:
        return "Please enter a valid number."
    low, high = element.get("min_value"), element.get("max_value")
    if low is not None and number < float(low):
        return f"Enter a number of at least {low}."
    if high is not None and number > float(high):
        return f"Enter a number of at most {high}."
    return None
