"""What a file says of itself in the lines between `---` at its top."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import ScalarNode
from yaml.resolver import Resolver

from ingest.errors import AccessUnclear, IngestError

CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
KEY_LINE = re.compile(r"""\s*["']?[\w.\- ]{1,60}["']?\s*:""")
MEANS_TO_RESTRICT = re.compile(r"""(?:^|[,{])\s*["']?access["']?\s*[:=]""", re.IGNORECASE | re.MULTILINE)
MAX_DEPTH = 30
FRAME = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
# Only these keys count; the same key twice leaves open which one is meant.
CHANGED = (
    "updated", "last_updated", "last_modified", "last_modified_at", "lastmod", "modified", "last_reviewed", "ms.date",
    "date",
)  # fmt: skip
"""Where publishers write when an article was last changed, the most telling first."""
KEYS = ("id", "title", "access", "owner", "url", "description", "author", *CHANGED)


@dataclass
class FrontMatter:
    """The plain values by key, as written (an id of `007` stays `007`), and the groups that may see the article."""

    values: dict[str, str] = field(default_factory=dict)
    access: tuple[str, ...] = ()


def changed(values: dict[str, str]) -> str | None:
    """The day of the last change as it is written, if any."""
    return next((found for key in CHANGED if (found := values.get(key))), None)


def split(text: str) -> tuple[FrontMatter, str]:
    """The front matter (empty when there is none) and the text below it.

    Raises `IngestError` when it can't be read, and `AccessUnclear` when it can't be read and seems to hold `access`,
    or when `access` isn't a list of names of groups.
    """
    start = _after_comments(text)
    if text.startswith("+++", start):
        raise _error(
            "front matter in TOML (`+++`) isn't supported, write it in YAML between `---`", text[start : start + 10_000]
        )
    first, _, rest = text[start:].partition("\n")
    if first.rstrip() != "---":
        return FrontMatter(), text
    closing = CLOSING.search(rest)
    if closing is None:
        if KEY_LINE.match(rest):
            raise _error("the front matter has no closing `---`", rest[:10_000])
        return FrontMatter(), text
    return read(rest[: closing.start()]), rest[closing.end() :]


def _after_comments(text: str) -> int:
    """Where the text begins after blank lines and HTML comments (a licence, often)."""
    at = 0
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if not text.startswith("<!--", at) or (end := text.find("-->", at)) < 0:
            return at
        at = end + 3


def _error(message: str, source: str) -> IngestError:
    return (AccessUnclear if MEANS_TO_RESTRICT.search(source) else IngestError)(message)


def read(source: str) -> FrontMatter:
    """Read YAML event by event: nothing is built, so deep nesting and aliases of aliases cost nothing."""
    front = FrontMatter()
    seen: set[str] = set()
    try:
        events = list(_bounded_events(source))
    except (yaml.YAMLError, ValueError) as error:
        raise _error(f"broken front matter: {_reason(error)}", source) from None
    body = [event for event in events if not isinstance(event, FRAME)]
    if not body or (isinstance(body[0], yaml.ScalarEvent) and not body[0].value):
        return front
    if not isinstance(body[0], yaml.MappingStartEvent):
        raise _error("broken front matter: it must be lines of `key: value`", source)
    entries = _entries(body[1:-1])
    for key_events, value_events in entries:
        written = key_events[0].value if isinstance(key_events[0], yaml.ScalarEvent) else ""
        key = written.strip()
        if key == "<<":
            raise _error("broken front matter: merged keys (`<<`) aren't supported", source)
        if key.lower() == "access" and written != "access":
            raise AccessUnclear(f"`{key}` must be written `access`")
        if key not in KEYS:
            continue
        if key in seen:
            raise _error(f"broken front matter: `{key}` is there twice", source)
        seen.add(key)
        if key == "access":
            front.access = _groups(value_events)
        elif isinstance(value_events[0], yaml.ScalarEvent):
            if not _is(value_events[0], "null"):
                front.values[key] = value_events[0].value
        elif key == "id":
            raise _error("`id` must be a text", source)
    return front


def _bounded_events(source: str) -> list[yaml.Event]:
    events: list[yaml.Event] = []
    depth = 0
    for event in yaml.parse(source, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ValueError(f"nested more than {MAX_DEPTH} deep")
        events.append(event)
    if sum(isinstance(event, yaml.DocumentStartEvent) for event in events) > 1:
        raise ValueError("more than one YAML document")
    return events


def _entries(events: list[yaml.Event]) -> list[tuple[list[yaml.Event], list[yaml.Event]]]:
    """The events of a mapping's inside as pairs of a key's events and its value's."""
    nodes: list[list[yaml.Event]] = []
    depth = 0
    for event in events:
        if depth == 0:
            nodes.append([])
        nodes[-1].append(event)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
    return list(zip(nodes[::2], nodes[1::2], strict=True))


def _is(event: yaml.ScalarEvent, kind: str) -> bool:
    """Whether the value means this to YAML: a bare `yes` or `12` is no text."""
    resolver: Any = Resolver()  # its methods carry no types
    tag = event.tag or resolver.resolve(ScalarNode, event.value, event.implicit)
    return bool(tag == f"tag:yaml.org,2002:{kind}")


def _groups(events: list[yaml.Event]) -> tuple[str, ...]:
    """The names of groups in a list such as `[hr, finance]`, sorted. Raises `AccessUnclear` for anything else."""
    shape = AccessUnclear("`access` must be a list of names of groups, such as `access: [hr, finance]`")
    if not isinstance(events[0], yaml.SequenceStartEvent):
        raise shape
    names: set[str] = set()
    for event in events[1:-1]:
        if not isinstance(event, yaml.ScalarEvent):
            raise shape
        name = event.value.strip()
        if not name or not name.isprintable():
            raise shape
        if not _is(event, "str"):
            raise AccessUnclear(f"`access` must be a list of names of groups: put {name[:40]} in quotation marks")
        names.add(name)
    if not names:
        raise AccessUnclear("`access` names no group; leave the line out if everybody may see the article")
    return tuple(sorted(names))


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark
        where = f" in line {mark.line + 2}" if mark is not None else ""  # the `---` is line 1
        return f"{error.problem or 'not YAML'}{where}"
    return " ".join(str(error).split())[:200]
