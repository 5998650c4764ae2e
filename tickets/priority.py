"""ITIL's priority: how many are hit (impact) against how long it can wait (urgency)."""

from enum import IntEnum


class Impact(IntEnum):
    HIGH = 1
    MEDIUM = 2
    LOW = 3


class Urgency(IntEnum):
    HIGH = 1
    MEDIUM = 2
    LOW = 3


class Priority(IntEnum):
    CRITICAL = 1
    HIGH = 2
    MODERATE = 3
    LOW = 4
    PLANNING = 5

    @property
    def code(self) -> str:
        """`P1` to `P5`."""
        return f"P{self.value}"

    @property
    def label(self) -> str:
        """`P1 Critical` to `P5 Planning`."""
        return f"{self.code} {self.name.capitalize()}"


def priority_of(impact: Impact, urgency: Urgency) -> Priority:
    """The usual 3 x 3 matrix: both high is P1, and each level lower on either axis is one priority lower."""
    return Priority(impact + urgency - 1)
