"""The audit trail: who was allowed or denied what and why, as ids and reasons; never a secret, never a text."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from bot.workflows.records import AuditRow, audit_rows, last_audit_row

BEGINNING = "0" * 64
FIELDS = ("workflow", "subject", "event", "decision", "reason", "actor", "target", "policy")


def record(
    session: Session,
    *,
    at: datetime,
    workflow: str,
    subject: str,
    event: str,
    decision: str,
    reason: str,
    actor: str,
    target: str | None,
    policy: str,
) -> None:
    """Add a row, in the transaction of what it tells of. Each row holds the digest of the one before it."""
    last = last_audit_row(session)
    row = AuditRow(
        at=at,
        workflow=workflow,
        subject=subject,
        event=event,
        decision=decision,
        reason=reason,
        actor=actor,
        target=target,
        policy=policy,
        previous=last.digest if last else BEGINNING,
    )
    row.digest = digest(row)
    session.add(row)
    session.flush()


def digest(row: AuditRow) -> str:
    told = [row.previous, row.at.astimezone(UTC).isoformat(), *(getattr(row, name) for name in FIELDS)]
    return sha256(json.dumps(told).encode()).hexdigest()


def end_of(session: Session) -> tuple[int, str]:
    """How many rows there are, and the last one's digest."""
    rows = audit_rows(session)
    return len(rows), rows[-1].digest if rows else BEGINNING


def exported(session: Session) -> Iterator[dict[str, Any]]:
    """All rows, oldest first, JSON-able."""
    for row in audit_rows(session):
        told = {name: getattr(row, name) for name in ("id", *FIELDS, "previous", "digest")}
        yield told | {"at": row.at.astimezone(UTC).isoformat()}


def first_broken(session: Session) -> int | None:
    """The id of the first row that was edited, moved, or whose predecessor is gone; None if the chain holds.

    Rows cut off at the end aren't noticed: for that, keep the last digest somewhere else.
    """
    previous = BEGINNING
    for row in audit_rows(session):
        if row.previous != previous or row.digest != digest(row):
            return row.id
        previous = row.digest
    return None
