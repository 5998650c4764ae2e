"""Block Kit as Slack checks it: what may stand where, required fields, no unknown ones, limits, unique ids.

Limits are those of Slack's reference (docs.slack.dev/reference/block-kit). Only blocks and elements that are listed
here exist; a new one is a line.
"""

from collections import Counter
from typing import Any

from sandbox.richtext import RICH_TEXT, TABLE
from sandbox.schema import (
    Check,
    anything,
    array,
    at_least_one,
    boolean,
    by_type,
    exactly_one,
    integer,
    one_of,
    record,
    string,
    typed,
    wrong,
)

MARKDOWN_LIMIT = 12_000


def plain(longest: int) -> Check:
    return by_type({"plain_text": typed({"text": string(longest)}, {"emoji": boolean})}, "text type")


def text(longest: int) -> Check:
    mrkdwn = typed({"text": string(longest)}, {"verbatim": boolean})
    return by_type({"plain_text": plain(longest), "mrkdwn": mrkdwn}, "text type")


def _option(label: Check, **more: Check) -> Check:
    return record({"text": label, "value": string(150)}, {"description": label, **more})


ACTION_ID, URL = string(255), string(3000)
CONFIRM = record(
    {"title": plain(100), "text": text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": one_of("primary", "danger")},
)
PLACEHOLDER = plain(150)
OPTION, RADIO_OPTION = _option(plain(75)), _option(text(75))
DISPATCH = record({"trigger_actions_on": array(one_of("on_enter_pressed", "on_character_entered"), 2)})
SLACK_FILE = record({}, {"id": string(255), "url": URL})
VISIBLE_TO = array(string(255), 10)
FEEDBACK = record({"text": plain(75), "value": string(2000)}, {"accessibility_label": string(75)})
OPTIONS = {
    "options": array(OPTION, 100),
    "option_groups": array(record({"label": plain(75), "options": array(OPTION, 100)}), 100),
}


def _element(required: dict[str, Check], optional: dict[str, Check]) -> Check:
    return typed(required, {"action_id": ACTION_ID, **optional})


def _field(required: dict[str, Check], optional: dict[str, Check]) -> Check:
    return _element(required, {"placeholder": PLACEHOLDER, "focus_on_load": boolean, **optional})


def _picker(initial: str, check: Check = string(255)) -> Check:  # noqa: B008  # a pure function
    return _field({}, {initial: check, "confirm": CONFIRM})


def _many(initial: str) -> Check:
    return _picker(initial, array(string(255), 100))


def _typed_text(**more: Check) -> Check:
    return _field({}, {"initial_value": string(3000), "dispatch_action_config": DISPATCH, **more})


BUTTON = _element(
    {"text": plain(75)},
    {
        "url": URL,
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
IMAGE = exactly_one(
    typed({"alt_text": string(2000)}, {"image_url": URL, "slack_file": SLACK_FILE}), "image_url", "slack_file"
)
CHOICES: dict[str, Check] = {
    "static_select": exactly_one(
        _field({}, OPTIONS | {"initial_option": OPTION, "confirm": CONFIRM}), "options", "option_groups"
    ),
    "multi_static_select": exactly_one(
        _field(
            {},
            OPTIONS | {"initial_options": array(OPTION, 100), "confirm": CONFIRM, "max_selected_items": integer},
        ),
        "options",
        "option_groups",
    ),
    "radio_buttons": _element(
        {"options": array(RADIO_OPTION, 10)},
        {"initial_option": RADIO_OPTION, "confirm": CONFIRM, "focus_on_load": boolean},
    ),
    "checkboxes": _element(
        {"options": array(RADIO_OPTION, 10)},
        {"initial_options": array(RADIO_OPTION, 10), "confirm": CONFIRM, "focus_on_load": boolean},
    ),
    "datepicker": _picker("initial_date", string(10, shortest=10)),
    "timepicker": _field({}, {"initial_time": string(5, shortest=5), "confirm": CONFIRM, "timezone": string(255)}),
    "datetimepicker": _element({}, {"initial_date_time": integer, "confirm": CONFIRM, "focus_on_load": boolean}),
    "users_select": _picker("initial_user"),
    "multi_users_select": _many("initial_users"),
    "conversations_select": _picker("initial_conversation"),
    "multi_conversations_select": _many("initial_conversations"),
    "channels_select": _picker("initial_channel"),
    "multi_channels_select": _many("initial_channels"),
}
PRESSED: dict[str, Check] = {
    "button": BUTTON,
    "overflow": _element({"options": array(_option(plain(75), url=URL), 5)}, {"confirm": CONFIRM}),
}
TYPED: dict[str, Check] = {
    "plain_text_input": _typed_text(multiline=boolean, min_length=integer, max_length=integer),
    "email_text_input": _typed_text(),
    "url_text_input": _typed_text(),
    "number_input": _field(
        {"is_decimal_allowed": boolean},
        {
            "initial_value": string(255),
            "min_value": string(255),
            "max_value": string(255),
            "dispatch_action_config": DISPATCH,
        },
    ),
    "rich_text_input": _field({}, {"initial_value": anything, "dispatch_action_config": DISPATCH}),
}
CONTEXT_ACTIONS: dict[str, Check] = {
    "feedback_buttons": _element({"positive_button": FEEDBACK, "negative_button": FEEDBACK}, {}),
    "icon_button": _element(
        {"icon": one_of("trash"), "text": plain(75)},
        {
            "value": string(2000),
            "accessibility_label": string(75),
            "visible_to_user_ids": VISIBLE_TO,
            "confirm": CONFIRM,
        },
    ),
}


def _block(required: dict[str, Check], optional: dict[str, Check]) -> Check:
    return typed(required, {"block_id": string(255), **optional})


_IMAGE_BLOCK = _block({"alt_text": string(2000)}, {"image_url": URL, "slack_file": SLACK_FILE, "title": plain(2000)})
EVERYWHERE: dict[str, Check] = {
    "section": at_least_one(
        _block(
            {},
            {
                "text": text(3000),
                "fields": array(text(2000), 10),
                "accessory": by_type({"image": IMAGE, **PRESSED, **CHOICES}, "element type"),
                "expand": boolean,
            },
        ),
        "text",
        "fields",
    ),
    "divider": _block({}, {}),
    "header": _block({"text": plain(150)}, {}),
    "context": _block(
        {"elements": array(by_type({"image": IMAGE, "plain_text": plain(3000), "mrkdwn": text(3000)}), 10)}, {}
    ),
    "actions": _block({"elements": array(by_type({**PRESSED, **CHOICES}, "element type"), 25)}, {}),
    "input": _block(
        {"label": plain(2000), "element": by_type({**TYPED, **CHOICES}, "element type")},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "image": exactly_one(_IMAGE_BLOCK, "image_url", "slack_file"),
    "rich_text": _block(*RICH_TEXT),
}
IN_MESSAGES: dict[str, Check] = {
    "markdown": _block({"text": string(MARKDOWN_LIMIT)}, {}),
    "context_actions": _block({"elements": array(by_type(CONTEXT_ACTIONS, "element type"), 5)}, {}),
    "table": _block(*TABLE),
    "file": _block({"external_id": string(255), "source": one_of("remote")}, {}),
}
MESSAGE_BLOCK = by_type(EVERYWHERE | IN_MESSAGES, "block type")
VIEW_BLOCK = by_type(EVERYWHERE, "block type")

_VIEW_COMMON: dict[str, Check] = {
    "private_metadata": string(3000, shortest=0),
    "callback_id": string(255, shortest=0),
    "external_id": string(255, shortest=0),
}
VIEWS: dict[str, Check] = {
    "modal": typed(
        {"title": plain(24), "blocks": array(VIEW_BLOCK, 100, least=0)},
        {
            "submit": plain(24),
            "close": plain(24),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
            **_VIEW_COMMON,
        },
    ),
    "home": typed({"blocks": array(VIEW_BLOCK, 100, least=0)}, {"title": plain(24), **_VIEW_COMMON}),
}


def block_errors(blocks: Any, *, path: str = "/blocks") -> list[str]:
    """What Slack would refuse in a message's blocks, each naming its place; empty when all is well."""
    errors = array(MESSAGE_BLOCK, 50, least=0)(blocks, path)
    if errors:
        return errors
    marked_down = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if marked_down > MARKDOWN_LIMIT:
        errors += wrong(f"markdown blocks must be less than {MARKDOWN_LIMIT + 1} characters in all", path)
    if sum(block["type"] == "table" for block in blocks) > 1:
        errors += wrong("only one table is allowed", path)
    return errors + _id_errors(blocks, path)


def view_errors(view: Any, kind: str) -> list[str]:
    """What Slack would refuse in a view of this kind ("modal", "home")."""
    errors = by_type({kind: VIEWS[kind]}, "view type")(view, "/view")
    if errors:
        return errors
    if kind == "modal" and not view.get("submit") and any(block["type"] == "input" for block in view["blocks"]):
        errors += wrong("missing required field: submit", "/view")
    return errors + _id_errors(view["blocks"], "/view/blocks")


def _id_errors(blocks: list[dict[str, Any]], path: str) -> list[str]:
    errors: list[str] = []
    block_ids = Counter(block["block_id"] for block in blocks if block.get("block_id"))
    errors += [e for name, count in block_ids.items() if count > 1 for e in wrong(f"duplicate block_id: {name}", path)]
    for number, block in enumerate(blocks):
        inside = [block.get("element"), block.get("accessory"), *block.get("elements", [])]
        elements = [element for element in inside if isinstance(element, dict)]
        action_ids = Counter(element["action_id"] for element in elements if element.get("action_id"))
        for name, count in action_ids.items():
            errors += wrong(f"duplicate action_id: {name}", f"{path}/{number}") if count > 1 else []
        for element in elements:
            errors += _initial_errors(element, f"{path}/{number}")
    return errors


def _initial_errors(element: dict[str, Any], path: str) -> list[str]:
    """What is chosen at first must be one of the options, to the letter."""
    groups = element.get("option_groups") or []
    options = [*(element.get("options") or []), *(option for group in groups for option in group["options"])]
    initial = [element.get("initial_option"), *(element.get("initial_options") or [])]
    if all(option in options for option in initial if option is not None):
        return []
    return wrong("initial option must match one of the options", path)
