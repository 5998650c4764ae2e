"""Joining and leaving a group or a distribution list that is on offer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, Field

from bot.directory.directory import Ability, Group
from bot.routines.approval_rules import stages
from bot.routines.forms import Offered
from bot.routines.offers import Offer, Offers
from bot.routines.routine import CannotBeDone, Errand, Risk, Routine, Stage


def offered(offers: Offers, name: str) -> Offer:
    """Errors: `CannotBeDone`."""
    found = offers.find("group", name)
    if found is None:
        raise CannotBeDone(f"The group {name} isn't on offer.")
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


class Joining(BaseModel):
    group: Annotated[str, Offered("group")] = Field(title="Group")
    until: date | None = Field(None, title="Until", description="The last day; empty if it needn't end.")
    reason: str = Field(title="What for", min_length=3, max_length=500)


class JoinGroup(Routine[Joining]):
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
    risk = Risk.APPROVAL
    approver = "manager, or whoever the offer names"
    needs = frozenset({Ability.GROUPS})
    undone_by = "taken out of the group: by itself at the end, or by leaving it"
    Wish = Joining

    def asks(self, wish: Joining) -> str:
        until = f" until {wish.until:%-d %B %Y}" if wish.until else ""
        return f"Put you into the group {wish.group}{until}"

    def steps(self, wish: Joining, offers: Offers) -> Sequence[BeIn]:
        return [BeIn(offered(offers, wish.group))]

    def approval(self, wish: Joining, errand: Errand) -> Sequence[Stage]:
        offer = offered(errand.offers, wish.group)
        return stages(offer.approvers, errand, group_of(errand, offer).owners)

    def flaws(self, wish: Joining, errand: Errand) -> dict[str, str]:
        offer = errand.offers.find("group", wish.group)
        if offer is None:
            return {"group": "This group isn't on offer."}
        today = errand.now.date()
        if wish.until is not None and wish.until < today:
            return {"until": "This day is over already."}
        if offer.longest_days is not None:
            latest = today + timedelta(days=offer.longest_days)
            if wish.until is None or wish.until > latest:
                return {"until": f"This group is given for {offer.longest_days} days at most: {latest:%-d %B %Y}."}
        if BeIn(offer).is_done(errand):
            return {"group": "You are in this group already."}
        return {}

    def ends_at(self, wish: Joining) -> datetime | None:
        """At the end of the last day."""
        return datetime.combine(wish.until + timedelta(days=1), time(), UTC) if wish.until else None


class Leaving(BaseModel):
    group: Annotated[str, Offered("group")] = Field(title="Group")


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

    def asks(self, wish: Leaving) -> str:
        return f"Take you out of the group {wish.group}"

    def steps(self, wish: Leaving, offers: Offers) -> Sequence[NotBeIn]:
        return [NotBeIn(offered(offers, wish.group))]

    def flaws(self, wish: Leaving, errand: Errand) -> dict[str, str]:
        offer = errand.offers.find("group", wish.group)
        if offer is None:
            return {"group": "This group isn't on offer."}
        return {} if BeIn(offer).is_done(errand) else {"group": "You aren't in this group."}
