"""Pictures of an article in chat: a link where there is an address, else the words that describe it.

A picture is shown as `[🖼 words](address)` or `(🖼 words)`. It is for the eye only: what is embedded and searched is
the text `without` pictures.
"""

import re
from urllib.parse import urljoin, urlsplit

MARK = "🖼"
LONGEST = 120
TEXT = r"((?:[^\[\]\\\n]|\\.|\n(?!\s*\n)|\[[^\[\]\n]*\])*)"
TARGET = r"\(\s*(<[^<>\n]*>|(?:[^\s()\\]|\\.|\([^\s()]*\))*)(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?\s*\)"
IMAGE = re.compile(rf"!\[{TEXT}\](?:{TARGET}|\[[^\[\]\n]*\])(?:\{{[^{{}}\n]*\}})?")
TAG = re.compile(r"<img\s([^<>]*)>", re.IGNORECASE)
ATTRIBUTE = re.compile(r"""\b(src|alt)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
DOCS = re.compile(r":::image\b([^\n]*?):::")
DOCS_ATTRIBUTE = re.compile(r"\b(type|source|alt-text)=\"([^\"\n]*)\"")
KIND = re.compile(
    r"^(?:an?|the)?\s*(?:screen ?shots?|screen capture|images?|pictures?|photos?|figures?|icons?|diagrams?|graphics?"
    r"|illustrations?)\b[\s\d.]*(?:of\b|that shows?\b|which shows?\b|showing\b|shows?\b|[:-])?\s*(?:the\s+|an?\s+)?",
    re.IGNORECASE,
)
PICTURED = ("screen", "image", "picture", "figure")
SHOWN = re.compile(rf"\[{MARK} [^\[\]\n]*\]\([^()\s]*\)|\({MARK} [^()\n]*\)")
ALONE = re.compile(rf"^[ \t]*(?:(?:{SHOWN.pattern})[ \t]*)+$")
PARAGRAPH = re.compile(rf"(?:^|\n)(?:[ \t]*\n)*[ \t]*(?:(?:{SHOWN.pattern})[ \t]*)+(?=\n|\Z)")
ITEM = re.compile(r"^([ \t]*)([-*+]|\d{1,9}[.)])([ \t]+)\S")
BLANK_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


def as_links(text: str, base_url: str | None) -> str:
    """Every picture of Markdown (`![…](…)`, `<img>`, `:::image`) as it is shown; relative addresses are made absolute
    by the article's own."""
    text = DOCS.sub(docs_image, text)
    text = TAG.sub(html_image, text)
    return IMAGE.sub(lambda found: shown(found, base_url), text)


def docs_image(found: re.Match[str]) -> str:
    said = dict(DOCS_ATTRIBUTE.findall(found[1]))
    return "" if said.get("type") == "icon" else f"![{bare(said.get('alt-text', ''))}](<{said.get('source', '')}>)"


def html_image(found: re.Match[str]) -> str:
    said = {name.lower(): double or single for name, double, single in ATTRIBUTE.findall(found[1])}
    return f"![{bare(said.get('alt', ''))}](<{said.get('src', '')}>)"


def shown(found: re.Match[str], base_url: str | None) -> str:
    """A small picture within a sentence ("tap [gear]") stands for a word; others are linked, or described."""
    words = bare(found[1])
    if not stands_alone(found) and 0 < len(words) <= 30 and not words.lower().startswith(PICTURED):
        return words
    told = meaning(words)
    if address := absolute((found[2] or "").strip("<>"), base_url):
        return f"[{MARK} {told or words[:LONGEST] or 'picture'}]({address})"
    return f"({MARK} {told})" if told else ""


def stands_alone(found: re.Match[str]) -> bool:
    """Whether only a list's or a quotation's mark, or another picture, stands before it in its line."""
    text = found.string
    before = text[max(text.rfind("\n", 0, found.start()) + 1, found.start() - 200) : found.start()]
    return IMAGE.sub("", before).strip(" \t>*-+0123456789.)") == ""


def bare(words: str) -> str:
    return " ".join(re.sub(r"[\[\]()<>`\\]", "", words).split())


def meaning(words: str) -> str:
    """What a description tells beyond that there is a picture; empty when that is nothing worth a line."""
    told = KIND.sub("", words, count=1).strip(" .")
    if len(told.split()) < 4 or re.search(r"\.(?:png|jpe?g|gif|svg|webp)$", told, re.IGNORECASE):
        return ""
    return told if len(told) <= LONGEST else told[: LONGEST - 1].rsplit(" ", 1)[0] + "…"


def absolute(target: str, base_url: str | None) -> str | None:
    """The address when a browser may be sent there."""
    try:
        joined = urljoin(base_url, target) if base_url and target else target
        parts = urlsplit(joined)
    except ValueError:
        return None
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        return None
    return joined.replace(" ", "%20").replace("(", "%28").replace(")", "%29")


def kept_in_lists(text: str) -> str:
    """A picture between two items of a list becomes part of the first, so that the list isn't interrupted."""
    if MARK not in text:
        return text
    lines = text.split("\n")
    width = 0  # of the indentation of what belongs to the item above; 0 outside of lists
    for number, line in enumerate(lines):
        item = ITEM.match(line)
        if item and not item[1]:
            width = len(item[2]) + len(item[3])
        elif width and ALONE.match(line):
            if not line.startswith(" ") and goes_on(lines, number):
                lines[number] = " " * width + line.strip()
        elif line.strip() and not line.startswith((" ", "\t")):
            width = 0
    return "\n".join(lines)


def goes_on(lines: list[str], number: int) -> bool:
    """Whether a list's next item is what follows, other pictures aside."""
    following = (line for line in lines[number + 1 : number + 12] if line.strip() and not ALONE.match(line))
    return ITEM.match(next(following, "")) is not None


def without(text: str) -> str:
    """The text without its pictures: what is embedded and searched."""
    if MARK not in text:
        return text
    return BLANK_LINES.sub("\n\n", SHOWN.sub("", PARAGRAPH.sub("", text))).strip("\n")
