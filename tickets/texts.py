"""What people write, made fit to be stored."""

from tickets.errors import EmptyText

LONGEST_TITLE = 200
LONGEST_TEXT = 40_000


def storable(text: str) -> str:
    """Without what a database refuses (NUL, lone surrogates), trimmed, at most 40,000 characters."""
    sound = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return sound.strip()[:LONGEST_TEXT]


def title_of(text: str) -> str:
    """One line of at most 200 characters, cut at a word; raises `EmptyText` if nothing is left."""
    line = " ".join(storable(text).split())
    if not line:
        raise EmptyText("title")
    if len(line) <= LONGEST_TITLE:
        return line
    return line[: LONGEST_TITLE - 1].rsplit(" ", 1)[0] + "…"


def required(text: str, what: str) -> str:
    """The storable text; raises `EmptyText` if nothing is left."""
    sound = storable(text)
    if not sound:
        raise EmptyText(what)
    return sound
