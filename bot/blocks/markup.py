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
LONGEST_LINK = 2_000  # once it is escaped: with a label it has to fit into one text object
_BROADCAST = re.compile(r"<!(channel|here|everyone|group|subteam\^[^|>]*)(?:\|([^>]*))?>", re.IGNORECASE)
_AT_ALL = re.compile(r"@(?=(?:channel|here|everyone|group)\b)", re.IGNORECASE)
_LABELLED = re.compile(r"<([a-z]{1,20}:[^|<>]+)\|([^<>]*)>", re.IGNORECASE)
_CONTROL = re.compile(r"<(?=[@!#]|[a-z][a-z0-9+.-]{0,20}:)", re.IGNORECASE)
_MD_LINK = re.compile(r"(!?)\[([^\[\]]*)\]\(\s*<?([^()\s<>]*(?:\([^()\s<>]*\)[^()\s<>]*)*)>?(?:\s+[^()]*)?\)")
_MD_IMAGE = re.compile(r"!\[(?=[^\n]*\]\s*[(\[])")
_CODE = re.compile(r"(?<![\\`])(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_MD_DEFINITION = re.compile(r"^ {0,3}\[([^\]]+)\]:\s*<?(\S+?)>?(?:\s.*)?$", re.MULTILINE)
_MD_REFERENCE = re.compile(r"\[([^\[\]]*)\]\[[^\[\]]*\]")
_ADDRESS = re.compile(
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://[^\s]+|\bwww\.[^\s]+|\b(?:[a-z0-9-]{1,63}\.)+[a-z]{2,}\b", re.IGNORECASE
)
_HALF_ENTITY = re.compile(r"&[a-z]*$")
_TOKEN = re.compile(r"<[^<>]*>|\s+|[^<\s]+|<")


def sound(text: str) -> str:
    """Without what can't be sent: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def clip(text: str, limit: int) -> str:
    """At most `limit` characters of plain text, with an ellipsis where it was cut."""
    text = sound(text[: 2 * limit])
    return text if len(text) <= limit else text[: limit - 1].rstrip() + ELLIPSIS


def escaped(text: str, limit: int = 3_000) -> str:
    """Plain text for `mrkdwn`, at most `limit` characters after escaping; mass mentions typed as words are dead too."""
    result = _AT_ALL.sub("@" + GAP, escape(sound(text[: 2 * limit])))
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
    # A user name before the host, as in `https://bank.example@evil.example`, only serves to mislead.
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    return _AT_ALL.sub("%40", url.replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))


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
    label = " ".join(label[: 2 * limit].split())
    safe, shown = web_address(url), escaped(label, limit)
    if safe is None or len(escape(safe)) > LONGEST_LINK:
        return shown
    if not shown or disguises(label, safe):
        return f"{shown} {escape(safe)}".strip()
    return f"<{escape(safe)}|{shown.replace('|', '/')}>"


def markdown(text: str, limit: int) -> str:
    """Standard Markdown without live mentions, images, reference links or links that hide where they go."""
    text = sound(text[: 2 * limit])
    parts, end = [], 0
    for code in _CODE.finditer(text):
        parts += [_prose(text[end : code.start()]), _MD_LINK.sub(_open_link, code.group())]
        end = code.end()
    text = "".join([*parts, _prose(text[end:])])
    # Once more over the whole, since Slack may see code where we saw prose, and the other way round.
    text = _CONTROL.sub("<" + GAP, _MD_LINK.sub(_open_link, text))
    return clip(_AT_ALL.sub("@" + GAP, text), limit)


def _prose(text: str) -> str:
    text = _MD_LINK.sub(_harmless_link, _MD_IMAGE.sub("[", text))
    text = _MD_DEFINITION.sub(lambda m: f"{m.group(1)}: {web_address(m.group(2)) or ''}", text)
    return _MD_REFERENCE.sub(r"\1", text)


def _harmless_link(match: re.Match[str]) -> str:
    _, label, target = match.groups()
    safe = web_address(target)
    if safe is None:
        return str(label)
    if not label.strip() or disguises(label, safe):
        return f"{label} {safe}".strip()
    return f"[{label}]({safe})"


def _open_link(match: re.Match[str]) -> str:
    """In code, where `list[0](x)` is no link, only what leads to another host than it says is taken apart."""
    mark, label, target = match.groups()
    safe = web_address(target)
    if safe is None or not (mark or disguises(label, safe)):
        return match.group()
    return f"{label} {safe}"


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
    """The text in parts of at most `limit` characters, cut at a line's end if one is near, else between words; never
    inside a `<…>` token that fits."""
    parts: list[str] = []
    current = ""
    for token in _TOKEN.findall(text):
        while len(current) + len(token) > limit:
            cut = current.rfind("\n") + 1
            if cut <= limit // 2:
                cut = len(current)
            if cut == 0:
                current, token = token[:limit], token[limit:]
                cut = len(current)
            parts, current = [*parts, current[:cut]], current[cut:]
        current += token
    return [part.strip("\n") for part in [*parts, current] if part.strip()] or [""]
