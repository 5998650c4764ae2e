"""The routine requests that the desk carries out: one line each."""

from typing import Any

from bot.proposing import Proposable
from bot.routines.account import SignOut, UnlockAccount
from bot.routines.carrying import Carrying
from bot.routines.codes import GuestCode
from bot.routines.elevation import ElevatedAccess
from bot.routines.factor_reset import FactorReset
from bot.routines.forms import wanted
from bot.routines.memberships import JoinGroup, LeaveGroup, MailboxAccess, SoftwareAccess
from bot.routines.offers import Offers
from bot.routines.office import Office
from bot.routines.people_tasks import LeavingEmployee, NewHardware, NewJoiner
from bot.routines.routine import Routine
from bot.routing import Routine as Recognised
from bot.values import Kind
from bot.workflows.key_registration import KeyRegistration
from bot.workflows.password_reset import PasswordReset
from bot.workflows.workflow import Workflow

DECLARED: tuple[type[Routine[Any]], ...] = (
    UnlockAccount,
    SignOut,
    JoinGroup,
    LeaveGroup,
    SoftwareAccess,
    MailboxAccess,
    ElevatedAccess,
    GuestCode,
    NewHardware,
    NewJoiner,
    LeavingEmployee,
    FactorReset,
)
ROUTINES: tuple[Recognised, ...] = (PasswordReset, KeyRegistration, *DECLARED)
"""Their classes, which suffice to recognise a wish."""


def proposable(offers: Offers) -> tuple[Proposable, ...]:
    """What a language model may take a message for; of what needs something on offer, only if there is any."""
    found = [Proposable(routine.name, routine.title) for routine in (PasswordReset, KeyRegistration)]
    for routine in DECLARED:
        values = tuple(wanted(routine.Wish, offers.names))
        if all(value.offered for value in values if value.kind is Kind.CHOICE):
            found.append(Proposable(routine.name, routine.title, values))
    return tuple(found)


def listed() -> list[dict[str, Any]]:
    """What can be asked for, a row each: the table of docs/requests.md."""
    reset = {
        "name": PasswordReset.name,
        "request": PasswordReset.title,
        "risk": "low-impact write",
        "level": "L2",
        "approver": "nobody",
        "needs": ("password",),
        "undone_by": "another reset; “this wasn't me” in each notice disables the account",
    }
    key = {
        "name": KeyRegistration.name,
        "request": KeyRegistration.title,
        "risk": "low-impact write",
        "level": "L2",
        "approver": "nobody",
        "needs": (),
        "undone_by": "“this wasn't me” in each notice removes the key and disables the account",
    }
    return [
        reset,
        key,
        *(
            {
                "name": routine.name,
                "request": routine.title,
                "risk": routine.risk.value,
                "level": routine.level.value,
                "approver": routine.approver,
                "needs": tuple(sorted(routine.needs)),
                "undone_by": routine.undone_by,
            }
            for routine in DECLARED
        ),
    ]


def workflows(
    *, password_reset: PasswordReset, key_registration: KeyRegistration, office: Office
) -> tuple[Workflow, ...]:
    return (password_reset, key_registration, *(Carrying(routine(), office) for routine in DECLARED))
