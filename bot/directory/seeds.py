"""Keys made of the one secret key, and second-factor seeds encrypted under one of them."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import BotError


class SeedUnreadable(BotError):
    """A stored second factor can't be read: the secret key isn't the one it was stored under."""


def derived_key(secret_key: str, purpose: str) -> bytes:
    """32 bytes for one purpose (HKDF-SHA256, RFC 5869); keys of different purposes tell nothing of each other."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=f"deskmate {purpose}".encode()).derive(
        secret_key.encode()
    )


class Seeds:
    def __init__(self, secret_key: str) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derived_key(secret_key, "second-factor seeds")))

    def seal(self, seed: str) -> str:
        return self._fernet.encrypt(seed.encode()).decode()

    def open(self, sealed: str) -> str:
        """Errors: `SeedUnreadable`."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise SeedUnreadable("A stored second factor can't be read: DESKMATE_SECRET_KEY has changed.") from error
