"""An article as one file tells it, before it is known which source it belongs to."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

from ingest.errors import IngestError

MAX_ID, MAX_TITLE, MAX_DESCRIPTION = 400, 300, 2_000
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
SURROGATE = re.compile(r"[\ud800-\udfff]")
# Publishers append the name of their site to the title of the page.
SITE_SUFFIX = re.compile(r"\s*\|\s*Microsoft\s+(?:Docs|Learn|Support)\s*$", re.IGNORECASE)


@dataclass(frozen=True)
class Article:
    """`article_id` is None when the file doesn't name itself: its path decides then. Empty `access` = everybody."""

    title: str
    markdown: str
    article_id: str | None = None
    url: str | None = None
    access: tuple[str, ...] = ()
    owner: str | None = None
    description: str | None = None
    updated_at: datetime | None = None


def one_line(text: str | None, *, limit: int) -> str | None:
    """The text on one line without control characters, at most `limit` characters; None when nothing is left."""
    if text is None:
        return None
    if SURROGATE.search(text):
        raise IngestError("a title, id or description holds half of a character (a lone surrogate)")
    line = " ".join(CONTROL.sub(" ", text).split())
    return line[: limit - 1].rstrip() + "…" if len(line) > limit else line or None


def article_id(text: str | None) -> str | None:
    """The id that a file gives itself, None when it gives none. Raises `IngestError` when it can't be one."""
    if text is None:
        return None
    identifier = one_line(text, limit=MAX_ID + 1)
    if identifier is None or identifier != text or len(identifier) > MAX_ID:
        raise IngestError(f"`id` must be a text on one line of 1 to {MAX_ID} characters")
    return identifier


def title(text: str | None) -> str | None:
    return one_line(SITE_SUFFIX.sub("", text) if text else text, limit=MAX_TITLE)


def web_address(text: str | None) -> str | None:
    """The address if a browser may be sent there, else None (other addresses are no use in chat)."""
    line = one_line(text, limit=2_000)
    if line is None or " " in line:
        return None
    try:
        parts = urlsplit(line)
    except ValueError:
        return None
    return line if parts.scheme.lower() in ("http", "https") and parts.netloc else None


def moment(text: str | None) -> datetime | None:
    """The day or moment meant by `2024-06-30`, an ISO moment, Microsoft's `06/30/2024`, `30 June 2024` or
    `June 30, 2024`; None for anything else.

    A moment without a zone is taken as UTC.
    """
    if text is None:
        return None
    if american := re.fullmatch(r"\s*(\d{1,2})/(\d{1,2})/(\d{4})\s*", text):
        month, day, year = (int(part) for part in american.groups())
        try:
            return datetime.combine(date(year, month, day), datetime.min.time(), UTC)
        except ValueError:
            return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return in_words(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def in_words(text: str) -> datetime | None:
    """The day meant by `30 June 2024` or `June 30, 2024`."""
    for form in ("%d %B %Y", "%B %d %Y", "%d %b %Y", "%b %d %Y"):
        try:
            return datetime.strptime(" ".join(text.replace(",", " ").split()), form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
