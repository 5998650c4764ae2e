"""Tables as text that reads well in every Slack client, on a phone too, and in its place.

Slack's `markdown` block shows tables in some clients and their pipes in others, and a message takes a single `table`
block. So a small table becomes aligned lines in a code block; a wide one, or one with links, is told row by row.
"""

import re
from collections.abc import Iterable, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

WIDTH = 56
"""Characters of a line of code that a narrow window shows without breaking it."""
MOST_ALIGNED = 30
LINK = re.compile(r"\[[^\]]*\]\([^)]*\)|https?://")
MARKS = re.compile(r"(\*\*|__|`+|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w))|\\([\\`*_{}\[\]()#+\-.!<>|])")

Row = Sequence[str]


def with_tables_told(markdown: str) -> str:
    """Each table of standard Markdown replaced by what every client can show; everything else as it was."""
    if "|" not in markdown:
        return markdown
    markdown = markdown.replace("\r\n", "\n").replace("\r", "\n")  # as the parser counts lines
    lines = markdown.split("\n")
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    tables = [number for number, token in enumerate(tokens) if token.type == "table_open"]
    for number in reversed(tables):
        start, end = tokens[number].map or [0, 0]
        first, before = prefixes(lines[start])
        told = table(rows_of(tokens, number))
        lines[start:end] = [((before if at else first) + line).rstrip() for at, line in enumerate(told)]
        after = start + len(told)
        if after < len(lines) and lines[after].strip(" >"):
            lines.insert(after, before.rstrip())
    return "\n".join(lines)


def prefixes(line: str) -> tuple[str, str]:
    """What stands before a table's first line (indentation, quotation marks, a list's marker), and before the next
    ones, where blanks stand for the marker."""
    found = re.match(r"(?:[ \t]|>|[-*+][ \t]|\d{1,9}[.)][ \t])*", line)
    first = found[0] if found else ""
    return first, re.sub(r"[^ \t>]", " ", first)


def rows_of(tokens: Sequence[Token], start: int) -> list[list[str]]:
    """The cells of a table as inline Markdown; the first row is the head."""
    rows: list[list[str]] = []
    for token in tokens[start + 1 :]:
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows:
            rows[-1].append(" ".join(token.content.split()))
    return rows


def table(rows: Sequence[Row]) -> list[str]:
    """The lines that tell a table."""
    head, body = rows[0], [row for row in rows[1:] if any(row)]
    if not any(head) and not body:
        return []
    bare = [[unmarked(cell) for cell in row] for row in (head, *body)]
    widths = [max(len(row[column]) for row in bare) for column in range(len(head))]
    linked = any(LINK.search(cell) for row in body for cell in row)
    if len(head) > 1 and not linked and sum(widths) + 2 * len(widths) <= WIDTH and len(body) <= MOST_ALIGNED:
        return aligned(bare, widths)
    return list(told(head, body))


def aligned(rows: Sequence[Row], widths: Sequence[int]) -> list[str]:
    def line(row: Row) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()

    rule = "  ".join("─" * width for width in widths)
    head = [line(rows[0]), rule] if any(rows[0]) else []
    return ["```", *head, *(line(row) for row in rows[1:]), "```"]


def told(head: Row, body: Iterable[Row]) -> Iterable[str]:
    """One item a row: what it is about in bold, then "column: value"."""
    if len(head) == 2 and all(head):
        yield f"_{unmarked(head[0])}: {unmarked(head[1])}_"
        yield ""
    for row in body:
        named = [(unmarked(name), cell) for name, cell in zip(head, row, strict=True) if cell]
        (_, about), *rest = named
        if len(head) == 1:
            yield f"- {about}"
        elif len(head) == 2:
            yield f"- {strong(about)}" + "".join(f": {cell}" for _, cell in rest)
        else:
            yield f"- {strong(about)}"
            yield from (f"  - {name}: {cell}" if name else f"  - {cell}" for name, cell in rest)


def strong(cell: str) -> str:
    return f"**{cell.replace('**', '')}**"


def unmarked(cell: str) -> str:
    """The words of a cell without emphasis and marks of code."""
    return MARKS.sub(lambda found: found[2] or "", cell).strip()
