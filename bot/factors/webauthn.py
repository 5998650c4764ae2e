"""Security keys and passkeys (WebAuthn): proving with one, and registering one.

Challenges are made, not stored: of the secret key, the request, and how many of its challenges were answered before.
Each answer, right or wrong, counts that up, so an assertion is looked at once.
"""

import hmac
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.directory.seeds import derived_key
from bot.factors import ceremonies
from bot.factors.ceremonies import NewKey, RelyingParty
from bot.factors.factor import Ask, Occasion, ProofMalformed
from bot.factors.records import (
    WebAuthnCredential,
    answered,
    count_credentials,
    credentials_of,
    held_challenges,
    is_known,
)
from bot.workflows.records import FactorState

MOST_KEYS = 10
LONGEST_ASSERTION = 8_192
"""Characters; a large one, of an RSA key, has about 1,500."""


class WebAuthn:
    """Satisfies `Factor`. A proof is used up by `check` itself, whatever becomes of what it is for: the next one costs
    a touch."""

    name = "key"
    refusal = "That isn't a security key of this account, or its answer was used already."
    used = "That answer was used already. Use your security key again."

    def __init__(self, *, secret_key: str, public_url: str, hold: timedelta, now: Callable[[], datetime]) -> None:
        """`hold`: for how long a new key can't be used."""
        self.party = RelyingParty.at(public_url)
        self._key = derived_key(secret_key, "webauthn")
        self._hold = hold
        self._now = now

    def able(self, session: Session, account: str, directory_id: str) -> bool:
        return self.party is not None and bool(self._usable(session, account, directory_id))

    def ask(self, session: Session, occasion: Occasion) -> Ask:
        challenge = self._challenge("get", occasion, answered(session, occasion.request))
        keys = self._usable(session, occasion.account, occasion.directory_id)
        return Ask(self.name, ceremonies.asking(self._required(), challenge, keys))

    def proof(self, fields: Mapping[str, str]) -> str | None:
        return fields.get("assertion") or None

    def check(self, session: Session, state: FactorState, occasion: Occasion, proof: str) -> int | None:
        if self.party is None or len(proof) > LONGEST_ASSERTION:
            return None
        if self._was_answered(session, occasion, ceremonies.challenge_in(proof)):
            raise ProofMalformed(self.used)  # a second click isn't a wrong guess
        challenge = self._next_challenge(session, "get", occasion)
        keys = self._usable(session, occasion.account, occasion.directory_id)
        found = ceremonies.proven(self.party, challenge, proof, keys)
        if found is None:
            return None
        key, count = found
        key.sign_count, key.last_used_at = count, self._now()
        return key.id

    def use(self, state: FactorState, mark: int) -> bool:
        return True

    def give_back(self, state: FactorState, mark: int) -> None:
        """Nothing: the page asks for a new one."""

    # Registering

    def creation(self, session: Session, occasion: Occasion) -> str:
        """What the browser is asked to make a new key with, as JSON.

        Only whoever has proven the account may see it: its challenge is what tells their answer from another's.
        """
        return ceremonies.creating(
            self._required(),
            self._challenge("create", occasion, answered(session, occasion.request)),
            account=occasion.account,
            handle=hmac.digest(self._key, f"handle:{occasion.directory_id}".encode(), "sha256"),
            known=credentials_of(session, occasion.account, occasion.directory_id),
        )

    def new_key(self, session: Session, occasion: Occasion, attestation: str) -> NewKey | None:
        """The key that answered `creation`, or None; either way its challenge is over."""
        return ceremonies.registered(
            self._required(), self._next_challenge(session, "create", occasion), attestation[:LONGEST_ASSERTION]
        )

    def keep(self, session: Session, occasion: Occasion, key: NewKey, name: str) -> bool:
        """Add the key to the account; False if it is registered already, or the account has as many as it may have.

        Whoever calls holds the account's `FactorState`.
        """
        if count_credentials(session, occasion.account) >= MOST_KEYS or is_known(session, key.credential_id):
            return False
        try:
            with session.begin_nested():
                session.add(
                    WebAuthnCredential(
                        account=occasion.account,
                        directory_id=occasion.directory_id,
                        credential_id=key.credential_id,
                        public_key=key.public_key,
                        sign_count=key.sign_count,
                        transports=list(key.transports),
                        name=name,
                        request=occasion.request,
                        created_at=self._now(),
                    )
                )
        except IntegrityError:
            return False  # somebody registered it at this moment
        return True

    def _usable(self, session: Session, account: str, directory_id: str) -> list[WebAuthnCredential]:
        held_since = self._now() - self._hold
        return [key for key in credentials_of(session, account, directory_id) if key.created_at <= held_since]

    def _next_challenge(self, session: Session, ceremony: str, occasion: Occasion) -> bytes:
        """The challenge that an answer must be to; there is another one from now on."""
        challenges = held_challenges(session, occasion.request)
        challenges.answered += 1
        session.flush()
        return self._challenge(ceremony, occasion, challenges.answered - 1)

    def _was_answered(self, session: Session, occasion: Occasion, challenge: bytes | None) -> bool:
        """Whether it is one of the request's challenges that are over."""
        over = range(held_challenges(session, occasion.request).answered)
        return challenge is not None and any(challenge == self._challenge("get", occasion, number) for number in over)

    def _challenge(self, ceremony: str, occasion: Occasion, number: int) -> bytes:
        told = f"{ceremony}:{occasion.request}:{occasion.directory_id}:{occasion.account}:{number}"
        return hmac.new(self._key, told.encode(), sha256).digest()

    def _required(self) -> RelyingParty:
        if self.party is None:
            raise RuntimeError("there is no WebAuthn at this public address")
        return self.party
