"""Files of a conversation, kept with its ticket: fetched from Slack, since what Slack shows may be gone tomorrow."""

import hashlib
import logging
from collections.abc import Iterable
from typing import Any

from bot.desk import Desk
from bot.errors import BotError
from tickets import queries, worklog

log = logging.getLogger(__name__)

LARGEST = 50 * 1024 * 1024
"""Bytes; a larger file stays in Slack, and the ticket says so."""


def keep_files(desk: Desk, ticket: str, files: Iterable[dict[str, Any]], *, owner: str) -> None:
    """Store the files' bytes and note them on the ticket, each once. What can't be fetched is noted as that."""
    with desk.database.reading() as session:
        kept = {attachment.file_id for attachment in queries.attachments_of(session, queries.find(session, ticket))}
    for file in files:
        if file["id"] in kept:
            continue
        try:
            if file["size"] > LARGEST:
                raise TooLarge(f"{file['name']} is larger than {LARGEST // 2**20} MB")
            content = desk.slack.download(file["url"])
        except BotError as error:
            log.warning("a file of %s stays in Slack: %s", ticket, error)
            with desk.database.transaction() as session:
                text = f"The file {file['name']} could not be kept here; it is in the Slack thread. ({error})"
                worklog.note(session, ticket, author=owner, text=text, now=desk.now(), key=f"file:{file['id']}")
            continue
        # The name on disk is ours: what a person calls a file never becomes a path.
        path = desk.files / ticket / hashlib.sha256(file["id"].encode()).hexdigest()[:32]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        with desk.database.transaction() as session:
            worklog.attach(
                session,
                ticket,
                file_id=file["id"],
                name=file["name"],
                mimetype=file["mimetype"],
                size=len(content),
                path=str(path.relative_to(desk.files)),
                actor=owner,
                now=desk.now(),
            )


class TooLarge(BotError):
    """A file is larger than what is kept."""
