"""Slack's two languages of markup, and how foreign text is made harmless in each.

`mrkdwn` (a message's `text`, text objects) wants `&`, `<` and `>` escaped; a `markdown` block takes standard
Markdown: https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from urllib.parse import urlsplit

from bot.message import escape

ELLIPSIS = "…"
GAP = "\u200b"
"""A zero-width space: invisible, and enough to keep `<!channel>` or `@here` from being read as a command."""

LONGEST_URL = 1_000
_BROADCAST = re.compile(r"<!(channel|here|everyone|group|subteam\^[^|>]*)(?:\|([^>]*))?>", re.IGNORECASE)
_AT_ALL = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_LABELLED = re.compile(r"<([a-z]+:[^|>]+)\|([^>]*)>", re.IGNORECASE)
_CONTROL = re.compile(r"<(?=[@!#]|[a-z][a-z0-9+.-]*:[^>]*\|)", re.IGNORECASE)
_MD_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(\s*<?([^()\s<>]*(?:\([^()\s<>]*\)[^()\s<>]*)*)>?(?:\s+[^()]*)?\)")
_MD_DEFINITION = re.compile(r"^ {0,3}\[([^\]]+)\]:\s*<?(\S+?)>?(?:\s.*)?$", re.MULTILINE)
_MD_REFERENCE = re.compile(r"\[([^\[\]]*)\]\[[^\[\]]*\]")
_ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.)[^\s]+|\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b", re.IGNORECASE)
_HALF_ENTITY = re.compile(r"&[a-z]*$")
_TOKEN = re.compile(r"<[^<>]*>|\s+|[^<\s]+|<")


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of plain text, with an ellipsis where it was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def escaped(text: str, limit: int = 3_000) -> str:
    """Plain text for `mrkdwn`, at most `limit` characters after escaping; mass mentions typed as words are dead too."""
    result = _AT_ALL.sub("@" + GAP, escape(text))
    if len(result) <= limit:
        return result
    return _HALF_ENTITY.sub("", result[: limit - 1]).rstrip() + ELLIPSIS


def web_address(url: str | None) -> str | None:
    """The URL if it is an http(s) one that can be shown as a link, else None."""
    if not url or len(url) > LONGEST_URL or any(c.isspace() or ord(c) < 32 for c in url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        return None
    return url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")


def disguises(label: str, url: str) -> bool:
    """True when the label names an address on another host than the link's own."""
    host = (urlsplit(url).hostname or "").lower()
    for address in _ADDRESS.findall(label):
        try:
            named = urlsplit(address if "://" in address else f"https://{address}").hostname or ""
        except ValueError:
            return True
        if named.lower().removeprefix("www.") != host.removeprefix("www."):
            return True
    return False


def link(label: str, url: str | None, *, limit: int = 200) -> str:
    """A `mrkdwn` link; the bare label without a web address, the open address when the label would hide it."""
    safe, shown = web_address(url), escaped(" ".join(label.split()), limit)
    if safe is None:
        return shown
    if not shown or disguises(label, safe):
        return f"{shown} {escape(safe)}".strip()
    return f"<{escape(safe)}|{shown.replace('|', '/')}>"


def _harmless_link(match: re.Match[str]) -> str:
    _, label, target = match.groups()
    safe = web_address(target)
    if safe is None:
        return str(label)
    if not label.strip() or disguises(label, safe):
        return f"{label} {safe}".strip()
    return f"[{label}]({safe})"


def markdown(text: str, limit: int) -> str:
    """Standard Markdown without live mentions, images, reference links or links that hide where they go."""
    text = _MD_LINK.sub(_harmless_link, text)
    text = _MD_DEFINITION.sub(lambda m: f"{m.group(1)}: {web_address(m.group(2)) or ''}", text)
    text = _MD_REFERENCE.sub(r"\1", text)
    text = _CONTROL.sub("<" + GAP, text)
    return clip(_AT_ALL.sub("@" + GAP, text), limit)


def words(text: str) -> str:
    """Markdown as plain words, for notifications and screen readers."""
    text = _MD_LINK.sub(lambda m: f"{m.group(2)} ({m.group(3)})" if web_address(m.group(3)) else m.group(2), text)
    text = re.sub(r"^ {0,3}#{1,6} +", "", text, flags=re.MULTILINE)
    text = re.sub(r"^ *```.*$\n?", "", text, flags=re.MULTILINE)
    return re.sub(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1", r"\2", text)


def relayed(text: str) -> str:
    """A person's message in Slack's own escaped form, to be said again elsewhere.

    Links and mentions of one person stay as they were written; what would notify many is defused, and a labelled
    link that hides its host shows it.
    """
    text = _BROADCAST.sub(lambda m: "@" + GAP + (m.group(2) or m.group(1).split("^")[0]).lstrip("@"), text)
    text = _LABELLED.sub(
        lambda m: m.group(0) if not disguises(m.group(2), m.group(1)) else f"{m.group(2)} <{m.group(1)}>", text
    )
    return _AT_ALL.sub("@" + GAP, text)


def pieces(text: str, limit: int) -> list[str]:
    """The text in parts of at most `limit` characters, cut between words, never inside a `<…>` token that fits."""
    parts: list[str] = []
    current = ""
    for token in _TOKEN.findall(text):
        while len(token) > limit:
            parts, current, token = [*parts, *([current] if current.strip() else []), token[:limit]], "", token[limit:]
        if len(current) + len(token) > limit:
            parts, current = [*parts, current], ""
        current += token
    return [part.strip() for part in [*parts, current] if part.strip()] or [""]
