"""What is kept of routine requests: password resets, the state of second factors, and the audit trail."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Index, String, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.records import Post
from bot.routines.records import RoutineRequest
from store import Base

OPEN = ("offered", "linked")


class ResetRequest(Base):
    """One wish for a new password. The target is always the one who asked."""

    __tablename__ = "password_resets"
    __table_args__ = (Index("ix_password_resets_account", "account", "state"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    """Of the turn that asked."""
    team: Mapped[str] = mapped_column(String(32))
    slack_user: Mapped[str] = mapped_column(String(32))
    account: Mapped[str | None] = mapped_column(String(128))
    directory_id: Mapped[str | None] = mapped_column(String(64))
    conversation_id: Mapped[int]
    channel: Mapped[str] = mapped_column(String(32))
    thread_ts: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    """`denied`; `offered` (the card is out), `linked` (the page is open); `changing` (the directory is being asked),
    `unsure` (it didn't answer), `changed`, `unchanged`; `cancelled`, `expired`, `superseded`."""
    refusal: Mapped[str | None]
    """What a denied person was told."""
    click: Mapped[str | None] = mapped_column(String(64))
    """The click that the link was made for."""
    expires_at: Mapped[datetime | None]
    attempt: Mapped[int]
    marker: Mapped[str | None] = mapped_column(String(128))
    """The directory's password marker before the change."""
    changing_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    ticket: Mapped[str | None] = mapped_column(String(16))
    repudiated_at: Mapped[datetime | None]
    incident: Mapped[str | None] = mapped_column(String(16))


class KeyRequest(Base):
    """One wish to register a security key, for the account of whoever asked."""

    __tablename__ = "key_requests"
    __table_args__ = (Index("ix_key_requests_account", "account", "state"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    """Of the turn that asked."""
    team: Mapped[str] = mapped_column(String(32))
    slack_user: Mapped[str] = mapped_column(String(32))
    account: Mapped[str | None] = mapped_column(String(128))
    directory_id: Mapped[str | None] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32))
    thread_ts: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    """`denied`; `linked` (the page is open), `proven` (its owner is there, the key may come), `registered`;
    `superseded`, `cancelled`, `removed` (its owner said that it wasn't them)."""
    refusal: Mapped[str | None]
    """What a denied person was told."""
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    name: Mapped[str | None] = mapped_column(String(64))
    """The person's word for the key."""
    repudiated_at: Mapped[datetime | None]
    incident: Mapped[str | None] = mapped_column(String(16))


KEY_OPEN = ("linked", "proven")


class FactorState(Base):
    """How an account's second factors were used. Failures are consecutive, of all of them together: a success sets
    them back."""

    __tablename__ = "second_factors"

    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    last_step: Mapped[int]
    """The newest time step whose authenticator code was used up."""
    failures: Mapped[int]
    first_failed_at: Mapped[datetime | None]
    locked_until: Mapped[datetime | None]


class AuditRow(Base):
    """One decision. Rows are only added, by `bot.workflows.audit`, in the transaction of what they tell of."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    workflow: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(160))
    """The request's id."""
    event: Mapped[str] = mapped_column(String(32))
    decision: Mapped[str] = mapped_column(String(16))
    """`allowed`, `denied`, `done`, `failed`."""
    reason: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(64))
    """Team and user of Slack."""
    target: Mapped[str | None] = mapped_column(String(64))
    """The directory's immutable id."""
    policy: Mapped[str] = mapped_column(String(16))
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64), unique=True)


def request_of_key(session: Session, key: str) -> ResetRequest | None:
    return session.scalar(select(ResetRequest).where(ResetRequest.key == key))


def request_of_message(session: Session, channel: str, ts: str) -> ResetRequest | None:
    """The request whose card this message of ours is."""
    ref = session.scalar(select(Post.ref).where(Post.channel == channel, Post.ts == ts, Post.purpose == "reset_card"))
    return session.get(ResetRequest, ref) if ref else None


def held_request(session: Session, request: str) -> ResetRequest:
    """The request, locked until the transaction ends."""
    return session.get_one(ResetRequest, request, with_for_update=True)


def open_requests(session: Session, account: str) -> Sequence[ResetRequest]:
    query = select(ResetRequest).where(ResetRequest.account == account, ResetRequest.state.in_(OPEN))
    return session.scalars(query.with_for_update()).all()


def unsettled_requests(session: Session) -> Sequence[ResetRequest]:
    return session.scalars(select(ResetRequest).where(ResetRequest.state.in_(("changing", "unsure")))).all()


def key_request_of_turn(session: Session, key: str) -> KeyRequest | None:
    return session.scalar(select(KeyRequest).where(KeyRequest.key == key))


def held_key_request(session: Session, request: str) -> KeyRequest:
    """The request, locked until the transaction ends."""
    return session.get_one(KeyRequest, request, with_for_update=True)


def open_key_requests(session: Session, account: str) -> Sequence[KeyRequest]:
    query = select(KeyRequest).where(KeyRequest.account == account, KeyRequest.state.in_(KEY_OPEN))
    return session.scalars(query.with_for_update()).all()


def count_key_requests(session: Session, account: str, since: datetime) -> int:
    query = select(func.count()).where(KeyRequest.account == account, KeyRequest.created_at > since)
    return session.scalar(query.where(KeyRequest.state != "denied")) or 0


def count_requests(session: Session, account: str, since: datetime) -> int:
    query = select(func.count()).where(ResetRequest.account == account, ResetRequest.created_at > since)
    return session.scalar(query.where(ResetRequest.state != "denied")) or 0


def last_change(session: Session, account: str) -> datetime | None:
    query = select(ResetRequest.settled_at).where(ResetRequest.account == account, ResetRequest.state == "changed")
    return session.scalar(query.order_by(ResetRequest.settled_at.desc()).limit(1))


Request = TypeVar("Request", ResetRequest, KeyRequest)


def newest_open(session: Session, kind: type[Request], states: Sequence[str], team: str, user: str) -> Request | None:
    """The person's newest request in one of these states."""
    query = select(kind).where(kind.team == team, kind.slack_user == user, kind.state.in_(states))
    return session.scalar(query.order_by(kind.created_at.desc()).limit(1))


def last_unlock(session: Session, account: str) -> datetime | None:
    query = select(func.max(RoutineRequest.changed_at))
    return session.scalar(
        query.where(
            RoutineRequest.account == account,
            RoutineRequest.workflow == "account_unlock",
            RoutineRequest.state == "done",
        )
    )


def count_changes(session: Session, since: datetime, until: datetime) -> int:
    query = select(func.count()).where(ResetRequest.state == "changed", ResetRequest.settled_at > since)
    return session.scalar(query.where(ResetRequest.settled_at <= until)) or 0


def last_audit_row(session: Session) -> AuditRow | None:
    """The end of the chain; on PostgreSQL nobody else adds to it until the transaction ends (SQLite has one writer)."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('deskmate audit'))"))
    return session.scalar(select(AuditRow).order_by(AuditRow.id.desc()).limit(1))


def audit_rows(session: Session) -> Sequence[AuditRow]:
    return session.scalars(select(AuditRow).order_by(AuditRow.id)).all()
