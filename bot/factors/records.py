"""What is kept of security keys: their public halves, and how many challenges of a request were answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from store import Base


class WebAuthnCredential(Base):
    """A security key or passkey that somebody registered for their account."""

    __tablename__ = "webauthn_credentials"

    id: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(String(128), index=True)
    directory_id: Mapped[str] = mapped_column(String(64))
    """An account that is made anew under the same name has none of the old one's keys."""
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)
    """As the authenticator gave it, up to 1,023 bytes, in Base64url."""
    public_key: Mapped[bytes]
    """COSE."""
    sign_count: Mapped[int] = mapped_column(BigInteger)
    """What the authenticator said at the last use; passkeys that are kept in a cloud always say 0."""
    transports: Mapped[list[Any]]
    name: Mapped[str] = mapped_column(String(64))
    """Its owner's word for it."""
    request: Mapped[str] = mapped_column(String(32), unique=True)
    """The request that it was registered by."""
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class WebAuthnChallenges(Base):
    """The challenges of one request: a challenge is made of the count, so the count going up ends the one before."""

    __tablename__ = "webauthn_challenges"

    request: Mapped[str] = mapped_column(String(32), primary_key=True)
    answered: Mapped[int]


def credentials_of(session: Session, account: str, directory_id: str) -> Sequence[WebAuthnCredential]:
    query = select(WebAuthnCredential).where(
        WebAuthnCredential.account == account, WebAuthnCredential.directory_id == directory_id
    )
    return session.scalars(query.order_by(WebAuthnCredential.id)).all()


def count_credentials(session: Session, account: str) -> int:
    """Also those of an earlier account of this name."""
    query = select(func.count()).where(WebAuthnCredential.account == account)
    return session.scalar(query) or 0


def credential_of_request(session: Session, request: str) -> WebAuthnCredential | None:
    return session.scalar(select(WebAuthnCredential).where(WebAuthnCredential.request == request))


def is_known(session: Session, credential_id: str) -> bool:
    """Whether anybody has registered it."""
    query = select(WebAuthnCredential.id).where(WebAuthnCredential.credential_id == credential_id)
    return session.scalar(query) is not None


def answered(session: Session, request: str) -> int:
    kept = session.get(WebAuthnChallenges, request)
    return kept.answered if kept else 0


def held_challenges(session: Session, request: str) -> WebAuthnChallenges:
    """The request's row, made if there is none; whoever calls holds the account's `FactorState`."""
    kept = session.get(WebAuthnChallenges, request, with_for_update=True)
    if kept is None:
        kept = WebAuthnChallenges(request=request, answered=0)
        session.add(kept)
    return kept
