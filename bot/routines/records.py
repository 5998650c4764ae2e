"""What is kept of routine requests that are carried out in steps, of their approvals, and of switches."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.records import Post
from store import Base

WAITING = ("drafted", "proving", "proven", "asked", "fulfilling", "approved")
"""States in which the desk has done nothing yet, so that the employee can still stop it."""
AT_WORK = ("approved", "doing")


class RoutineRequest(Base):
    """One request. Whom it is for is always the one who asked."""

    __tablename__ = "routine_requests"
    __table_args__ = (
        Index("ix_routine_requests_state", "state", "ends_at"),
        Index("ix_routine_requests_conversation", "conversation_id", "state"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    """Of the turn that asked."""
    workflow: Mapped[str] = mapped_column(String(32))
    team: Mapped[str] = mapped_column(String(32))
    slack_user: Mapped[str] = mapped_column(String(32))
    account: Mapped[str | None] = mapped_column(String(128))
    directory_id: Mapped[str | None] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(256))
    """For display."""
    conversation_id: Mapped[int]
    channel: Mapped[str] = mapped_column(String(32))
    thread_ts: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    """`refused`; `drafted` (the card is out), `proving` (waits for a second factor), `proven`, `asked` (waits for
    approval), `fulfilling` (people have tasks), `approved`, `doing`, `done`; `ended` (taken back when its time was
    over); `denied`, `cancelled`, `expired`; `unfulfilled` (people say it can't be done), `failed` (all is as before),
    `stuck` (for a human)."""
    wish: Mapped[dict[str, Any]]
    """Values by field, as far as they are known."""
    refusal: Mapped[str | None]
    stage: Mapped[int]
    """Of approval, from 0."""
    ticket: Mapped[str | None] = mapped_column(String(16))
    ends_at: Mapped[datetime | None]
    proven_at: Mapped[datetime | None]
    """When whoever asks proved themselves by a second factor."""
    repudiated_at: Mapped[datetime | None]
    """When its owner said that it wasn't them."""
    incident: Mapped[str | None] = mapped_column(String(16))
    """The number of the ticket about that."""
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Approval(Base):
    """One person asked for one stage."""

    __tablename__ = "approvals"
    __table_args__ = (UniqueConstraint("request", "stage", "account"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    request: Mapped[str] = mapped_column(ForeignKey("routine_requests.id"), index=True)
    stage: Mapped[int]
    why: Mapped[str] = mapped_column(String(64))
    account: Mapped[str] = mapped_column(String(128))
    directory_id: Mapped[str] = mapped_column(String(64))
    team: Mapped[str] = mapped_column(String(32))
    slack_user: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    """`waiting`, `approved`, `denied`; `closed` when it was decided without them."""
    reason: Mapped[str | None]
    talk: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    """What was asked back and answered: `{view, asks, text}` each, `asks` where it is the approver's."""
    asked_at: Mapped[datetime]
    reminded_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]


class RequestStep(Base):
    """How far one step of a request is."""

    __tablename__ = "request_steps"

    request: Mapped[str] = mapped_column(ForeignKey("routine_requests.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    """`doing`, `done`, `undone`."""
    was_so: Mapped[bool]
    """It was so before, so it isn't ours to undo."""
    at: Mapped[datetime]


class RequestTask(Base):
    """What people do for a request."""

    __tablename__ = "request_tasks"

    request: Mapped[str] = mapped_column(ForeignKey("routine_requests.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    due: Mapped[date | None]
    proof: Mapped[bool]
    given_at: Mapped[datetime]
    done_by: Mapped[str | None] = mapped_column(String(32))
    """Slack id of whoever ticked it off."""
    done_account: Mapped[str | None] = mapped_column(String(128))
    """Of a proof: their account."""
    done_at: Mapped[datetime | None]


class Code(Base):
    """One of those that are handed out one by one, free until a request has it."""

    __tablename__ = "codes"
    __table_args__ = (UniqueConstraint("offer", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    offer: Mapped[str] = mapped_column(String(75), index=True)
    """Its name, folded."""
    code: Mapped[str] = mapped_column(String(200))
    request: Mapped[str | None] = mapped_column(String(32), unique=True)
    directory_id: Mapped[str | None] = mapped_column(String(64))
    """Of whoever has it."""
    taken_at: Mapped[datetime | None]


class Switch(Base):
    """Whether something may be done at all."""

    __tablename__ = "switches"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    """`all`, `workflow:NAME`, `directory:NAME`."""
    off: Mapped[bool]
    reason: Mapped[str]
    by: Mapped[str] = mapped_column(String(128))
    opening_by: Mapped[str | None] = mapped_column(String(128))
    """Who wants it on again; a second person has to say so too."""
    at: Mapped[datetime]


def request_of_key(session: Session, key: str) -> RoutineRequest | None:
    return session.scalar(select(RoutineRequest).where(RoutineRequest.key == key))


def held(session: Session, request: str) -> RoutineRequest:
    """The request, locked until the transaction ends: whatever decides about it does so here."""
    return session.get_one(RoutineRequest, request, with_for_update=True)


def of_card(session: Session, channel: str, ts: str, purpose: str) -> str | None:
    """What the card at this place is about: a request's or an approval's id."""
    return session.scalar(select(Post.ref).where(Post.channel == channel, Post.ts == ts, Post.purpose == purpose))


def approvals_of(session: Session, request: str, stage: int | None = None) -> Sequence[Approval]:
    query = select(Approval).where(Approval.request == request).order_by(Approval.stage, Approval.id)
    return session.scalars(query if stage is None else query.where(Approval.stage == stage)).all()


def steps_of(session: Session, request: str) -> Sequence[RequestStep]:
    return session.scalars(select(RequestStep).where(RequestStep.request == request).order_by(RequestStep.number)).all()


def tasks_of(session: Session, request: str) -> Sequence[RequestTask]:
    return session.scalars(select(RequestTask).where(RequestTask.request == request).order_by(RequestTask.number)).all()


def requests_in(session: Session, *states: str) -> Sequence[RoutineRequest]:
    return session.scalars(select(RoutineRequest).where(RoutineRequest.state.in_(states))).all()


def waiting_for(session: Session, slack_user: str) -> Sequence[tuple[Approval, RoutineRequest]]:
    """What waits for this person's decision, the oldest first."""
    rows = session.execute(
        select(Approval, RoutineRequest)
        .join(RoutineRequest, RoutineRequest.id == Approval.request)
        .where(Approval.slack_user == slack_user, Approval.state == "waiting", RoutineRequest.state == "asked")
        .order_by(Approval.asked_at)
    )
    return [(approval, request) for approval, request in rows]


def newest_waiting(session: Session, workflow: str, team: str, user: str) -> RoutineRequest | None:
    """The person's newest request of which nothing is done yet."""
    query = select(RoutineRequest).where(
        RoutineRequest.workflow == workflow,
        RoutineRequest.team == team,
        RoutineRequest.slack_user == user,
        RoutineRequest.state.in_(WAITING),
    )
    return session.scalar(query.order_by(RoutineRequest.created_at.desc()).limit(1))


def newest_begun(session: Session, team: str, user: str, since: datetime) -> RoutineRequest | None:
    """The person's newest request since then that they have yet to confirm, or that waits for its approval."""
    query = select(RoutineRequest).where(
        RoutineRequest.team == team,
        RoutineRequest.slack_user == user,
        RoutineRequest.state.in_(("drafted", "asked")),
        RoutineRequest.created_at >= since,
    )
    return session.scalar(query.order_by(RoutineRequest.created_at.desc()).limit(1))


def unheard_repudiations(session: Session, workflow: str) -> Sequence[str]:
    """Requests that weren't their owner's, of which nobody was told."""
    query = select(RoutineRequest.id).where(RoutineRequest.workflow == workflow)
    return session.scalars(
        query.where(RoutineRequest.repudiated_at.is_not(None), RoutineRequest.incident.is_(None))
    ).all()


def add_codes(session: Session, offer: str, codes: Sequence[str]) -> int:
    """How many of these are new; the others are known already."""
    known = set(session.scalars(select(Code.code).where(Code.offer == offer.casefold())))
    fresh = [code for code in dict.fromkeys(codes) if code not in known]
    session.add_all(Code(offer=offer.casefold(), code=code) for code in fresh)
    return len(fresh)


def free_code(session: Session, offer: str) -> Code | None:
    """One that nobody has, held until the transaction ends; who comes at the same time gets another."""
    query = select(Code).where(Code.offer == offer.casefold(), Code.request.is_(None)).order_by(Code.id)
    return session.scalar(query.limit(1).with_for_update(skip_locked=True))


def code_of(session: Session, request: str) -> Code | None:
    return session.scalar(select(Code).where(Code.request == request))


def codes_left(session: Session, offer: str) -> int:
    query = select(func.count()).where(Code.offer == offer.casefold(), Code.request.is_(None))
    return session.scalar(query) or 0


def codes_taken_since(session: Session, offer: str, directory_id: str, since: datetime) -> int:
    query = select(func.count()).where(
        Code.offer == offer.casefold(), Code.directory_id == directory_id, Code.taken_at >= since
    )
    return session.scalar(query) or 0
