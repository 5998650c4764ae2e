"""What the roof needs to know: where things are kept, and what isn't there yet."""

import secrets
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DeskmateSettings(BaseSettings):
    """Read from `DESKMATE_*` and `.env`."""

    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Path(".deskmate")
    database_url: SecretStr | None = None
    executor_id: str = "local"
    """One per replica, the same after a restart: a process picks up what its predecessor of the same id left."""
    secret_key: SecretStr | None = None
    llm: str = ""

    def database(self) -> str:
        if self.database_url is not None and self.database_url.get_secret_value():
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home.absolute() / 'deskmate.sqlite'}"

    def prepare_home(self) -> Path:
        """The home folder, made on first use, closed to other users."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.home

    def secret(self) -> str:
        """The key that encrypts second-factor seeds and signs one-time links; made on first start."""
        if self.secret_key is not None and self.secret_key.get_secret_value():
            return self.secret_key.get_secret_value()
        path = self.prepare_home() / "secret.key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32), encoding="ascii")
        return path.read_text(encoding="ascii").strip()
