"""What is kept of people: the demo directory's accounts, the feed's word on a person, and bindings to Slack users."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from store import Base


class DemoAccount(Base):
    """An account of the built-in directory, for trying Deskmate out."""

    __tablename__ = "demo_accounts"

    directory_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    account: Mapped[str] = mapped_column(String(128), unique=True)
    name: Mapped[str] = mapped_column(String(256))
    emails: Mapped[list[Any]]
    groups: Mapped[list[Any]]
    given_groups: Mapped[list[Any]]
    """In the last feed: the same feed again must not undo what was granted since."""
    manager: Mapped[str | None] = mapped_column(String(128))
    enabled: Mapped[bool]
    locked: Mapped[bool]
    """By too many wrong passwords."""
    sessions_ended_at: Mapped[datetime | None]
    password_hash: Mapped[str | None] = mapped_column(String(256))
    """Argon2id; empty for an account that can't sign in."""
    given_hash: Mapped[str | None] = mapped_column(String(256))
    """Of the password in the last feed: the same feed again must not undo what its owner has changed since."""
    password_version: Mapped[int]


class DemoGroup(Base):
    """A group of the built-in directory; who is in it stands with the accounts."""

    __tablename__ = "demo_groups"

    group_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    folded: Mapped[str] = mapped_column(String(128), unique=True)
    """The name as it is looked up."""
    description: Mapped[str] = mapped_column(String(512))
    owners: Mapped[list[Any]]


class PersonRecord(Base):
    """What the last feed said of a person."""

    __tablename__ = "people"

    account: Mapped[str] = mapped_column(String(128), primary_key=True)
    directory_id: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str] = mapped_column(String(256))
    emails: Mapped[list[Any]]
    groups: Mapped[list[Any]]
    manager: Mapped[str | None] = mapped_column(String(128))
    privileged: Mapped[bool]
    factor_seed: Mapped[str | None] = mapped_column(String(512))
    """Seed of the authenticator app, encrypted."""
    lost_seed: Mapped[str | None] = mapped_column(String(512))
    """That of the app that was lost, encrypted: a feed that still has it doesn't bring it back."""
    recovery_changed_at: Mapped[datetime | None]
    """When an address or the second factor of a known person last changed; holds count from it too."""


class Binding(Base):
    """A Slack user and the directory account that an authority says is theirs."""

    __tablename__ = "bindings"
    __table_args__ = (UniqueConstraint("team_id", "slack_user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[str] = mapped_column(String(32))
    slack_user_id: Mapped[str] = mapped_column(String(32))
    directory_id: Mapped[str] = mapped_column(String(64), index=True)
    account: Mapped[str] = mapped_column(String(128), index=True)
    bound_at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    """When the person was first seen in good standing."""
    slack_email: Mapped[str | None] = mapped_column(String(320))
    """As Slack had it then; a change is a sign of a take-over."""
    suspended_at: Mapped[datetime | None]
    suspended_why: Mapped[str | None] = mapped_column(String(64))


def demo_account(session: Session, account: str) -> DemoAccount | None:
    return session.scalar(select(DemoAccount).where(DemoAccount.account == account.casefold()))


def demo_group(session: Session, name: str) -> DemoGroup | None:
    return session.scalar(select(DemoGroup).where(DemoGroup.folded == name.casefold()))


def binding_of(session: Session, team: str, user: str, *, locked: bool = False) -> Binding | None:
    query = select(Binding).where(Binding.team_id == team, Binding.slack_user_id == user)
    return session.scalar(query.with_for_update() if locked else query)


def bindings_of_account(session: Session, team: str | None, account: str) -> Sequence[Binding]:
    """In one workspace, or in all."""
    query = select(Binding).where(Binding.account == account)
    return session.scalars(query if team is None else query.where(Binding.team_id == team)).all()


def address_owners(session: Session, address: str) -> set[str]:
    """Accounts that have this mail address registered, in whatever case it is written."""
    wanted = address.casefold()
    return {
        account
        for account, emails in session.execute(select(PersonRecord.account, PersonRecord.emails))
        if wanted in (str(email).casefold() for email in emails)
    }
