"""What the roof needs to know: where things are kept; and the settings of all rooms, read with clear complaints."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.directory.settings import DirectorySettings
from bot.notices import NoticeSettings
from bot.routines.offers import OfferSettings
from bot.settings import BotSettings, SlackSettings
from deskmate.errors import RoofError
from knowledge.llm import LanguageModelSettings
from knowledge.settings import KnowledgeSettings

S = TypeVar("S", bound=BaseSettings)


class DeskmateSettings(BaseSettings):
    """Read from `DESKMATE_*` and `.env`."""

    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Path(".deskmate")
    database_url: SecretStr | None = None
    executor_id: str = "local"
    """One per replica, the same after a restart: a process picks up what its predecessor of the same id left."""
    secret_key: SecretStr | None = None

    def database(self) -> str:
        if self.database_url is not None and self.database_url.get_secret_value():
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home.absolute() / 'deskmate.sqlite'}"

    def prepare_home(self) -> Path:
        """The home folder, made on first use, closed to other users. Errors: `RoofError`."""
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise RoofError(f"The home {self.home} can't be made: {error.strerror}. Set DESKMATE_HOME.") from error
        return self.home

    def secret(self) -> str:
        """The key that encrypts second-factor seeds and signs one-time links; made on first start."""
        if found := self.known_secret():
            return found
        path = self.prepare_home() / "secret.key"
        made = path.with_name(f"secret.{secrets.token_hex(4)}")
        with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(made, path)  # of two that start at once, one makes it
        except FileExistsError:
            pass
        finally:
            made.unlink()
        return path.read_text(encoding="ascii").strip()

    def known_secret(self) -> str | None:
        """The key if there is one already."""
        if self.secret_key is not None and self.secret_key.get_secret_value():
            return self.secret_key.get_secret_value()
        path = self.home / "secret.key"
        return path.read_text(encoding="ascii").strip() if path.exists() else None


@dataclass(frozen=True)
class Settings:
    """Those of all rooms, each room's own class."""

    roof: DeskmateSettings
    slack: SlackSettings
    bot: BotSettings
    knowledge: KnowledgeSettings
    directory: DirectorySettings
    notices: NoticeSettings
    offers: OfferSettings = field(default_factory=lambda: OfferSettings())
    model: LanguageModelSettings = field(default_factory=lambda: LanguageModelSettings())

    @classmethod
    def read(cls) -> Self:
        """Errors: `RoofError`, which names the variable."""
        return cls(
            roof=read(DeskmateSettings),
            slack=read(SlackSettings),
            bot=read(BotSettings),
            knowledge=read(KnowledgeSettings),
            directory=read(DirectorySettings),
            notices=read(NoticeSettings),
            offers=read(OfferSettings),
            model=read(LanguageModelSettings),
        )


def read(settings: type[S], **given: Any) -> S:
    """Settings of a class from the environment and `.env`, but for what is `given`. Errors: `RoofError`."""
    try:
        return settings(_env_ignore_empty=True, **given)  # an empty line of `.env` is one not filled in
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(settings.model_config.get("env_prefix", "")) + str(first["loc"][0] if first["loc"] else "").upper()
        said = first["msg"].removeprefix("Value error, ")
        raise RoofError(f"{name} isn't right: {said[:1].lower()}{said[1:]}.") from None
    except UnicodeDecodeError:
        raise RoofError("The file .env isn't text in UTF-8.") from None


def is_set(secret: SecretStr | None) -> bool:
    return secret is not None and bool(secret.get_secret_value())
