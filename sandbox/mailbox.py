"""Mail for the workspace's people: an SMTP server on loopback that keeps what arrives."""

import asyncio
import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.objects import Change, Mail
from sandbox.workspace import Workspace


def parsed(content: bytes, recipient: str, sender: str, now: float) -> Mail:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain", "html"))
    text = str(body.get_content()) if body is not None else ""
    headers = {name: str(value) for name, value in message.items()}
    return Mail(recipient.lower(), sender, str(message.get("Subject", "")), text, now, headers)


class Postman:
    """aiosmtpd's handler: each recipient gets a copy."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # its name there
        workspace = self._workspace
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        for recipient in envelope.rcpt_tos:
            mail = parsed(content, recipient, envelope.mail_from or "", workspace.clock())
            with workspace.lock:
                workspace.mail.append(mail)
                owners = [u.id for u in workspace.users.values() if mail.to in {a.lower() for a in u.emails}]
            workspace.changed(Change("mail", user=owners[0] if owners else None))
        return "250 OK"


async def serve_mail(listener: socket.socket, workspace: Workspace) -> asyncio.Server:
    def connection() -> Any:
        return SMTP(Postman(workspace), hostname="localhost", enable_SMTPUTF8=True)

    return await asyncio.get_running_loop().create_server(connection, sock=listener)
