"""An administrator's feed of people, and of whose Slack accounts are theirs."""

import base64
import binascii
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.errors import BotError


class FeedInvalid(BotError):
    """The feed can't be read; the text names the entry and the field."""


class PersonFeed(BaseModel):
    """One entry. Fields that aren't listed here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    account: str = Field(min_length=1, max_length=128)
    name: str = Field(min_length=1, max_length=256)
    emails: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    manager: str | None = None
    privileged: bool = False
    team_id: str | None = None
    slack_user_id: str | None = None
    bound_at: datetime | None = None
    totp_secret: str | None = None
    password: str | None = None

    @field_validator("account", "manager")
    @classmethod
    def _account(cls, value: str | None) -> str | None:
        return value.strip().casefold() if value else None

    @field_validator("emails")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            local, _, domain = address.partition("@")
            if not local or not domain or any(character.isspace() or character in "<>," for character in address):
                raise ValueError("one of them isn't a mail address")
        return value

    @field_validator("bound_at")
    @classmethod
    def _zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value

    @field_validator("totp_secret")
    @classmethod
    def _base32(cls, value: str | None) -> str | None:
        if not value:
            return None
        seed = value.replace(" ", "").upper().rstrip("=")
        try:
            base64.b32decode(seed + "=" * (-len(seed) % 8))
        except binascii.Error:
            raise ValueError("isn't Base32") from None
        return seed


@dataclass(frozen=True)
class ImportReport:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    """Account and what was wrong with it; the others are in."""


def load_feed(path: Path) -> list[PersonFeed]:
    """The entries of a JSON file; all of them are good, or `FeedInvalid` says which isn't."""
    try:
        entries = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FeedInvalid(f"{path} can't be read: {error.strerror}.") from error
    except ValueError as error:
        raise FeedInvalid(f"{path} isn't JSON: {error}.") from error
    if not isinstance(entries, list):
        raise FeedInvalid(f"{path} must be a JSON list of people.")
    people = [_person(number, entry) for number, entry in enumerate(entries, 1)]
    check_unique(people)
    return people


def check_unique(people: Sequence[PersonFeed]) -> None:
    """Errors: `FeedInvalid` when two entries claim one account or one Slack user."""
    for account, times in Counter(person.account for person in people).items():
        if times > 1:
            raise FeedInvalid(f"account: {account} stands in {times} entries.")
    users = Counter((person.team_id, person.slack_user_id) for person in people if person.slack_user_id)
    for (_, user), times in users.items():
        if times > 1:
            raise FeedInvalid(f"slack_user_id: {user} stands in {times} entries.")


def _person(number: int, entry: Any) -> PersonFeed:
    named = entry.get("account") if isinstance(entry, dict) else None
    where = f"Entry {number}" + (f" ({named})" if isinstance(named, str) and named else "")
    try:
        return PersonFeed.model_validate(entry)
    except ValidationError as error:
        first, *others = error.errors(include_url=False, include_input=False)
        field = ".".join(str(part) for part in first["loc"]) or "the entry"
        more = f" (and {len(others)} more in this entry)" if others else ""
        raise FeedInvalid(f"{where}: {field}: {first['msg'].removeprefix('Value error, ')}{more}.") from error
