"""Codes of authenticator apps (RFC 6238)."""

import base64
import hmac
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from bot.directory.records import PersonRecord
from bot.directory.seeds import Seeds
from bot.factors.factor import Ask, Occasion, ProofMalformed
from bot.workflows.records import FactorState

STEP_SECONDS = 30
WINDOW = (0, -1, 1)
"""Steps before and after the present one that are taken, for clocks that go wrong."""


class Totp:
    """Satisfies `Factor`. A code is known by its time step, and used up with all codes before it."""

    name = "code"
    refusal = "That code isn't right, or was used already."
    used = "That code was used already. Wait for the next one."

    def __init__(self, *, secret_key: str, now: Callable[[], datetime]) -> None:
        self._seeds = Seeds(secret_key)
        self._now = now

    def able(self, session: Session, account: str, directory_id: str) -> bool:
        person = session.get(PersonRecord, account)
        return person is not None and person.factor_seed is not None

    def ask(self, session: Session, occasion: Occasion) -> Ask:
        return Ask(self.name)

    def proof(self, fields: Mapping[str, str]) -> str | None:
        if "code" not in fields:
            return None
        code = "".join(fields["code"].split())
        if len(code) != 6 or not (code.isascii() and code.isdecimal()):
            raise ProofMalformed("The authenticator code has six digits.")
        return code

    def check(self, session: Session, state: FactorState, occasion: Occasion, proof: str) -> int | None:
        person = session.get(PersonRecord, occasion.account)
        if person is None or person.factor_seed is None:
            return None
        steps = self._matching(self._seeds.open(person.factor_seed), proof)
        return next((step for step in steps if step > state.last_step), None)

    def use(self, state: FactorState, mark: int) -> bool:
        if mark <= state.last_step:
            return False
        state.last_step = mark
        return True

    def give_back(self, state: FactorState, mark: int) -> None:
        if state.last_step == mark:
            state.last_step = mark - 1

    def _matching(self, seed: str, code: str) -> list[int]:
        present = int(self._now().timestamp()) // STEP_SECONDS
        steps = [present + offset for offset in WINDOW]
        return [step for step in steps if hmac.compare_digest(code_at(seed, step), code)]


def code_at(seed: str, step: int) -> str:
    """The six digits of a time step (RFC 4226, 5.3).

    Computed here since pyotp takes no seed below 112 bits, and many that are in use have 80.
    """
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    digest = hmac.digest(key, step.to_bytes(8), "sha1")
    start = digest[-1] & 0x0F
    number = int.from_bytes(digest[start : start + 4]) & 0x7FFF_FFFF
    return f"{number % 1_000_000:06d}"
