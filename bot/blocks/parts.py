"""A long text of Markdown in several messages, cut between paragraphs, steps, tables and pieces of code."""

import re
from itertools import pairwise

from markdown_it import MarkdownIt

from bot.blocks.markup import pieces

FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})([^`\n]*)$", re.MULTILINE)


def parts(markdown: str, limit: int) -> list[str]:
    """At least one part; each of at most `limit` characters. Only a block that is longer than that itself is cut, at
    a line's end."""
    result: list[str] = []
    current = ""
    for block in blocks(markdown.replace("\r\n", "\n").replace("\r", "\n")):
        if current and len(current) + len(block) > limit:
            result.append(current)
            current = ""
        current += block
    result.append(current)
    return [piece for part in result for piece in within(part.strip("\n"), limit)]


def blocks(markdown: str) -> list[str]:
    """The text cut where a block, or an item of an outermost list, begins; joined it is the text again.

    Lines end in `\\n` alone, as the parser counts them."""
    lines = [f"{line}\n" for line in markdown.split("\n")]
    starts = {0}
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.map and (token.level == 0 or (token.type == "list_item_open" and token.level == 1)):
            starts.add(token.map[0])
    bounds = [*sorted(starts), len(lines)]
    return ["".join(lines[start:end]) for start, end in pairwise(bounds)]


def within(block: str, limit: int) -> list[str]:
    """The block in pieces; a fence that a cut leaves open is closed, and opened again in the next piece."""
    if len(block) <= limit:
        return [block]
    cut = pieces(block, limit - 40)
    result: list[str] = []
    opened = ""
    for piece in cut:
        piece = f"{opened}\n{piece}" if opened else piece
        opened = open_fence(piece)
        result.append(f"{piece}\n{opened}" if opened else piece)
    return result


def open_fence(text: str) -> str:
    """The marks of a fence that isn't closed in the text; empty when all are."""
    fence = ""
    for found in FENCE.finditer(text):
        if not fence:
            fence = found[1]
        elif found[1].startswith(fence) and not found[2].strip():
            fence = ""
    return fence
