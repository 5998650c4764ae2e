"""Markdown as a row of blocks that must not be cut: paragraphs, single steps, code, tables."""

import re
from dataclasses import dataclass
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

Kind = Literal["text", "steps", "code", "table"]

MARKER = re.compile(r"^\s*(\d{1,9})([.)])([ \t]*)")
HEADING_ID = re.compile(r"[ \t]*\{:?[ \t]*#[\w:.-]+[^{}]*\}[ \t]*$")
EMPHASIS = re.compile(r"[*_`]{1,3}|\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True)
class Block:
    """`headings` is the path from the outermost heading; `section` counts headings, so that two sections of one
    name stay apart. A step of a numbered list is a block with `steps` = 1 and carries its true number."""

    text: str
    kind: Kind
    headings: tuple[str, ...]
    section: int
    steps: int = 0
    follows: bool = False  # an item of a list that isn't its first: one line break parts it from the one before


def parser() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def blocks_of(markdown: str, title: str) -> list[Block]:
    """A first heading that repeats the title is left out of the paths."""
    lines = markdown.split("\n")
    tokens = parser().parse(markdown)
    result: list[Block] = []
    path: list[tuple[int, str]] = []
    section = 0
    index = 0
    while index < len(tokens):
        token = tokens[index]
        end = closing(tokens, index)
        if token.type == "heading_open":
            level, words = int(token.tag[1]), plain(tokens[index + 1].content)
            path = [(depth, name) for depth, name in path if depth < level]
            if words and words.casefold() != title.strip().casefold():
                path.append((level, words))
            section += 1
        elif token.type in ("ordered_list_open", "bullet_list_open"):
            headings = tuple(name for _, name in path)
            result += list_items(tokens[index : end + 1], lines, headings, section)
        elif token.map and token.type != "hr":
            text = source(lines, token.map[0], token.map[1])
            if text:
                result.append(Block(text, kind_of(token), tuple(name for _, name in path), section))
        index = end + 1
    return result


def kind_of(token: Token) -> Kind:
    if token.type in ("fence", "code_block"):
        return "code"
    return "table" if token.type == "table_open" else "text"


def closing(tokens: list[Token], start: int) -> int:
    """The index of the token that closes the one at `start` (itself, when it opens nothing)."""
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1


def list_items(tokens: list[Token], lines: list[str], headings: tuple[str, ...], section: int) -> list[Block]:
    ordered = tokens[0].type == "ordered_list_open"
    number = int(tokens[0].attrGet("start") or 1) if tokens[0].attrGet("start") != 0 else 0
    result: list[Block] = []
    for item in tokens:
        if item.type != "list_item_open" or item.level != tokens[0].level + 1 or item.map is None:
            continue
        text = source(lines, item.map[0], item.map[1])
        if ordered:
            text = numbered(text, number)
            number += 1
        if text:
            kind: Kind = "steps" if ordered else "text"
            result.append(Block(text, kind, headings, section, int(ordered), follows=bool(result)))
    return result


def numbered(item: str, number: int) -> str:
    """The item under its true number (writers number every step 1), with what belongs to it indented to match."""
    first, *rest = item.split("\n")
    marker = MARKER.match(first)
    if marker is None:
        return item
    before, after = len(marker[0].expandtabs(4)), len(f"{number}{marker[2]} ")
    moved = [" " * (after + max(indent(line) - before, 0)) + line.lstrip() if line.strip() else "" for line in rest]
    return "\n".join([f"{number}{marker[2]} {first[marker.end() :]}", *moved])


def indent(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def source(lines: list[str], start: int, end: int) -> str:
    taken = lines[start:end]
    while taken and not taken[-1].strip():
        taken.pop()
    while taken and not taken[0].strip():
        taken.pop(0)
    if not taken:
        return ""
    # Only up to three spaces before the first line are no indentation in Markdown, four make it code.
    first = taken[0]
    return "\n".join([first if indent(first) > 3 else first.lstrip(" "), *(line.rstrip() for line in taken[1:])])


def plain(words: str) -> str:
    """A heading without its Markdown and its `{#id}`."""
    words = HEADING_ID.sub("", words.rstrip(" #"))
    return re.sub(r"\s+", " ", EMPHASIS.sub(lambda match: match[1] or "", words)).strip(" #")
