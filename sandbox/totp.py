"""The authenticator on a person's phone: time-based one-time passwords (RFC 6238: SHA-1, six digits, 30 seconds)."""

import base64
import hashlib
import hmac
import struct

STEP = 30


def totp(secret: str, now: float) -> str:
    """The code for a base32 secret at `now` (seconds since the epoch)."""
    padded = secret.replace(" ", "").upper()
    key = base64.b32decode(padded + "=" * (-len(padded) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(now) // STEP), hashlib.sha1).digest()
    offset = digest[-1] & 0x0F
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
