"""A passage as it is shown: without what only serves a page, and cut only where nothing is torn.

What is embedded stays as it is: all this happens when an answer is made.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.pictures import MARK

WHOLE_STEP = 6_000  # characters up to which a single step, with all below it, is shown whole
FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})([^`\n]*)$", re.MULTILINE)
OF_THE_PAGE = re.compile(
    r"[*_]*(?:(?:in this (?:article|section)|on this page|(?:table of )?contents)[*_:\s]*"
    r"|(?:applies to|original (?:kb number|product version))\b[*_]*:.{0,400}"
    r"|(?:the third-party products that this article discusses|microsoft makes no warranty"
    r"|microsoft provides third-party contact information|©|\(c\) |copyright \d|all rights reserved).*"
    r"|third-party (?:information|contact) disclaimer[*_.:\s]*)",
    re.IGNORECASE | re.DOTALL,
)
CONTENTS = re.compile(
    r"[*_]*(?:in this (?:article|section)|on this page|(?:table of )?contents)[*_:\s]*", re.IGNORECASE
)
SHORT_ITEMS = re.compile(r"(?:[ \t]*[-*+] .{1,120}(?:\n|\Z))+")
LONE_LINK = re.compile(rf"(?:[-*+] )?\[(?!{MARK})[^\[\]\n]*\]\([^()\s]*\)\.?")
FULL_LINE = 50  # characters; a shorter line ends where its writer wanted it to
BLOCK = re.compile(r"[ \t]*(?:[-*+][ \t]|\d{1,9}[.)][ \t]|[>#|<]|```|~~~|$)|\t")
SPLIT_NOTE = re.compile(
    r"^([ \t]*>[ \t]*\*\*[A-Z][a-z]+:?\*\*:?)[ \t]*\n[ \t]*>[ \t]*(?=[^\s>|`~#\-*+\d]|\*\*)", re.MULTILINE
)


def shown(text: str) -> str:
    """The passage without lists of contents, "Applies to" lines, links that stand alone and legal boilerplate; a note
    begins on the line of its word, and a paragraph is one line. Empty when nothing else is in it."""
    kept: list[str] = []
    in_contents = False
    for paragraph in paragraphs(text):
        if in_contents and SHORT_ITEMS.fullmatch(paragraph):
            in_contents = False
            continue
        in_contents = CONTENTS.fullmatch(paragraph) is not None
        announced = bool(kept) and kept[-1].rstrip(" *_").endswith(":")
        if OF_THE_PAGE.fullmatch(paragraph) or (LONE_LINK.fullmatch(paragraph) and not announced):
            continue
        kept.append(paragraph if FENCE.search(paragraph) else unwrapped(paragraph))
    return SPLIT_NOTE.sub(r"\1 ", "\n\n".join(kept))


def unwrapped(paragraph: str) -> str:
    """Lines that were only broken because they were full, joined: Slack shows every line break."""
    lines: list[str] = []
    for line in paragraph.split("\n"):
        full = bool(lines) and len(lines[-1]) >= FULL_LINE and not lines[-1].endswith(("  ", "\\"))
        indented = bool(lines) and lines[-1].startswith("    ") and line.startswith("    ")
        if full and not indented and not BLOCK.match(line) and not lines[-1].lstrip().startswith(("|", ">", "#")):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return "\n".join(lines)


def paragraphs(text: str) -> Iterator[str]:
    """What blank lines part; code is never parted."""
    held = ""
    for part in re.split(r"\n[ \t]*\n", text):
        held = f"{held}\n\n{part}" if held else part
        if not open_fence(held):
            yield held
            held = ""
    if held:
        yield held


def open_fence(text: str) -> str:
    """The line that would close the fence which the text leaves open; empty when all are closed."""
    fence = before = ""
    for found in FENCE.finditer(text):
        if not fence:
            fence, before = found[1], found[0][: found[0].index(found[1])]
        elif found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return re.sub(r"[^ \t>]", " ", before) + fence if fence else ""


@dataclass(frozen=True)
class Cut:
    """What is shown of a text, and the words about what isn't; no words when it is all there."""

    text: str
    words: str = ""


def cut(text: str, limit: int) -> Cut:
    """A text of one block, or few, of at most about `limit` characters. A step is shown whole if that can be; code and
    tables end at a line, and say how much is missing."""
    if len(text) <= limit:
        return Cut(text)
    if text.lstrip().startswith(("```", "~~~")) and not open_fence(text):
        return cut_code(text, limit)
    if text.lstrip().startswith("|"):
        return cut_lines(text, limit, "row", "of the table")
    if re.match(r"\s*\d{1,9}[.)] ", text) and len(text) <= WHOLE_STEP:
        return Cut(text)
    return Cut(between_blocks(text, limit), "There is more in the article")


def cut_code(text: str, limit: int) -> Cut:
    shorter = cut_lines(text, limit, "line", "of code")
    closing = open_fence(shorter.text)
    return Cut(f"{shorter.text}\n{closing}" if closing else shorter.text, shorter.words)


def cut_lines(text: str, limit: int, unit: str, whole: str) -> Cut:
    end = text.rfind("\n", 0, limit)
    kept = text[: end if end > 0 else limit].rstrip()
    missing = text[len(kept) :].strip("\n").count("\n") + 1
    if unit == "line":
        missing = max(missing - 1, 1)  # the fence at the end
    more = f"{missing} more {unit}{'s' if missing > 1 else ''} {whole} {'are' if missing > 1 else 'is'} in the article"
    return Cut(kept, more)


def between_blocks(text: str, limit: int) -> str:
    """Whole paragraphs, else whole lines, else words, up to the limit; a fence that is cut open is closed again."""
    for parting in ("\n\n", "\n", " "):
        end = text.rfind(parting, 0, limit)
        while end > limit // 3 and parting != " " and open_fence(text[:end]):
            end = text.rfind(parting, 0, end)
        if end > limit // 3:
            kept = text[:end].rstrip()
            break
    else:
        kept = text[:limit]
    closing = open_fence(kept)
    return f"{kept}\n{closing}" if closing else kept
