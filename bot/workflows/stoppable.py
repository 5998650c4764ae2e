"""A routine request that its owner can still stop."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Stoppable:
    workflow: str
    request: str
    title: str
    """What it would do, for people: `Reset your password`."""
    since: datetime


def newest(found: Iterable[Stoppable | None]) -> Stoppable | None:
    return max((each for each in found if each is not None), key=lambda each: each.since, default=None)
