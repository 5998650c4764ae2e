"""One file read: bytes, text, article."""

import hashlib
import stat
from pathlib import Path

from ingest import front_matter, html, markdown
from ingest.article import Article
from ingest.errors import IngestError
from ingest.text import decode

READERS = {".md": markdown.parse, ".markdown": markdown.parse, ".html": html.parse, ".htm": html.parse}
SUFFIXES = tuple(READERS)
MAX_BYTES = 5_000_000
READER = 2  # counts up when the same file would be read into another article, so that all files are read anew


def load(path: Path) -> bytes:
    """The content of a regular file of at most `MAX_BYTES`. Raises `IngestError`."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise IngestError("not a regular file")
        if found.st_size > MAX_BYTES:
            raise IngestError(f"too large: {found.st_size / 1e6:.1f} MB, at most {MAX_BYTES / 1e6:.0f} MB are taken")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise IngestError(f"can't be read: {error.strerror or type(error).__name__}") from None
    if len(raw) > MAX_BYTES:
        raise IngestError(f"too large: more than {MAX_BYTES / 1e6:.0f} MB")
    return raw


def content_hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def parse(raw: bytes, *, name: str) -> Article:
    """The article in a file called `name`. Raises `IngestError` (`AccessUnclear` among them) with one clear line."""
    path = Path(name)
    front, body = front_matter.split(decode(raw))
    found = READERS[path.suffix.lower()](body, stem=path.stem, front=front)
    if not found.markdown.strip():
        raise IngestError("there is no text in it")
    return found
