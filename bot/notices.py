"""Mail to people about their own accounts, over SMTP."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from functools import cache
from hashlib import sha256
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import BotError

TIMEOUT_SECONDS = 10
MAIL_PORT, MAIL_PORT_TLS = 25, 465


class NoticeFailed(BotError, OSError):
    """A mail couldn't be handed over. An `OSError`, so that the durable runtime tries again."""


class NoticeSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    smtp_url: SecretStr | None = None
    """`smtp://host:25`, `smtps://user:password@host:465`; `smtp://user:password@host:587` uses StartTLS."""
    mail_from: str = "Deskmate <deskmate@localhost>"


class Notices:
    """Sends mails one by one. Safe to use from many threads."""

    def __init__(self, settings: NoticeSettings) -> None:
        self._url = settings.smtp_url
        self._from = settings.mail_from

    @property
    def available(self) -> bool:
        """False when no mail server is configured; what needs notices is refused then."""
        return self._url is not None

    def mail(self, *, key: str, to: str, subject: str, text: str) -> None:
        """Hand one message to the mail server.

        A repeat with the same key has the same Message-ID, by which mail programs recognise it. Errors: `NoticeFailed`.
        """
        message = EmailMessage()
        message["From"] = self._from
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = formatdate()
        domain = parseaddr(self._from)[1].rpartition("@")[2] or "localhost"
        message["Message-ID"] = f"<{sha256(f'{key} {to}'.encode()).hexdigest()[:32]}@{domain}>" if key else make_msgid()
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        try:
            self._send(message)
        except (OSError, ValueError) as error:  # smtplib's own errors are OSErrors
            raise NoticeFailed(f"The mail server didn't take a notice ({type(error).__name__}).") from error

    def _send(self, message: EmailMessage) -> None:
        if self._url is None:
            raise NoticeFailed("No mail server is configured (DESKMATE_SMTP_URL).")
        url = urlsplit(self._url.get_secret_value())
        host = url.hostname or "localhost"
        if url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, url.port or MAIL_PORT_TLS, timeout=TIMEOUT_SECONDS, context=tls()
            )
        else:
            server = smtplib.SMTP(host, url.port or MAIL_PORT, timeout=TIMEOUT_SECONDS)
        with server:
            if url.username:
                if url.scheme != "smtps":
                    server.starttls(context=tls())  # a password never goes in the clear
                server.login(unquote(url.username), unquote(url.password or ""))
            server.send_message(message)


@cache
def tls() -> ssl.SSLContext:
    """What a server's certificate is checked against. Reading this machine's authorities takes longer than a mail."""
    return ssl.create_default_context()
