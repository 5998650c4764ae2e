"""Kinds of tickets and their numbers: one sequence for all, `INC0000042` or `REQ0000043` to people."""

import re
from enum import StrEnum

LARGEST = 2**31 - 1
WRITTEN = re.compile(r"\s*(?:(?P<prefix>INC|REQ)[\s#-]*|#\s*)?(?P<number>[0-9]{1,10})\s*", re.IGNORECASE | re.ASCII)


class Kind(StrEnum):
    INCIDENT = "incident"
    SERVICE_REQUEST = "service_request"

    @property
    def prefix(self) -> str:
        return PREFIXES[self]


PREFIXES = {Kind.INCIDENT: "INC", Kind.SERVICE_REQUEST: "REQ"}
KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


def written(kind: Kind, number: int) -> str:
    return f"{kind.prefix}{number:07d}"


def understood(text: str) -> tuple[int, Kind | None] | None:
    """The number, and the kind if one is named, in `42`, `#42`, `INC0000042`, `inc 42`; `None` for anything else."""
    match = WRITTEN.fullmatch(text)
    if match is None or not 0 < int(match["number"]) <= LARGEST:
        return None
    return int(match["number"]), KINDS[match["prefix"].upper()] if match["prefix"] else None
