"""The plainest way to cut Markdown that is any good: paragraphs packed under their headings up to what MiniLM reads,
each passage with `title > headings` before it."""

import re
from collections.abc import Iterator

from tokenizers import Tokenizer

TOKENS = 230
FRONT_MATTER = re.compile(r"\A---\s*\n.*?\n---\s*\n", re.DOTALL)
HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$")


def passages_of(title: str, text: str, tokenizer: Tokenizer) -> list[str]:
    """At least one, so that a document without text is found by its title."""
    result = []
    for headings, paragraphs in sections(FRONT_MATTER.sub("", text)):
        prefix = " > ".join(part for part in (title, *headings) if part)
        room = max(TOKENS - size(prefix, tokenizer), 64)
        result += [f"{prefix}\n{body}" if prefix else body for body in packed(paragraphs, room, tokenizer)]
    return result or [title]


def sections(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """The headings above each run of paragraphs, and those."""
    headings: list[tuple[int, str]] = []
    paragraphs: list[str] = []
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        heading = HEADING.match(line)
        if line.strip() and not heading:
            lines.append(line)
            continue
        if lines:
            paragraphs.append("\n".join(lines))
            lines = []
        if heading:
            if paragraphs:
                yield [name for _, name in headings], paragraphs
                paragraphs = []
            headings = [known for known in headings if known[0] < len(heading[1])]
            headings.append((len(heading[1]), heading[2]))
    if paragraphs:
        yield [name for _, name in headings], paragraphs


def packed(paragraphs: list[str], room: int, tokenizer: Tokenizer) -> Iterator[str]:
    body: list[str] = []
    used = 0
    for piece in (part for paragraph in paragraphs for part in pieces(paragraph, room, tokenizer)):
        needed = size(piece, tokenizer)
        if body and used + needed > room:
            yield "\n\n".join(body)
            body, used = [], 0
        body.append(piece)
        used += needed
    if body:
        yield "\n\n".join(body)


def pieces(paragraph: str, room: int, tokenizer: Tokenizer) -> Iterator[str]:
    """The paragraph, cut where it is longer than a passage may be."""
    offsets = tokenizer.encode(paragraph, add_special_tokens=False).offsets
    for start in range(0, len(offsets), room):
        yield paragraph[offsets[start][0] : offsets[min(start + room, len(offsets)) - 1][1]]


def size(text: str, tokenizer: Tokenizer) -> int:
    return len(tokenizer.encode(text, add_special_tokens=False).ids)
