"""The pieces of Block Kit that the desk uses, each within Slack's limits whatever it is given.

Texts are plain unless the name says otherwise. Limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Sequence
from typing import Any, Literal

from bot.blocks.markup import clip

Block = dict[str, Any]
Element = dict[str, Any]

SECTION = 3_000
HEADER = 150
BUTTON = 75
OPTION = 75
TITLE = 24
MARKDOWN = 10_000
"""Slack allows 12,000, but counts its own translation too and refuses a message somewhere above 13,000."""
INPUT = 3_000


def text(value: str, limit: int = SECTION) -> Element:
    """A `plain_text` object; Slack refuses empty ones."""
    return {"type": "plain_text", "text": clip(value, limit) or " "}


def mrkdwn(value: str) -> Element:
    """A `mrkdwn` object of text that is escaped already."""
    return {"type": "mrkdwn", "text": value or " "}


def section(value: str) -> Block:
    return {"type": "section", "text": text(value)}


def section_mrkdwn(value: str, *, accessory: Element | None = None) -> Block:
    block: Block = {"type": "section", "text": mrkdwn(value)}
    return block | ({"accessory": accessory} if accessory else {})


def fields(values: Sequence[str]) -> Block:
    """Up to ten short `mrkdwn` cells, escaped already, each at most 2,000 characters."""
    return {"type": "section", "fields": [mrkdwn(value) for value in values[:10]]}


def header(value: str) -> Block:
    return {"type": "header", "text": text(value, HEADER)}


def markdown(value: str) -> Block:
    """Standard Markdown that `markup.markdown` has made harmless and short enough."""
    return {"type": "markdown", "text": value or " "}


def context(*values: str) -> Block:
    """Small print, `mrkdwn`, escaped already."""
    return {"type": "context", "elements": [mrkdwn(value) for value in values[:10]]}


def divider() -> Block:
    return {"type": "divider"}


def button(label: str, action: str, *, style: Literal["primary", "danger"] | None = None, says: str = "") -> Element:
    """`says` is what a screen reader says instead of the label."""
    element: Element = {"type": "button", "text": text(label, BUTTON), "action_id": action}
    if style:
        element["style"] = style
    if says:
        element["accessibility_label"] = clip(says, BUTTON)
    return element


def actions(*elements: Element) -> Block:
    return {"type": "actions", "elements": list(elements[:25])}


def feedback(action: str) -> Block:
    def half(label: str, value: str, says: str) -> Element:
        return {"text": text(label, BUTTON), "value": value, "accessibility_label": says}

    buttons = {
        "type": "feedback_buttons",
        "action_id": action,
        "positive_button": half("👍", "positive", "This answer helped"),
        "negative_button": half("👎", "negative", "This answer did not help"),
    }
    return {"type": "context_actions", "elements": [buttons]}


def option(label: str, value: str) -> Element:
    return {"text": text(label, OPTION), "value": value}


def question(block_id: str, label: str, element: Element, *, optional: bool = False, hint: str = "") -> Block:
    """An input block; the element's `action_id` is always `value`."""
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": text(label),
        "element": element | {"action_id": "value"},
        "optional": optional,
    }
    return block | ({"hint": text(hint)} if hint else {})


def text_input(*, initial: str = "", placeholder: str = "", limit: int = INPUT) -> Element:
    element: Element = {"type": "plain_text_input", "multiline": True, "max_length": limit}
    if initial:
        element["initial_value"] = clip(initial, limit)
    if placeholder:
        element["placeholder"] = text(placeholder, 150)
    return element


def modal(callback: str, title: str, blocks: Sequence[Block], *, submit: str | None, close: str = "Cancel") -> Element:
    view: Element = {
        "type": "modal",
        "callback_id": callback,
        "title": text(title, TITLE),
        "close": text(close, TITLE),
        "blocks": list(blocks[:100]),
    }
    return view | ({"submit": text(submit, TITLE)} if submit else {})
