"""Mail to people about their own account, over SMTP."""

from collections.abc import Sequence

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class NoticeSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    smtp_url: SecretStr | None = None
    """`smtp://host:25`, `smtps://user:password@host:465`; with `smtp://user:password@…` StartTLS is used."""
    mail_from: str = "Deskmate <deskmate@localhost>"


class Notices:
    def __init__(self, settings: NoticeSettings) -> None:
        self._settings = settings

    @property
    def available(self) -> bool:
        """False when no mail server is configured; what needs notices is refused then."""
        return self._settings.smtp_url is not None

    def mail(self, *, key: str, to: Sequence[str], subject: str, text: str) -> None:
        """Send one message to each address. Errors: `NoticeFailed`; a repeat sends again under the same Message-ID."""
        raise NotImplementedError
