"""What the bot needs to know from its environment."""

from pydantic import HttpUrl, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class SlackSettings(BaseSettings):
    """How Slack is reached; without a bot token, `deskmate up` uses the local workspace."""

    model_config = SettingsConfigDict(env_prefix="SLACK_", env_file=".env", extra="ignore", frozen=True)

    bot_token: SecretStr | None = None
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    api_url: HttpUrl = HttpUrl("https://slack.com/api/")


class BotSettings(BaseSettings):
    """How the desk behaves."""

    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    triage_channel: str | None = None
    """Id or `#name` of the channel whose members are the agents."""
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:3000/")
    """Where employees reach the one-time pages."""
