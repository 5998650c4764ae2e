"""An administrator's feed of people and of whom their Slack accounts belong to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot.errors import BotError


class FeedInvalid(BotError):
    """The feed can't be read; the text names the entry and the field."""


class PersonFeed(BaseModel):
    """One entry. Fields that aren't listed here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    account: str
    name: str
    emails: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    manager: str | None = None
    privileged: bool = False
    team_id: str | None = None
    slack_user_id: str | None = None
    bound_at: datetime | None = None
    totp_secret: str | None = None
    password: str | None = None


@dataclass(frozen=True)
class ImportReport:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    """Account and what was wrong with it; the others are in."""


def load_feed(path: Path) -> list[PersonFeed]:
    """The entries of a JSON file. Errors: `FeedInvalid`."""
    raise NotImplementedError


def unique(people: Sequence[PersonFeed]) -> None:
    """Errors: `FeedInvalid` when two entries claim one account or one Slack user."""
    raise NotImplementedError
