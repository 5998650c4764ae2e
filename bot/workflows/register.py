"""The routine requests that the desk carries out: one line each."""

from bot.workflows.password_reset import PasswordReset
from bot.workflows.workflow import Workflow


def workflows(*, password_reset: PasswordReset) -> tuple[Workflow, ...]:
    return (password_reset,)
