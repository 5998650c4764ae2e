"""Switches that stop what the desk does in directories: all of it, one request, one directory.

Read before each effect; what can't be read counts as off. Switched off by one person, on again by two.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.errors import BotError
from bot.routines.records import Switch
from bot.workflows import audit
from store import Database

ALL = "all"
OFF = "IT has switched this off for now. Ask me for a human."


class NotSwitched(BotError):
    """A switch stays as it is; says why."""


@dataclass(frozen=True)
class Switches:
    database: Database

    def off(self, workflow: str, directory: str) -> bool:
        try:
            with self.database.reading() as session:
                return is_off(session, workflow, directory)
        except SQLAlchemyError:
            return True


def is_off(session: Session, workflow: str, directory: str) -> bool:
    for scope in scopes(workflow, directory):
        switch = session.get(Switch, scope)
        if switch is not None and switch.off:
            return True
    return False


def scopes(workflow: str, directory: str) -> tuple[str, ...]:
    return (ALL, f"workflow:{workflow}", f"directory:{directory}")


def switch_off(session: Session, scope: str, *, by: str, reason: str, now: datetime) -> Switch:
    """By anybody who may use the command line; again with another reason changes the reason."""
    switch = session.get(Switch, scope, with_for_update=True)
    if switch is None:
        switch = Switch(scope=scope)
        session.add(switch)
    switch.off, switch.reason, switch.by, switch.opening_by, switch.at = True, reason, by, None, now
    _record(session, scope, "off", "done", by, now)
    session.flush()
    return switch


def switch_on(session: Session, scope: str, *, by: str, now: datetime) -> Switch:
    """The first person to say so is noted, the second one switches it on. Errors: `NotSwitched`."""
    switch = session.get(Switch, scope, with_for_update=True)
    if switch is None or not switch.off:
        raise NotSwitched(f"{scope} isn't switched off.")
    if switch.opening_by is None:
        switch.opening_by, switch.at = by, now
        _record(session, scope, "on", "allowed", by, now)
    elif switch.opening_by.casefold() == by.casefold():
        raise NotSwitched(f"{by} has said so already; a second person has to.")
    else:
        switch.off, switch.at = False, now
        _record(session, scope, "on", "done", by, now)
    session.flush()
    return switch


def _record(session: Session, scope: str, event: str, decision: str, by: str, now: datetime) -> None:
    audit.record(
        session,
        at=now,
        workflow="switch",
        subject=scope,
        event=event,
        decision=decision,
        reason="asked",
        actor=by[:64],
        target=None,
        policy="1",
    )
