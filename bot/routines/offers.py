"""What may be asked for, and who approves it: an administrator's file, never all that the directory has."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import BotError

Kind = Literal["group", "software", "mailbox", "elevation", "hardware", "joiner", "leaver", "code"]
STANDS_FOR: dict[Kind, str] = {
    "group": "team",
    "software": "the program",
    "mailbox": "the sales mailbox",
    "elevation": "the admin role",
    "hardware": "a monitor",
    "joiner": "office",
    "leaver": "office",
    "code": "guest Wi-Fi",
}
"""In examples of what people write, for the name of anything of this kind."""


BY_PEOPLE: tuple[Kind, ...] = ("hardware", "joiner", "leaver")


class OffersUnreadable(BotError):
    """The file of offers isn't there or isn't right; says which and why."""


class OfferSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DESKMATE_", env_file=".env", extra="ignore", frozen=True)

    offers: Path | None = None
    """A JSON list of what may be asked for; without one, nothing may."""


class Offer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    name: Annotated[str, Field(min_length=1, max_length=75)]
    """As people call it."""
    group: str = ""
    """The directory's group that gives it."""
    tasks: Annotated[tuple[Annotated[str, Field(min_length=3, max_length=300)], ...], Field(max_length=20)] = ()
    """What people do for it, each ticked off by an agent; of what no group gives."""
    approvers: tuple[str, ...] = ("manager",)
    """One stage after the other: `manager`, `owner` (of the group), or accounts with commas between, any of them."""
    longest_days: Annotated[int, Field(ge=1)] | None = None
    """After so many days it ends by itself; without it, it needn't end."""
    longest_hours: Annotated[int, Field(ge=1)] | None = None
    """Of an `elevation`, which always ends; without it, after a day."""
    a_day: Annotated[int, Field(ge=1)] = 5
    """How many codes somebody gets within a day."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind in BY_PEOPLE and not self.tasks:
            raise ValueError(f"{self.name} needs `tasks`, which people do")
        if self.kind not in (*BY_PEOPLE, "code") and not self.group:
            raise ValueError(f"{self.name} needs the `group` that gives it")
        return self


class Offers:
    def __init__(self, offers: Sequence[Offer] = ()) -> None:
        self._offers = tuple(offers)

    @classmethod
    def read(cls, path: Path) -> "Offers":
        """Errors: `OffersUnreadable`."""
        try:
            return cls(TypeAdapter(list[Offer]).validate_json(path.read_bytes()))
        except OSError as error:
            raise OffersUnreadable(f"{path} can't be read: {error.strerror}.") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise OffersUnreadable(f"{path} isn't a list of offers: {where}: {first['msg']}.") from error

    def names(self, kind: Kind) -> tuple[str, ...]:
        return tuple(offer.name for offer in self._offers if offer.kind == kind)

    def find(self, kind: Kind, name: str) -> Offer | None:
        wanted = name.casefold()
        return next((offer for offer in self._offers if offer.kind == kind and offer.name.casefold() == wanted), None)
