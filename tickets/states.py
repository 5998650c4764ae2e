"""The states of a ticket, and which may follow which."""

from enum import StrEnum


class State(StrEnum):
    NEW = "new"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    PENDING = "pending"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something."""
        return self in OPEN

    def may_become(self, next_state: "State") -> bool:
        return next_state in NEXT[self]


OPEN = frozenset({State.NEW, State.ASSIGNED, State.IN_PROGRESS, State.PENDING})

# Each non-final state leads on; a reopened ticket is in progress again. Closed and cancelled are final:
# whoever comes back after that gets a new ticket, so that clocks and ratings of the old one stay as they were.
NEXT: dict[State, frozenset[State]] = {
    State.NEW: frozenset({State.ASSIGNED, State.IN_PROGRESS, State.PENDING, State.RESOLVED, State.CANCELLED}),
    State.ASSIGNED: frozenset({State.NEW, State.IN_PROGRESS, State.PENDING, State.RESOLVED, State.CANCELLED}),
    State.IN_PROGRESS: frozenset({State.NEW, State.ASSIGNED, State.PENDING, State.RESOLVED, State.CANCELLED}),
    State.PENDING: frozenset({State.NEW, State.ASSIGNED, State.IN_PROGRESS, State.RESOLVED, State.CANCELLED}),
    State.RESOLVED: frozenset({State.IN_PROGRESS, State.CLOSED}),
    State.CLOSED: frozenset(),
    State.CANCELLED: frozenset(),
}
