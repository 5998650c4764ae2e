"""What people type, in the form in which Slack hands it on: escaped, with mentions, links and rich text."""

import re
from collections.abc import Mapping

from sandbox.objects import Json

_KEPT = re.compile(r"<(?:@[UW][A-Z0-9]+|#C[A-Z0-9]+(?:\|[^<>]*)?)>")
_LINK = re.compile(r"https?://[^\s<>|]*[^\s<>|.,;:!?)\]'\"]")
_MAIL = re.compile(r"(?<![\w.+<|:/-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_BROADCAST = re.compile(r"(?<!\w)@(channel|here|everyone)\b")
_TOKEN = re.compile(r"<([^<>]+)>")


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def as_slack_sends(text: str, names: Mapping[str, str]) -> str:
    """Escape what was typed. `names` maps what may stand after an @ to user ids; mentions written `<@U..>` stay."""
    parts, end = [], 0
    for kept in _KEPT.finditer(text):
        parts += [_plain(text[end : kept.start()], names), kept.group()]
        end = kept.end()
    return "".join([*parts, _plain(text[end:], names)])


def _plain(text: str, names: Mapping[str, str]) -> str:
    text = escape(text)
    text = _LINK.sub(lambda link: f"<{link.group()}>", text)
    text = _MAIL.sub(lambda mail: f"<mailto:{mail.group()}|{mail.group()}>", text)
    text = _BROADCAST.sub(lambda word: f"<!{word.group(1)}>", text)
    for name in sorted(names, key=len, reverse=True):
        mention = re.compile(rf"(?<![\w.])@{re.escape(escape(name))}(?!\w)", re.IGNORECASE)
        text = mention.sub(f"<@{names[name]}>", text)
    return text


def rich_text(text: str) -> Json:
    """The rich_text block that Slack's clients send along with a typed message."""
    elements: list[Json] = []
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() > end:
            elements.append({"type": "text", "text": unescape(text[end : token.start()])})
        elements.append(_element(token.group(1)))
        end = token.end()
    if end < len(text):
        elements.append({"type": "text", "text": unescape(text[end:])})
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def _element(token: str) -> Json:
    target, _, label = token.partition("|")
    match target[0]:
        case "@":
            return {"type": "user", "user_id": target[1:]}
        case "#":
            return {"type": "channel", "channel_id": target[1:]}
        case "!":
            return {"type": "broadcast", "range": target[1:]}
        case _:
            link: Json = {"type": "link", "url": unescape(target)}
            return link | {"text": unescape(label)} if label else link
