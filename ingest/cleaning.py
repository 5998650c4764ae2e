"""Markdown as publishing systems extend it, turned into plain Markdown that can be read in chat.

Includes and templates are dropped or replaced by their text, callouts become quotations, pictures links or their
description; links that lead nowhere from a chat (relative ones, anchors) become their text. Code is never touched,
and the indentation of lists is kept. All patterns run in time proportional to the text, so a hostile file can't hold
up an ingestion.
"""

import html
import re
from collections import defaultdict
from collections.abc import Callable
from urllib.parse import urlsplit

from ingest.html import fragment_to_markdown
from knowledge import dialects, pictures

KEPT_SCHEMES = ("http", "https", "mailto", "tel")
OPEN, CLOSE = "\ue000", "\ue001"  # private-use characters around the number of a piece of code that is set aside
SET_ASIDE = re.compile(f"{OPEN}(\\d+){CLOSE}")

FENCE = re.compile(r"^((?:[ \t]|>|[-*+] |\d{1,9}[.)] )*)(`{3,}|~{3,})(.*)$")
CODE_SPAN = re.compile(r"(?<![`\\])(?:`[^`\n]+(?:\n[^`\n]+)?`(?!`)|``(?:[^`\n]|`(?!`))+``(?!`))")
DEFINITION = re.compile(r"^ {0,3}\[([^\[\]\n^]{1,200})\]:[ \t]*<?([^\s<>]+)>?(?:[ \t]+[\"'(][^\n]*)?$", re.MULTILINE)
LINK = re.compile(rf"(?<![!\\])\[{pictures.TEXT}\]{pictures.TARGET}(?:\{{:[^{{}}\n]*\}})?")
REFERENCE = re.compile(r"(?<![!\\\]])\[([^\[\]\n]+)\]\[([^\[\]\n]*)\]")
ALERT = re.compile(r"^([ \t>]*>[ \t]*)\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*", re.IGNORECASE | re.MULTILINE)
DIVISION = re.compile(r"^[ \t>]*\[!div\b[^\]\n]*\][ \t]*\n", re.IGNORECASE | re.MULTILINE)
VIDEO = re.compile(r"\[!VIDEO[ \t]+(https?://[^\s\]]+)\]", re.IGNORECASE)
DIRECTIVE = re.compile(
    r"\[!(?:INCLUDE|div|NOTE|TIP|IMPORTANT|WARNING|CAUTION|VIDEO|code)\b"
    r"(?:[^\[\]\n]|\[[^\[\]\n]*\](?:\([^()\n]*\))?)*\](?:\([^()\n]*\))?",
    re.IGNORECASE,
)
TRIPLE_COLON = re.compile(
    r":::(?:image|no-loc|zone|row|column|moniker|code|video)\b[^\n]*?:::|^[ \t]*:::[^\n]*$", re.MULTILINE
)
NO_LOC = re.compile(r":::no-loc[ \t]+text=\"([^\"\n]*)\":::")
LIQUID_PAGE = re.compile(r"\{%-?[ \t]*(?:page|link|post_url)[ \t]+[\"']?([^\"'%\s]*)[^%\n]*%\}")
LIQUID_CHANNEL = re.compile(r"\{%-?[ \t]*slack_channel[ \t]+[\"']([^\"'%\n]*)[\"'][^%\n]*%\}")
LIQUID = re.compile(r"\{%[^%]{0,1000}%\}|\{\{[ \t]*(?:site|page|include)\.[^{}\n]*\}\}")
ATTRIBUTES = re.compile(r"^[ \t]*\{:[^{}\n]*\}[ \t]*$|(?<=[)*_])\{:[^{}\n]*\}", re.MULTILINE)
OTHER_ID = re.compile(r"^(?! {0,3}#)([^\n{]*?)[ \t]+\{#[\w-]+\}[ \t]*$", re.MULTILINE)
BLOCK = re.compile(r"<(table|ul|ol|dl|pre)\b[^<>]*>", re.IGNORECASE)
BLOCK_EDGE = re.compile(r"<(/?)(table|ul|ol|dl|pre)\b[^<>]*>", re.IGNORECASE)
BREAK = re.compile(r"</?br\b[^<>]*>", re.IGNORECASE)
ANCHOR = re.compile(r"<a\b([^<>]*)>([^<>]*)</a>", re.IGNORECASE)
HREF = re.compile(r"""\bhref\s*=\s*["']?([^"'\s<>]+)""", re.IGNORECASE)
MARKS = (
    ("b", "**"),
    ("strong", "**"),
    ("i", "_"),
    ("em", "_"),
    ("kbd", "**"),
    ("code", "`"),
    ("tt", "`"),
    ("summary", "**"),
)
MARKED = tuple(
    (re.compile(rf"<{tag}(?:\s[^<>]*)?>\s*([^<>\n]+?)\s*</{tag}>", re.IGNORECASE), rf"{mark}\1{mark}")
    for tag, mark in MARKS
)
HEADING = re.compile(r"<h([1-6])\b[^<>]*>([^<>\n]*)</h\1>", re.IGNORECASE)
# Only HTML's own elements are markup: `<username>` in a text stands for what the reader fills in.
TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|button|center|caption|code|colgroup|col|dd|del|details|div|dl|dt|em|figure|figcaption|font|h[1-6]"
    r"|hr|i|iframe|img|ins|kbd|li|mark|nobr|ol|p|picture|pre|q|s|small|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th"
    r"|thead|tr|tt|u|ul|video|wbr|nav|aside|main|article|header|footer|section)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)


def clean(text: str, url: str | None = None) -> str:
    """Plain Markdown with the same words, headings (and their `{#id}`), lists, tables and code; `url` is the
    article's, to which the addresses of its pictures are relative."""
    kept: list[str] = []

    def set_aside(piece: str) -> str:
        kept.append(piece)
        return f"{OPEN}{len(kept) - 1}{CLOSE}"

    text = text.replace(OPEN, "").replace(CLOSE, "")
    text = _fences(dialects.standard(text), set_aside)
    text = _without(text, "<!--", "-->")
    text = CODE_SPAN.sub(lambda found: set_aside(found[0]), text)
    for tag in ("script", "style", "iframe"):
        text = _without(text, f"<{tag}", f"</{tag}>")
    text = _templates(text)
    text = _links(text, url)
    text = _markup(text, set_aside)
    text = html.unescape(text).replace("\0", "")
    text = re.sub("[\u00a0\u2003\u2002\u2009]", " ", text).replace("\u200b", "").replace("\u00ad", "")
    text = _tidy(text)
    # A piece may hold another (a code span within an HTML list), never itself.
    for _ in range(3):
        text = SET_ASIDE.sub(lambda found: kept[int(found[1])], text)
    return text.strip("\n").rstrip() + "\n" if text.strip() else ""


def _fences(text: str, set_aside: Callable[[str], str]) -> str:
    """Fenced code as one mark per block; a fence that is never closed reaches to the end."""
    out: list[str] = []
    block: list[str] = []
    prefix = fence = ""
    for line in text.split("\n"):
        found = FENCE.match(line)
        if not fence and found and "`" not in found[3]:
            prefix, fence, block = found[1], found[2], [line[len(found[1]) :]]
        elif not fence:
            out.append(line)
        else:
            block.append(line)
            if found and found[2][0] == fence[0] and len(found[2]) >= len(fence) and not found[3].strip():
                out.append(prefix + set_aside("\n".join(block)))
                fence = ""
    if fence:
        out.append(prefix + set_aside("\n".join([*block, fence])))
    return "\n".join(out)


def _without(text: str, start: str, end: str) -> str:
    """The text without what lies between the two, both included; an opening that is never closed stays."""
    lower, out, at = text.lower(), [], 0
    if len(lower) != len(text):  # a letter whose lower case is longer; positions would shift
        lower = text
    while (begin := lower.find(start, at)) >= 0 and (finish := lower.find(end, begin)) >= 0:
        out.append(text[at:begin])
        at = finish + len(end)
    return "".join([*out, text[at:]])


def _templates(text: str) -> str:
    text = NO_LOC.sub(r"\1", text)
    text = TRIPLE_COLON.sub("", pictures.DOCS.sub(pictures.docs_image, text))
    text = ALERT.sub(lambda found: f"{found[1]}**{found[2].capitalize()}:** ", text)
    text = VIDEO.sub(r"[Video](\1)", text)
    text = DIRECTIVE.sub("", DIVISION.sub("", text))
    text = LIQUID_PAGE.sub(r"/\1", text)
    text = LIQUID_CHANNEL.sub(r"#\1", text)
    return OTHER_ID.sub(r"\1", ATTRIBUTES.sub("", LIQUID.sub("", text)))


def _links(text: str, url: str | None) -> str:
    targets = {found[1].casefold(): found[2] for found in DEFINITION.finditer(text)}
    text = DEFINITION.sub("", text)

    def link(words: str, target: str) -> str:
        target = target.strip().strip("<>")
        try:
            kept = urlsplit(target).scheme.lower() in KEPT_SCHEMES
        except ValueError:
            kept = False
        words = " ".join(words.split())
        if not kept:
            return words
        return f"[{words}]({target})" if words else ""

    def referenced(found: re.Match[str]) -> str:
        target = targets.get((found[2] or found[1]).casefold())
        return found[0] if target is None else link(found[1], target)

    def anchor(found: re.Match[str]) -> str:
        address = HREF.search(found[1])
        return link(found[2], html.unescape(address[1])) if address else found[2]

    text = pictures.as_links(text, url)
    text = ANCHOR.sub(anchor, text)
    text = LINK.sub(lambda found: link(found[1], found[2]), text)
    return REFERENCE.sub(referenced, text)


def _markup(text: str, set_aside: Callable[[str], str]) -> str:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if "<" in line and line.lstrip(" \t>").startswith("|"):
            line = BREAK.sub(" ", line)
            line = re.sub(r"</?(?:ul|ol)\b[^<>]*>|</li>", "", line, flags=re.IGNORECASE)
            lines[number] = re.sub(r"\s*<li\b[^<>]*>\s*", " • ", line, flags=re.IGNORECASE)
    text = _blocks("\n".join(lines), set_aside)
    text = BREAK.sub("\n", text)
    text = HEADING.sub(lambda found: f"\n{'#' * int(found[1])} {found[2].strip()}\n", text)
    for pattern, replacement in MARKED:
        text = pattern.sub(replacement, text)
    return TAG.sub("", text)


def _blocks(text: str, set_aside: Callable[[str], str]) -> str:
    """HTML's tables, lists and preformatted text as Markdown, at the indentation where they stand."""
    ends = _ends(text)
    out: list[str] = []
    at = 0
    while found := BLOCK.search(text, at):
        end = ends.get(found.start())
        if end is None:
            out.append(text[at : found.end()])
            at = found.end()
            continue
        before = "".join([*out[-3:], text[at : found.start()]])
        indent = _indent(before[-2_000:])
        block = fragment_to_markdown(text[found.start() : end])
        indented = "\n".join(indent + line if line else line for line in block.rstrip().split("\n"))
        out += [text[at : found.start()].rstrip(" \t"), "\n\n", set_aside(indented), "\n\n"]
        at = end
    return "".join([*out, text[at:]])


def _indent(before: str) -> str:
    """The blanks before a block when it belongs to a list item above it; elsewhere its indentation means nothing."""
    *above, lead = before.split("\n")
    last = next((line for line in reversed(above) if line.strip()), "")
    within = re.match(r"[ \t]+\S|[-*+] |\d{1,9}[.)] ", last) is not None
    return " " * (len(lead) - len(lead.lstrip(" "))) if within else ""


def _ends(text: str) -> dict[int, int]:
    """Where each block that begins at a position ends; one that is never closed is left out."""
    ends: dict[int, int] = {}
    opened: dict[str, list[int]] = defaultdict(list)
    for found in BLOCK_EDGE.finditer(text):
        stack = opened[found[2].lower()]
        if not found[1]:
            stack.append(found.start())
        elif stack:
            ends[stack.pop()] = found.end()
    return ends


def _tidy(text: str) -> str:
    text = re.sub(r"(?<=[^ \t\n])[ \t]+$", lambda found: "  " if found[0] == "  " else "", text, flags=re.MULTILINE)
    text = re.sub(r"^[ \t>]*>[ \t]*(?:\n[ \t>]*>[ \t]*)*$(?=\n(?![ \t]*>)|\Z)", "", text, flags=re.MULTILINE)
    text = re.sub(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]*$\n?(?!\s)", "", text, flags=re.MULTILINE)
    return re.sub(r"\n[ \t]*\n(?:[ \t]*\n)+", "\n\n", text)
