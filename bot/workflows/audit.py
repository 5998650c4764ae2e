"""The audit trail: who was allowed or denied what and why, as ids and reasons; never a secret, never a text."""

import json
from datetime import UTC, datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from bot.workflows.records import AuditRow, audit_rows, last_audit_row

BEGINNING = "0" * 64


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
    fields = (row.workflow, row.subject, row.event, row.decision, row.reason, row.actor, row.target, row.policy)
    told = [row.previous, row.at.astimezone(UTC).isoformat(), *fields]
    return sha256(json.dumps(told).encode()).hexdigest()


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
