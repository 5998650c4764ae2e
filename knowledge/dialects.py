"""What dialects of Markdown add to it, in standard Markdown: callouts become quotations that begin with their word,
definitions a list.

MkDocs `!!! note "Title"`, Docusaurus `:::note[Title]`, HTML `<div class="alert alert-warning">`, and terms followed by
`: definition`. GitHub's `> [!NOTE]` is a quotation already. Code stays as it is. Time is proportional to the text.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

WORDS = (
    "note", "tip", "hint", "info", "important", "warning", "caution", "danger", "attention", "error", "success",
    "question", "example", "abstract", "summary", "bug", "failure", "quote", "seealso", "alert", "notice", "callout",
)  # fmt: skip
PLAIN_BOXES = {"alert", "admonition", "callout", "notice"}
BOXES = PLAIN_BOXES | {"note", "tip", "hint", "important", "warning", "caution", "danger"}
LAYOUT = {"container", "wrapper", "wrap", "list", "grid"}
LAYOUT_LINE = re.compile(r"^[ \t]*(?:</?(?:div|p|span|section)\b[^<>]*>[ \t]*)+$", re.IGNORECASE)
FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})")
MKDOCS = re.compile(r"^([ \t]*)(?:!!!|\?\?\?\+?)[ \t]+([a-z][\w-]*)(?:[ \t]+[\w-]+)*(?:[ \t]+\"([^\"\n]*)\")?[ \t]*$")
DOCUSAURUS = re.compile(
    rf"^([ \t]*)(:{{3,}})[ \t]*({'|'.join(WORDS)})\b"
    r"(?:\[([^\[\]\n]*)\]|[ \t]+([^{}\n]*))?(?:\{[^{}\n]*\})?[ \t]*$",
    re.IGNORECASE,
)
CLOSING = re.compile(r"^[ \t]*(:{3,})[ \t]*$")
HTML = re.compile(r"""^([ \t]*)<(div|aside|section)\b[^<>]*\bclass\s*=\s*["']([^"'<>]*)["'][^<>]*>""", re.IGNORECASE)
DEFINITION = re.compile(r"^ {0,3}:[ \t]+(\S.*)$")
NO_TERM = re.compile(r"^[ \t]|^(?:[-*+#>|<]|\d{1,9}[.)] |```|~~~|!\[)")
NO_SENTENCE = re.compile(r"^(?:[-*+#>|<]|\d{1,9}[.)] |```|~~~|    )")
LONGEST = 60  # lines of an HTML callout
DEEPEST = 3


def standard(markdown: str, depth: int = 0) -> str:
    lines = markdown.split("\n")
    closings: dict[int, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        if closing := CLOSING.match(line):
            closings[len(closing[1])].append(number)
    out: list[str] = []
    fence = ""
    at = 0
    while at < len(lines):
        line = lines[at]
        marker = FENCE.match(line)
        if fence or marker:
            if not fence and marker:
                fence = marker[1]
            elif marker and marker[1].startswith(fence):
                fence = ""
            out.append(line)
            at += 1
            continue
        found = callout(lines, at, closings)
        if found is None or depth == DEEPEST:
            defined(out, line)
            at += 1
            continue
        indent, title, inside, at = found
        inner = standard("\n".join(inside), depth + 1).strip("\n").split("\n")
        out += [f"{indent}> {part}".rstrip() if part else f"{indent}>" for part in titled(title, inner)]
        if at < len(lines) and lines[at].strip():
            out.append("")
    return "\n".join(out)


Callout = tuple[str, str, list[str], int]


def callout(lines: Sequence[str], at: int, closings: dict[int, list[int]]) -> Callout | None:
    """Indentation, title, lines within and the number of the line behind of the callout that begins here, if any."""
    line = lines[at]
    if found := MKDOCS.match(line):
        return mkdocs(lines, at, found)
    if found := DOCUSAURUS.match(line):
        ends = closings[len(found[2])]
        place = bisect_right(ends, at)
        if place < len(ends):
            title = heading(found[3], found[4] or found[5])
            return (
                found[1],
                title,
                [unindented(one, len(found[1])) for one in lines[at + 1 : ends[place]]],
                ends[place] + 1,
            )
    elif (found := HTML.match(line)) and (word := word_of(found[3])):
        return html(lines, at, found, word)
    return None


def mkdocs(lines: Sequence[str], at: int, found: re.Match[str]) -> Callout:
    width = len(found[1].expandtabs(4)) + 4
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or indentation(lines[end]) >= width):
        end += 1
    while end > at + 1 and not lines[end - 1].strip():
        end -= 1
    return found[1], heading(found[2], found[3]), [unindented(one, width) for one in lines[at + 1 : end]], end


def html(lines: Sequence[str], at: int, found: re.Match[str], word: str) -> Callout | None:
    edge = re.compile(rf"<(/?){found[2]}\b[^<>]*>", re.IGNORECASE)
    depth = 0
    for end in range(at, min(at + LONGEST, len(lines))):
        for tag in edge.finditer(lines[end]):
            depth += -1 if tag[1] else 1
            if depth == 0:
                inside = [*lines[at:end], lines[end][: tag.start()]]
                inside[0] = inside[0][found.end() :]
                behind = lines[end][tag.end() :].strip()
                text = [one.strip() for one in inside if not LAYOUT_LINE.match(one)]
                return (found[1], heading(word, None), text, end + 1) if not behind else None
    return None


def word_of(classes: str) -> str | None:
    """The kind of a callout by its classes, as in `usa-alert usa-alert--info`; None for no callout."""
    named = [one.removeprefix("usa-").split("-") for one in classes.lower().split()]
    if not any(parts[0] in BOXES and not LAYOUT.intersection(parts) for parts in named):
        return None
    kinds = [part for parts in named for part in parts if part in WORDS and part not in PLAIN_BOXES]
    return kinds[0] if kinds else "note"


def heading(word: str, title: str | None) -> str:
    word = {"seealso": "See also"}.get(word.lower(), word.replace("-", " ").capitalize())
    title = " ".join((title or "").split()).strip(" :")
    return word if not title or title.casefold() == word.casefold() else f"{word}: {title}"


def titled(title: str, inside: Sequence[str]) -> list[str]:
    """The quotation's lines: its word in bold, before the first sentence if it begins with one."""
    first = inside[0] if inside else ""
    spoken = re.sub(r"[^a-z]", "", first[:40].lower())
    if spoken.startswith(re.sub(r"[^a-z]", "", title.lower())) and first.lstrip().startswith(("*", "_")):
        return list(inside)  # the text says the word itself
    if ":" in title:
        return [f"**{title}**", *([""] if first else []), *inside]
    if first.strip() and not NO_SENTENCE.match(first):
        return [f"**{title}:** {first.strip()}", *inside[1:]]
    return [f"**{title}:**", "", *inside] if first.strip() else [f"**{title}**"]


def indentation(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def unindented(line: str, width: int) -> str:
    expanded = line.expandtabs(4)
    return expanded[min(width, indentation(line)) :]


def defined(out: list[str], line: str) -> None:
    """Append the line; as an item "- **term**: definition" when it defines the line before."""
    found = DEFINITION.match(line)
    if found is None or not out:
        out.append(line)
        return
    gap = 1 if not out[-1].strip() else 0
    term = out[-1 - gap].strip() if len(out) > gap else ""
    if term.startswith("- **") and out[-1 - gap].startswith("- **"):
        out.append(f"  - {found[1]}")
    elif term and len(term) <= 100 and not NO_TERM.match(out[-1 - gap]) and (len(out) == gap + 1 or begins(out, gap)):
        del out[len(out) - 1 - gap :]
        out.append(f"- **{term.strip('*_')}**: {found[1]}")
    else:
        out.append(line)


def begins(out: Sequence[str], gap: int) -> bool:
    """Whether the term stands at the beginning of a paragraph, or right below another definition."""
    above = out[-2 - gap]
    return not above.strip() or above.startswith(("- **", "  - "))
