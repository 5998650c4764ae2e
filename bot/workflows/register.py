"""The routine requests that the desk carries out: one line each."""

from typing import Any

from bot.routines.carrying import Carrying
from bot.routines.group_access import JoinGroup, LeaveGroup
from bot.routines.office import Office
from bot.routines.routine import Routine
from bot.routing import Routine as Recognised
from bot.workflows.password_reset import PasswordReset
from bot.workflows.workflow import Workflow

DECLARED: tuple[type[Routine[Any]], ...] = (
    JoinGroup,
    LeaveGroup,
)
ROUTINES: tuple[Recognised, ...] = (PasswordReset, *DECLARED)
"""Their classes, which suffice to recognise a wish."""


def workflows(*, password_reset: PasswordReset, office: Office) -> tuple[Workflow, ...]:
    return (password_reset, *(Carrying(routine(), office) for routine in DECLARED))
