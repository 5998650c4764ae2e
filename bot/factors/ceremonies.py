"""WebAuthn's two ceremonies, registering a key and proving with one, as py_webauthn does them.

User verification (the key's PIN or the finger on it) is required in both, so that a found key is worth nothing. The
library is imported when it is needed: it takes a second, and most processes of the desk never need it.
"""

import ipaddress
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from bot.factors.records import WebAuthnCredential

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

log = logging.getLogger(__name__)

NAME = "Deskmate"
TIMEOUT_MS = 120_000
"""A hint for the browser: how long it waits for the key."""
DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class RelyingParty:
    """Whom a key answers: a name that browsers hold against the page's address, and the only page that may ask."""

    id: str
    origin: str

    @classmethod
    def at(cls, public_url: str) -> Self | None:
        """None where browsers do no WebAuthn: without https, except on localhost, and at a bare IP address."""
        url = urlsplit(public_url)
        host = (url.hostname or "").lower()
        if not host or is_address(host):
            return None
        if url.scheme != "https" and not (url.scheme == "http" and is_local(host)):
            return None
        port = f":{url.port}" if url.port not in (None, DEFAULT_PORTS[url.scheme]) else ""
        return cls(host, f"{url.scheme}://{host}{port}")


@dataclass(frozen=True)
class NewKey:
    """What a key said of itself when it was registered."""

    credential_id: str
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]


def is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def asking(party: RelyingParty, challenge: bytes, credentials: Sequence[WebAuthnCredential]) -> str:
    """What `navigator.credentials.get` is called with, as JSON."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        allow_credentials=descriptors(credentials),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


def creating(
    party: RelyingParty, challenge: bytes, *, account: str, handle: bytes, known: Sequence[WebAuthnCredential]
) -> str:
    """What `navigator.credentials.create` is called with, as JSON. A key that is known isn't registered twice."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = generate_registration_options(
        rp_id=party.id,
        rp_name=NAME,
        user_name=account,
        user_id=handle,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            # Whose account it is is known when it's asked for, so it needs none of the few places on a key.
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=descriptors(known),
    )
    return options_to_json(options)


def challenge_in(assertion: str) -> bytes | None:
    """The challenge that an assertion says it answers, unproven; None if it says none."""
    from webauthn.helpers import parse_authentication_credential_json, parse_client_data_json

    try:
        answer = parse_authentication_credential_json(assertion)
        return parse_client_data_json(answer.response.client_data_json).challenge
    except Exception:  # noqa: BLE001 (a stranger's bytes are taken apart; whatever comes of it is no challenge)
        return None


def proven(
    party: RelyingParty, challenge: bytes, assertion: str, credentials: Sequence[WebAuthnCredential]
) -> tuple[WebAuthnCredential, int] | None:
    """Which of the credentials gave this assertion, and its new sign count; None if none of them did, for this
    challenge and page, by somebody whom it knows, with a count that went up."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import parse_authentication_credential_json

    try:
        answer = parse_authentication_credential_json(assertion)
        found = next((each for each in credentials if each.credential_id == answer.id), None)
        if found is None:
            log.warning("an assertion by a security key that isn't the account's was refused")
            return None
        verified = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=found.public_key,
            credential_current_sign_count=found.sign_count,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 (a stranger's bytes are taken apart; whatever comes of it is no proof)
        log.warning("an assertion by a security key was refused: %s: %.200r", type(error).__name__, str(error))
        return None
    return found, verified.new_sign_count


def registered(party: RelyingParty, challenge: bytes, attestation: str) -> NewKey | None:
    """The key that answered `creating`, or None if it isn't one that can be used. Who made it isn't asked."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url, parse_registration_credential_json

    try:
        answer = parse_registration_credential_json(attestation)
        verified = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except Exception as error:  # noqa: BLE001 (a stranger's bytes are taken apart; whatever comes of it is no key)
        log.warning("a new security key was refused: %s: %.200r", type(error).__name__, str(error))
        return None
    transports = tuple(transport.value for transport in answer.response.transports or ())
    return NewKey(
        bytes_to_base64url(verified.credential_id), verified.credential_public_key, verified.sign_count, transports
    )


def descriptors(credentials: Sequence[WebAuthnCredential]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn import base64url_to_bytes
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(each.credential_id),
            transports=[AuthenticatorTransport(transport) for transport in each.transports] or None,
        )
        for each in credentials
    ]
