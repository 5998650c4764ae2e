"""A security key in software: what a browser and a key make together, with everything that may be wrong with it."""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url, encode_cbor
from webauthn.helpers.cose import COSECRV, COSEKTY, COSEAlgorithmIdentifier, COSEKey
from webauthn.helpers.structs import ClientDataType

ORIGIN, RP_ID = "https://desk.example", "desk.example"
PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


def options_in(page: str) -> dict[str, Any]:
    """What a page's script calls the browser with."""
    found = re.search(r'data-options="([^"]+)"', page)
    assert found is not None, page
    options: dict[str, Any] = json.loads(unescape(found[1]))
    return options


@dataclass
class Authenticator:
    """A key with one credential; `verified`: it has seen its owner's PIN or finger."""

    count: int = 0
    verified: bool = True
    origin: str = ORIGIN
    rp_id: str = RP_ID
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def creates(self, options: dict[str, Any]) -> str:
        client = self._client_data(ClientDataType.WEBAUTHN_CREATE, options["challenge"])
        attested = bytes(16) + len(self.credential).to_bytes(2) + self.credential + self._public_key()
        data = self._data(WITH_KEY) + attested
        attestation = encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(clientDataJSON=client, attestationObject=attestation)

    def proves(self, options: dict[str, Any]) -> str:
        self.count += 1
        client = self._client_data(ClientDataType.WEBAUTHN_GET, options["challenge"])
        data = self._data()
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(clientDataJSON=client, authenticatorData=data, signature=signature)

    def _client_data(self, kind: ClientDataType, challenge: str) -> bytes:
        return json.dumps({"type": kind.value, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, flags: int = 0) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verified else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _public_key(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        return encode_cbor(
            {
                COSEKey.KTY.value: COSEKTY.EC2.value,
                COSEKey.ALG.value: COSEAlgorithmIdentifier.ECDSA_SHA_256.value,
                COSEKey.CRV.value: COSECRV.P256.value,
                COSEKey.X.value: numbers.x.to_bytes(32),
                COSEKey.Y.value: numbers.y.to_bytes(32),
            }
        )

    def _answer(self, **response: bytes) -> str:
        name = bytes_to_base64url(self.credential)
        told = {part: bytes_to_base64url(value) for part, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})
