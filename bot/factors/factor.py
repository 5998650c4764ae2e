"""What a second factor must offer so that a one-time page can ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from bot.errors import BotError
from bot.workflows.records import FactorState


class ProofMalformed(BotError):
    """What was submitted is no attempt to prove anything, so it isn't counted as a wrong one: a code of five digits, or
    an answer that was looked at before. The text says what to do."""


@dataclass(frozen=True)
class Occasion:
    """What a proof is asked for. A proof that was given for another request or account is worth nothing."""

    request: str
    """The request's id; no two workflows have the same."""
    account: str
    directory_id: str


@dataclass(frozen=True)
class Ask:
    """What a page needs to ask for a proof: its part is `bot/once/templates/ask_<factor>.html`."""

    factor: str
    data: str = ""
    """For the page's script, as JSON."""


class Factor(Protocol):
    """One kind of proof. Counting wrong ones, and locking, is `SecondFactor`'s.

    `check` runs in a transaction, so a factor that has to ask somebody else (an identity provider) does that before,
    on a page of its own, keeps what came of it with the request, and looks it up in `check`.
    """

    @property
    def name(self) -> str:
        """In the audit trail, and of its part of the page: `code`."""

    @property
    def refusal(self) -> str:
        """What is said of a wrong proof."""

    @property
    def used(self) -> str:
        """What is said when a right proof was used up by another submission at the same moment."""

    def able(self, session: Session, account: str, directory_id: str) -> bool:
        """Whether this account can prove itself by this factor now."""

    def ask(self, session: Session, occasion: Occasion) -> Ask:
        """What the page shows to an account that is `able`. Changes nothing: pages are looked at by scanners, too."""

    def proof(self, fields: Mapping[str, str]) -> str | None:
        """The proof in a submitted form; None if it has none of this factor. Errors: `ProofMalformed`."""

    def check(self, session: Session, state: FactorState, occasion: Occasion, proof: str) -> int | None:
        """Whether the proof is right, and good for this occasion: what `use` knows it by, or None.

        `state` is the account's, locked until the transaction ends. Errors: `ProofMalformed`.
        """

    def use(self, state: FactorState, mark: int) -> bool:
        """Use up what was checked, in the commit of what it is for; False if it was used since."""

    def give_back(self, state: FactorState, mark: int) -> None:
        """Make good again what was used for nothing, if it can be given a second time."""
