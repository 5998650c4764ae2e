"""Slack's own markup (mrkdwn), and standard Markdown for the `markdown` block, as HTML that is safe to show.

Nothing that a person or an app wrote reaches the page as HTML: text is escaped, and a link is a link
only when it leads to http, https or mailto.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from sandbox.page.emoji import emoji

Lookup = Callable[[str], str | None]


@dataclass(frozen=True)
class Names:
    """Finds the name to show for a user's or a channel's id; None when there is none."""

    user: Lookup
    channel: Lookup


_FENCE = re.compile(r"```(.+?)```", re.DOTALL)
_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|<(?P<control>[^<>\n]+)>"
    r"|(?P<url>https?://[^\s<>|]*[^\s<>|.,;:!?)\]'\"*_~])"
    r"|(?<![\w*])\*(?P<strong>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
    r"|(?<!\w)_(?P<em>[^\s_](?:.*?\S)?)_(?!\w)"
    r"|(?<![\w~])~(?P<s>[^\s~](?:[^~\n]*[^\s~])?)~(?![\w~])"
    r"|(?<![\w:]):(?P<emoji>[a-z0-9_+'-]+(?:::skin-tone-\d)?):"
)
_BULLET = re.compile(r"^(?P<indent>[ \t]*)(?:[•◦▪–-]|\*)[ \t]+(?=\S)")
_NUMBER = re.compile(r"^[ \t]*(?P<number>\d{1,3})[.)][ \t]+(?=\S)")
_QUOTE = re.compile(r"^(?:&gt;|>)[ \t]?")
_SAFE_LINK = re.compile(r"(?:https?://|mailto:)[^\s]+", re.IGNORECASE)


def is_safe_link(url: str) -> bool:
    """Whether the page may turn this address into a link: http, https and mailto only."""
    return _SAFE_LINK.fullmatch(url) is not None


def link(url: str, label: Markup) -> Markup:
    """A link that opens in a new tab, or the bare label when the address isn't one we follow."""
    if not is_safe_link(url):
        return label
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>').format(url, label)


def mrkdwn(text: str, names: Names) -> Markup:
    """Slack's markup as HTML. The text is as on the wire: `&`, `<` and `>` of people are escaped already."""
    parts: list[Markup] = []
    for position, piece in enumerate(_FENCE.split(text)):
        if position % 2:
            code = re.sub(r"<([^<>|\n]+)(?:\|([^<>\n]*))?>", lambda found: found[2] or found[1], piece.strip("\n"))
            parts.append(Markup("<pre><code>{}</code></pre>").format(_plain(code)))
        elif piece.strip():
            parts.append(_lines(piece.strip("\n").split("\n"), names))
    return Markup("").join(parts)


def plain(text: str, *, shortcodes: bool = True) -> Markup:
    """A `plain_text` object: shown as it is, only line breaks and emoji shortcodes have a meaning."""
    if shortcodes:
        text = re.sub(r":([a-z0-9_+'-]+):", lambda found: emoji(found[1]), text)
    return Markup("<br>").join(escape(line) for line in text.split("\n"))


def linked(text: str) -> Markup:
    """Plain text, as of a mail, in which only web addresses become links."""
    parts: list[Markup] = []
    for position, piece in enumerate(re.split(r"(https?://[^\s<>\"]*[^\s<>\".,;:!?)\]'])", text)):
        parts.append(link(piece, escape(piece)) if position % 2 else escape(piece))
    return Markup("").join(parts)


def _plain(text: str) -> Markup:
    return escape(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def _lines(lines: Sequence[str], names: Names) -> Markup:
    """Groups neighbouring lines into quotes, lists and paragraphs."""
    parts: list[Markup] = []
    at = 0
    while at < len(lines):
        kind = _kind(lines[at])
        end = at + 1
        while end < len(lines) and _kind(lines[end]) == kind:
            end += 1
        group = lines[at:end]
        at = end
        if kind == "quote":
            inner = _lines([_QUOTE.sub("", line) for line in group], names)
            parts.append(Markup("<blockquote>{}</blockquote>").format(inner))
        elif kind == "bullet":
            items = [_bullet(line, names) for line in group]
            parts.append(Markup("<ul>{}</ul>").format(Markup("").join(items)))
        elif kind == "number":
            items = [Markup("<li>{}</li>").format(_inline(_NUMBER.sub("", line), names)) for line in group]
            first = _NUMBER.match(group[0])
            parts.append(
                Markup('<ol start="{}">{}</ol>').format(first["number"] if first else 1, Markup("").join(items))
            )
        elif kind == "blank":
            if parts and at < len(lines):
                parts.append(Markup('<div class="gap"></div>'))
        else:
            parts.append(Markup("<p>{}</p>").format(Markup("<br>").join(_inline(line, names) for line in group)))
    return Markup("").join(parts)


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    if _QUOTE.match(line):
        return "quote"
    if _BULLET.match(line):
        return "bullet"
    return "number" if _NUMBER.match(line) else "text"


def _bullet(line: str, names: Names) -> Markup:
    found = _BULLET.match(line)
    deep = found is not None and len(found["indent"].expandtabs(4)) >= 2
    item = Markup('<li class="deep">{}</li>') if deep else Markup("<li>{}</li>")
    return item.format(_inline(_BULLET.sub("", line), names))


def _inline(text: str, names: Names) -> Markup:
    parts: list[Markup] = []
    at = 0
    for found in _INLINE.finditer(text):
        parts.append(_plain(text[at : found.start()]))
        at = found.end()
        parts.append(_span(found, names))
    parts.append(_plain(text[at:]))
    return Markup("").join(parts)


def _span(found: re.Match[str], names: Names) -> Markup:
    kind, content = found.lastgroup, found[found.lastgroup or 0]
    match kind:
        case "code":
            return Markup("<code>{}</code>").format(_plain(content))
        case "control":
            return control(content, names)
        case "url":
            return link(content.replace("&amp;", "&"), _plain(content))
        case "emoji":
            return escape(emoji(content))
        case "strong" | "em" | "s":
            return Markup("<{0}>{1}</{0}>").format(kind, _inline(content, names))
        case _:
            return _plain(found[0])


def control(content: str, names: Names) -> Markup:
    """What stands between `<` and `>` on the wire: a mention, a date or a link; anything else is shown as typed."""
    target, _, label = content.partition("|")
    if target.startswith("@"):
        return Markup('<span class="mention">@{}</span>').format(names.user(target[1:]) or label or target[1:])
    if target.startswith("#"):
        return Markup('<span class="mention">#{}</span>').format(names.channel(target[1:]) or label or target[1:])
    if target in ("!here", "!channel", "!everyone"):
        return Markup('<span class="mention">@{}</span>').format(target[1:])
    if target.startswith("!subteam^"):
        return Markup('<span class="mention">@{}</span>').format(label.lstrip("@") or "group")
    if target.startswith("!date^"):
        return _date(target, label)
    if is_safe_link(target):
        return link(target.replace("&amp;", "&"), _plain(label or target.removeprefix("mailto:")))
    return _plain(f"<{content}>")


def _date(target: str, fallback: str) -> Markup:
    """`<!date^EPOCH^FORMAT^LINK|FALLBACK>`; the fallback is shown for a time or a format we can't read."""
    _, seconds, form, *_rest = [*target.split("^"), "", ""]
    try:
        moment = datetime.fromtimestamp(int(seconds)).astimezone()
    except (ValueError, OverflowError, OSError):
        return _plain(fallback)
    day = f"{moment:%B} {moment.day}, {moment:%Y}"
    short = f"{moment:%b} {moment.day}, {moment:%Y}"
    known = {"date_num": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M}", "time_secs": f"{moment:%H:%M:%S}"}
    for name in ("date", "date_pretty", "date_long", "date_long_pretty", "date_long_full"):
        known[name] = f"{moment:%A}, {day}" if "long" in name else day
    known["date_short"] = known["date_short_pretty"] = short
    text = re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], found[0]), form or "{date} {time}")
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(), text)


def markdown(text: str, names: Names) -> Markup:
    """Standard Markdown (CommonMark with tables and strikethrough) as HTML; HTML in it is shown, not obeyed."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.validateLink = is_safe_link  # type: ignore[method-assign]  # the documented way to choose what is a link
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("text", _text(names))
    return Markup(parser.render(text))  # noqa: S704  # the renderer escapes all text, and html is off


def _link_open(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    tokens[at].attrSet("target", "_blank")
    tokens[at].attrSet("rel", "noopener noreferrer")
    return self.renderToken(tokens, at, options, env)


def _image(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    """The page loads nothing from elsewhere, so a picture is shown as a link to it."""
    source = str(tokens[at].attrGet("src") or "")
    return str(link(source, escape(f"🖼 {tokens[at].content or source}")))


def _text(names: Names) -> Callable[[RendererHTML, Sequence[Token], int, Any, Any], str]:
    pattern = re.compile(r"<(?P<control>[@#!][^<>\n]+)>|(?<![\w:]):(?P<emoji>[a-z0-9_+'-]+):")

    def render(self: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        content = tokens[at].content
        parts, start = [], 0
        for found in pattern.finditer(content):
            parts.append(escape(content[start : found.start()]))
            parts.append(control(found["control"], names) if found["control"] else escape(emoji(found["emoji"])))
            start = found.end()
        return str(Markup("").join([*parts, escape(content[start:])]))

    return render
