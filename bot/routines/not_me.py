"""What its owner may say of a routine request: that it wasn't them."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from bot.routines.carrying_out import CarryingOut, note
from bot.routines.records import RoutineRequest
from bot.routines.routine import Routine
from bot.routines.step_up import purpose
from bot.workflows.repudiation import Deed


def deed_of(routine: Routine[Any], carrying: CarryingOut, stop: Callable[[Session, str], bool]) -> Deed:
    """What its owner may say they didn't ask for."""

    def undo(session: Session, request: RoutineRequest) -> None:
        """What waits is stopped, and what is done and can be undone is over at once."""
        if not stop(session, request.id) and request.state == "done" and carrying.can_be_undone(routine, request):
            request.ends_at = request.repudiated_at

    return Deed(
        requests=RoutineRequest,
        purpose=purpose("notme", routine.name),
        prefix=routine.name,
        name=f"request “{routine.title}”",
        asked=f"If you didn't ask for this in Slack ({routine.title})",
        suspicion="repudiated_request",
        undo=undo,
        record=note,
    )
