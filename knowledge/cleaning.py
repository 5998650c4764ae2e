"""An article's Markdown without what only its old home understood: includes, Liquid, comments, callouts, pictures."""

import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

from knowledge import dialects, pictures

FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})")
INLINE_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)")
COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
LIQUID = re.compile(r"\{%-?.*?-?%\}|\{\{.*?\}\}", re.DOTALL)
DOCS_BLOCK = re.compile(r"^[ \t]*:{3,}.*$", re.MULTILINE)  # `:::zone pivot="..."`, `:::`
INCLUDE = re.compile(r"\[!(?:INCLUDE|VIDEO|DIV)\b[^\[\]\n]*(?:\[[^\]]*\])?[^\]\n]*\](?:\([^)]*\))?", re.IGNORECASE)
ADMONITION = re.compile(
    r"^([ \t]*(?:>[ \t]*)+)\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*(?:\n[ \t]*(?:>[ \t]*)+(?=\S))?",
    re.IGNORECASE | re.MULTILINE,
)
LINKED_IMAGE = re.compile(r"\[\s*\]\([^)]*\)")
LINK = re.compile(r"(?<!!)\[([^\]\[]+)\]\(\s*<?([^)\s>]*)>?((?:\s+\"[^\"]*\")?)\s*\)")
BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
TAG = re.compile(
    r"</?(?:a|abbr|b|big|center|details|div|em|figure|figcaption|font|i|iframe|img|kbd|li|ol|p|script|section|small"
    r"|span|strong|style|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul|video)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
KRAMDOWN = re.compile(r"\{:[^}\n]*\}")
# Zero-width, direction-changing and tag characters: invisible to a reader, so nothing that we should repeat.
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
BLANK_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


def clean(markdown: str, base_url: str | None = None) -> str:
    """Standard Markdown; code (fenced and inline) is left exactly as it is.

    Links and pictures relative to the article are made absolute by `base_url`; without one, their words stay.
    """
    text = markdown.replace("\r\n", "\n").replace("\r", "\n")
    text = dialects.standard(INVISIBLE.sub("", text))
    text = outside_code(text, lambda prose: clean_prose(prose, base_url))
    return BLANK_LINES.sub("\n\n", pictures.kept_in_lists(text)).strip() + "\n"


def clean_prose(text: str, base_url: str | None) -> str:
    text = text.replace("&nbsp;", " ").replace("\u00a0", " ")
    text = COMMENT.sub("", text)
    text = LIQUID.sub("", text)
    text = pictures.as_links(text, base_url)
    text = DOCS_BLOCK.sub("", text)
    text = INCLUDE.sub("", text)
    text = KRAMDOWN.sub("", text)
    text = ADMONITION.sub(lambda match: f"{match[1]}**{match[2].capitalize()}:** ", text)
    text = LINKED_IMAGE.sub("", text)
    text = LINK.sub(lambda match: absolute_link(match, base_url), text)
    text = BREAK.sub(" ", text)
    return TAG.sub("", text)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply `change` to what is neither in a fence nor in backticks.

    Inline code is hidden behind a placeholder meanwhile, so that a tag that spans it is still seen whole.
    """
    result: list[str] = []
    prose: list[str] = []
    fence = ""

    def flush() -> None:
        if prose:
            kept: list[str] = []

            def hide(match: re.Match[str]) -> str:
                kept.append(match[0])
                return f"\x00{len(kept) - 1}\x00"

            hidden = INLINE_CODE.sub(hide, "".join(prose).replace("\x00", ""))
            changed = change(hidden)
            result.append(re.sub("\x00(\\d+)\x00", lambda match: kept[int(match[1])], changed))
            prose.clear()

    for line in text.splitlines(keepends=True):
        marker = FENCE.match(line)
        if fence:
            result.append(line)
            if marker and marker[1].startswith(fence):
                fence = ""
        elif marker:
            flush()
            fence = marker[1]
            result.append(line)
        else:
            prose.append(line)
    flush()
    return "".join(result)


def absolute_link(match: re.Match[str], base_url: str | None) -> str:
    words, target, title = match[1], match[2], match[3]
    try:
        if urlsplit(target).scheme in ("http", "https", "mailto", "tel"):
            return f"[{words}]({target}{title})"
        absolute = urljoin(base_url, target) if base_url and target else ""
        return f"[{words}]({absolute}{title})" if urlsplit(absolute).scheme in ("http", "https") else words
    except ValueError:  # an address that can't be parsed, such as an unfinished IPv6 one
        return words
