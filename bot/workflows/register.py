"""The routine requests that the desk carries out: one line each."""

from bot.routing import Routine
from bot.workflows.key_registration import KeyRegistration
from bot.workflows.password_reset import PasswordReset
from bot.workflows.workflow import Workflow

ROUTINES: tuple[Routine, ...] = (PasswordReset, KeyRegistration)
"""Their classes, which suffice to recognise a wish."""


def workflows(*, password_reset: PasswordReset, key_registration: KeyRegistration) -> tuple[Workflow, ...]:
    return (password_reset, key_registration)
