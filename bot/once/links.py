"""Links that are made again whenever they are needed, and are stored nowhere."""

import hmac
import re
from hashlib import sha256

from bot.directory.seeds import derived_key

MAC_LENGTH = 32
"""Hexadecimal digits, 128 bits: what a guess would have to hit."""
TOKEN = re.compile(r"([a-z]+)-([0-9a-f]{32})([0-9a-f]{32})")


class Links:
    """Makes and reads the tokens of one-time links.

    A token is a purpose, an object's id and a message authentication code over both, so the same link comes out
    however often it is made. Whether it still works is for the object to say.
    """

    def __init__(self, *, secret_key: str, public_url: str) -> None:
        self._key = derived_key(secret_key, "one-time links")
        self._base = public_url.rstrip("/")

    def url(self, purpose: str, object_id: str) -> str:
        return f"{self._base}/once/{self.token(purpose, object_id)}"

    def token(self, purpose: str, object_id: str) -> str:
        return f"{purpose}-{object_id}{self._mac(purpose, object_id)}"

    def read(self, purpose: str, token: str) -> str | None:
        """The object's id, if the token was made by us for this purpose."""
        parts = TOKEN.fullmatch(token)
        if parts is None or parts[1] != purpose:
            return None
        return parts[2] if hmac.compare_digest(parts[3], self._mac(purpose, parts[2])) else None

    def _mac(self, purpose: str, object_id: str) -> str:
        return hmac.new(self._key, f"{purpose}:{object_id}".encode(), sha256).hexdigest()[:MAC_LENGTH]
