"""Slack's limits, written down a second time: an independent look at every payload that the desk builds."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

LIVE = re.compile(r"<!(?!date\^)|<@|<#|@(?:channel|here|everyone)\b", re.IGNORECASE)
LABELLED = re.compile(r"<(https?://[^|>]+)\|([^>]*)>")
MD_LINK = re.compile(r"\[([^\[\]]*)\]\((https?://[^)\s]+)\)")
HOST = re.compile(r"(?:https?://|\bwww\.)([^\s/|<>:?#]+)", re.IGNORECASE)
BARE_AMP = re.compile(r"&(?!amp;|lt;|gt;)")

TEXT_LIMITS = {"header": 150, "section": 3_000, "input": 2_000}
ELEMENT_LIMITS = {"actions": 25, "context": 10, "context_actions": 5}


def check_message(text: str, blocks: list[dict[str, Any]]) -> None:
    """Raises AssertionError naming what Slack would refuse, or what would notify or mislead people."""
    assert text.strip(), "a message needs a fallback text"
    assert len(text) <= 3_000
    text.encode("utf-8")
    check_mrkdwn(text)
    assert len(blocks) <= 50
    check_blocks(blocks)


def check_view(view: dict[str, Any]) -> None:
    assert view["type"] in ("modal", "home")
    assert len(view["blocks"]) <= 100
    assert "private_metadata" not in view, "what a view is about is kept by the desk, not by the view"
    for name in ("title", "submit", "close"):
        if name in view:
            check_plain(view[name], 24)
    if view["type"] == "modal":
        assert view["title"]["text"].strip()
        if any(block["type"] == "input" for block in view["blocks"]):
            assert "submit" in view
    check_blocks(view["blocks"])


def check_blocks(blocks: list[dict[str, Any]]) -> None:
    assert sum(len(block["text"]) for block in blocks if block["type"] == "markdown") <= 12_000
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    assert len(ids) == len(set(ids))
    for block in blocks:
        check_block(block)


def check_block(block: dict[str, Any]) -> None:
    match block["type"]:
        case "markdown":
            assert block["text"]
            check_markdown(block["text"])
        case "header":
            check_plain(block["text"], 150)
        case "section":
            assert "text" in block or block["fields"]
            if "text" in block:
                check_text(block["text"], 3_000)
            assert len(block.get("fields", ())) <= 10
            for field in block.get("fields", ()):
                check_text(field, 2_000)
        case "context":
            assert 1 <= len(block["elements"]) <= 10
            for element in block["elements"]:
                check_text(element, 3_000)
        case "actions" | "context_actions":
            assert 1 <= len(block["elements"]) <= ELEMENT_LIMITS[block["type"]]
            actions = [element["action_id"] for element in block["elements"]]
            assert len(actions) == len(set(actions))
            for element in block["elements"]:
                check_element(element)
        case "input":
            check_plain(block["label"], 2_000)
            if "hint" in block:
                check_plain(block["hint"], 2_000)
            check_element(block["element"])
        case "divider":
            assert set(block) == {"type"}
        case unknown:
            raise AssertionError(f"the desk uses no block of the type {unknown}")


def check_element(element: dict[str, Any]) -> None:
    assert 1 <= len(element["action_id"]) <= 255
    match element["type"]:
        case "button":
            check_plain(element["text"], 75)
            assert len(element.get("value", "")) <= 2_000
            assert len(element.get("accessibility_label", "")) <= 75
            assert element.get("style", "primary") in ("primary", "danger")
        case "feedback_buttons":
            for name in ("positive_button", "negative_button"):
                check_plain(element[name]["text"], 75)
                assert 1 <= len(element[name]["accessibility_label"]) <= 75
        case "plain_text_input":
            limit = element.get("max_length", 3_000)
            assert 1 <= limit <= 3_000
            assert len(element.get("initial_value", "")) <= limit
            if "placeholder" in element:
                check_plain(element["placeholder"], 150)
        case "radio_buttons" | "checkboxes":
            assert 1 <= len(element["options"]) <= 10
            for option in element["options"]:
                check_text(option["text"], 75)
                assert 1 <= len(option["value"]) <= 150
        case unknown:
            raise AssertionError(f"the desk uses no element of the type {unknown}")


def check_text(text: dict[str, Any], limit: int) -> None:
    assert text["type"] in ("plain_text", "mrkdwn")
    assert 1 <= len(text["text"]) <= limit
    text["text"].encode("utf-8")
    if text["type"] == "mrkdwn":
        check_mrkdwn(text["text"])


def check_plain(text: dict[str, Any], limit: int) -> None:
    assert text["type"] == "plain_text"
    check_text(text, limit)


def check_mrkdwn(text: str) -> None:
    assert not LIVE.search(text), f"live mention: {LIVE.search(text)}"
    assert not BARE_AMP.search(text), "an ampersand isn't escaped"
    for url, label in LABELLED.findall(text):
        check_label(label, url)
    left = re.sub(r"<https?://[^<>|\s]+(?:\|[^<>]*)?>|<!date\^\d+\^[^<>|]+\|[^<>]+>", "", text)
    assert "<" not in left, "a `<` isn't escaped"
    assert ">" not in left, "a `>` isn't escaped"


def check_markdown(text: str) -> None:
    text.encode("utf-8")
    assert not LIVE.search(text), f"live mention: {LIVE.search(text)}"
    assert not LABELLED.search(text), "Slack's own link with a label"
    assert "![" not in text or "](" not in text.split("![", 1)[1].split("\n")[0], "an image"
    for label, url in MD_LINK.findall(text):
        check_label(label, url)


def check_label(label: str, url: str) -> None:
    for named in HOST.findall(label):
        assert named.lower().removeprefix("www.") == (urlsplit(url).hostname or "").removeprefix("www."), (
            f"{label!r} hides {url!r}"
        )


def texts(payload: Any) -> Iterator[str]:
    """Every string in a payload."""
    if isinstance(payload, str):
        yield payload
    elif isinstance(payload, dict):
        for value in payload.values():
            yield from texts(value)
    elif isinstance(payload, list | tuple):
        for value in payload:
            yield from texts(value)
