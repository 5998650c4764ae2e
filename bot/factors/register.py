"""The second factors that Deskmate can ask for: one line each, in the order in which a form is searched for a proof."""

from collections.abc import Callable
from datetime import datetime

from bot.factors.factor import Factor
from bot.factors.totp import Totp
from bot.factors.webauthn import WebAuthn
from bot.workflows.limits import Limits


def factors(*, secret_key: str, public_url: str, limits: Limits, now: Callable[[], datetime]) -> tuple[Factor, ...]:
    return (
        WebAuthn(secret_key=secret_key, public_url=public_url, hold=limits.hold, now=now),
        Totp(secret_key=secret_key, now=now),
    )
