"""From bytes to text."""

import codecs
import re

from ingest.errors import IngestError

# UTF-32 first: its little-endian mark begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DECLARED = re.compile(
    rb"""<(?:meta|\?xml)\b[^>]{0,200}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE
)
UTF8_SEQUENCE = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
CONTROLS = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f]")


def decode(raw: bytes) -> str:
    """The text of a file, with line ends as a newline and no byte order mark.

    A byte order mark decides; else UTF-8, else what an HTML page declares, else Windows-1252 (of which Latin-1's
    letters are a part). Raises `IngestError` for what is none of these: binary files and damaged UTF-8.
    """
    mark = next((encoding for start, encoding in MARKS if raw.startswith(start)), None)
    if mark is not None:
        text = _decode(raw, mark)
    elif b"\0" in raw:
        raise IngestError(f"not a text file: it holds a NUL byte at position {raw.index(0)}")
    else:
        text = _without_mark(raw)
    if "\0" in text:
        raise IngestError("not a text file: it holds a NUL character")
    return CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")).lstrip("\ufeff")


def _decode(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise IngestError(f"not readable as {encoding.upper()}: a wrong byte at position {error.start}") from None


def _without_mark(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong = error.start
    if declared := DECLARED.search(raw[:2_048]):
        encoding = declared[1].decode("ascii", "replace")
        try:
            if codecs.lookup(encoding).name not in ("utf-8", "iso8859-1"):
                return _decode(raw, encoding)
        except LookupError:
            pass  # an encoding that nobody knows; the guess below is as good
    # Letters of Latin-1 hardly ever line up as UTF-8 by chance: where some do, this was UTF-8 and is damaged.
    if UTF8_SEQUENCE.search(raw) or CONTROLS.search(raw.decode("latin-1")):
        raise IngestError(f"not readable as UTF-8: a wrong byte at position {wrong}")
    return _decode(raw, "windows-1252")
