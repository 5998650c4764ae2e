"""What a membership gives: a group or a distribution list, software by its licence group, a shared mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, ClassVar, TypeVar

from pydantic import BaseModel, Field

from bot.directory.directory import Ability, Group
from bot.routines.approval_rules import stages
from bot.routines.forms import Offered
from bot.routines.offers import Kind, Offer, Offers
from bot.routines.routine import CannotBeDone, Errand, Risk, Routine, Stage


def offered(offers: Offers, kind: Kind, name: str) -> Offer:
    """Errors: `CannotBeDone`."""
    found = offers.find(kind, name)
    if found is None:
        raise CannotBeDone(f"{name} isn't on offer.")
    return found


def group_of(errand: Errand, offer: Offer) -> Group:
    """The directory's group; one that gives special rights is nobody's to ask for. Errors: `CannotBeDone`."""
    group = errand.directory.group(offer.group)
    if group is None:
        raise CannotBeDone(f"The directory has no group {offer.group}.")
    if group.privileged:
        raise CannotBeDone(f"The group {offer.group} gives special rights, which only people give.")
    return group


@dataclass(frozen=True)
class BeIn:
    """Satisfies `Step`: the account is in the group."""

    offer: Offer
    needs = frozenset({Ability.GROUPS})

    @property
    def name(self) -> str:
        return f"put you into the group {self.offer.group}"

    @property
    def undoing(self) -> str:
        return f"take you out of the group {self.offer.group}"

    def check(self, errand: Errand) -> None:
        group_of(errand, self.offer)

    def do(self, errand: Errand) -> None:
        errand.directory.add_member(errand.subject.directory_id, group_of(errand, self.offer).group_id)

    def is_done(self, errand: Errand) -> bool:
        return errand.directory.is_member(errand.subject.directory_id, group_of(errand, self.offer).group_id)

    def undo(self, errand: Errand) -> None:
        errand.directory.remove_member(errand.subject.directory_id, group_of(errand, self.offer).group_id)


@dataclass(frozen=True)
class NotBeIn:
    """Satisfies `Step`: the account isn't in the group."""

    offer: Offer
    needs = frozenset({Ability.GROUPS})

    @property
    def name(self) -> str:
        return BeIn(self.offer).undoing

    @property
    def undoing(self) -> str:
        return BeIn(self.offer).name

    def check(self, errand: Errand) -> None:
        BeIn(self.offer).check(errand)

    def do(self, errand: Errand) -> None:
        BeIn(self.offer).undo(errand)

    def is_done(self, errand: Errand) -> bool:
        return not BeIn(self.offer).is_done(errand)

    def undo(self, errand: Errand) -> None:
        BeIn(self.offer).do(errand)


class Wanted(BaseModel):
    """What all of these ask for; `what` is the name of an offer."""

    what: str
    until: date | None = Field(None, title="Until", description="The last day; empty if it needn't end.")
    reason: str = Field(title="What for", min_length=3, max_length=500)


W = TypeVar("W", bound=Wanted)


class Membership(Routine[W]):
    """Whatever is given by putting somebody into a group of the directory."""

    kind: ClassVar[Kind]
    gives: ClassVar[str]
    """`Put {whom} into the group {name}`."""
    risk = Risk.APPROVAL
    approver = "manager, or whoever the offer names"
    needs = frozenset({Ability.GROUPS})

    def asks(self, wish: W, whom: str = "you") -> str:
        until = f" until {wish.until:%-d %B %Y}" if wish.until else ""
        return f"{self.gives.format(name=wish.what, whom=whom)}{until}"

    def steps(self, wish: W, offers: Offers) -> Sequence[BeIn]:
        return [BeIn(offered(offers, self.kind, wish.what))]

    def approval(self, wish: W, errand: Errand) -> Sequence[Stage]:
        offer = offered(errand.offers, self.kind, wish.what)
        return stages(offer.approvers, errand, group_of(errand, offer).owners)

    def flaws(self, wish: W, errand: Errand) -> dict[str, str]:
        offer = errand.offers.find(self.kind, wish.what)
        if offer is None:
            return {"what": "This isn't on offer."}
        today = errand.now.date()
        if wish.until is not None and wish.until < today:
            return {"until": "This day is over already."}
        if offer.longest_days is not None:
            latest = today + timedelta(days=offer.longest_days)
            if wish.until is None or wish.until > latest:
                return {"until": f"It is given for {offer.longest_days} days at most: {latest:%-d %B %Y}."}
        return {"what": "You have this already."} if BeIn(offer).is_done(errand) else {}

    def ends_at(self, wish: W, since: datetime) -> datetime | None:
        """At the end of the last day."""
        return datetime.combine(wish.until + timedelta(days=1), time(), UTC) if wish.until else None


class Joining(Wanted):
    what: Annotated[str, Offered("group")] = Field(title="Group")


class JoinGroup(Membership[Joining]):
    name = "group_join"
    title = "Join a group"
    examples = (
        "add me to the team group",
        "please put me into the group team",
        "can I get access to the team group",
        "can I join the team group",
        "I need to be in the team distribution list",
        "put me on the team mailing list",
        "I need membership in the team group until Friday",
        "give me access to the group team for two weeks",
    )
    kind = "group"
    gives = "Put {whom} into the group {name}"
    undone_by = "taken out of the group: by itself at the end, or by leaving it"
    Wish = Joining


class WantedSoftware(Wanted):
    what: Annotated[str, Offered("software")] = Field(title="Software")


class SoftwareAccess(Membership[WantedSoftware]):
    name = "software_access"
    title = "Get software"
    examples = (
        "I need the program",
        "can I get the program",
        "I need a licence for the program",
        "please give me the program",
        "can you install the program on my laptop",
        "I want to use the program",
        "order the program for me",
    )
    kind = "software"
    gives = "Give {whom} {name}"
    undone_by = "the licence is taken back: by itself at the end, or by an agent"
    Wish = WantedSoftware


class WantedMailbox(Wanted):
    what: Annotated[str, Offered("mailbox")] = Field(title="Shared mailbox or folder")


class MailboxAccess(Membership[WantedMailbox]):
    name = "mailbox_access"
    title = "Open a shared mailbox or folder"
    examples = (
        "I need access to the sales mailbox",
        "please give me access to the sales mailbox",
        "let me open the shared mailbox the sales mailbox",
        "give me permission for the sales mailbox",
        "can I get into the sales mailbox",
    )
    kind = "mailbox"
    gives = "Let {whom} into {name}"
    undone_by = "the access is taken back: by itself at the end, or by an agent"
    Wish = WantedMailbox


class Leaving(BaseModel):
    what: Annotated[str, Offered("group")] = Field(title="Group")


class LeaveGroup(Routine[Leaving]):
    name = "group_leave"
    title = "Leave a group"
    examples = (
        "take me out of the team group",
        "remove me from the team distribution list",
        "I don't want to be in the team group any more",
        "unsubscribe me from the team mailing list",
        "I want to leave the team group",
    )
    risk = Risk.LOW
    needs = frozenset({Ability.GROUPS})
    undone_by = "joining it again"
    Wish = Leaving

    def asks(self, wish: Leaving, whom: str = "you") -> str:
        return f"Take {whom} out of the group {wish.what}"

    def steps(self, wish: Leaving, offers: Offers) -> Sequence[NotBeIn]:
        return [NotBeIn(offered(offers, "group", wish.what))]

    def flaws(self, wish: Leaving, errand: Errand) -> dict[str, str]:
        offer = errand.offers.find("group", wish.what)
        if offer is None:
            return {"what": "This group isn't on offer."}
        return {} if BeIn(offer).is_done(errand) else {"what": "You aren't in this group."}
