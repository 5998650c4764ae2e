"""Z1: who may do what with a request: each role, each action. A check that is taken away is missed by the matrix."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest

from bot.clicks import Click, keep_view
from bot.records import Post
from bot.routines.approving import Approving
from bot.routines.cards import APPROVAL_CARD, CARD, Actions
from bot.routines.course import Course
from bot.routines.fulfilling import Fulfilling
from bot.routines.offers import Offer
from bot.routines.people_tasks import NewHardware
from bot.routines.records import Approval, RoutineRequest, of_card
from bot.routines.task_cards import TASKS_CARD
from store import Database
from tests.routines.shop import TEAM, Shop

ROLES = {
    "alice": "who asks",
    "dana": "their manager, who approves",
    "bob": "an agent",
    "carol": "an agent who knows about articles",
    "mallory": "an employee",
    "gus": "a guest, who is in the agents' channel",
    "olaf": "whose account is disabled",
}
AGENTS = {"bob", "carol"}
ALLOWED = {
    "confirm": {"alice"},
    "cancel": {"alice"},
    "approve": {"dana"},
    "deny": {"dana"},
    "tick": AGENTS | {"gus"},
    "refuse": AGENTS | {"gus"},
}
"""The agents' channel is what makes an agent: a guest who was let in is one, but gives no proofs (T12)."""
BEFORE = {"confirm": "drafted", "cancel": "asked", "approve": "asked", "deny": "asked"}
CELLS = tuple(product(ALLOWED, ROLES))


@dataclass
class Desk:
    shop: Shop
    course: Course
    made: int = 0

    def request(self, state: str) -> str:
        """Alice's, brought to this state, with its cards out."""
        wish = {"what": "monitor", "place": "Desk 3.14", "reason": "a test"}
        request = self.shop.request(wish, workflow="hardware")
        if state != "drafted":
            assert self.course.asking.asked(request) is None
        approvals = [approval.id for approval in self.shop.approvals(request)]
        if state == "fulfilling":
            assert self.shop.approving.decide(approvals[0], team=TEAM, user="U0DANA", verdict="approved") is None
            self.course.asking.see_to(request)
        assert self.shop.state(request) == state
        refs = [(CARD, request), (TASKS_CARD, request), *((APPROVAL_CARD, str(each)) for each in approvals)]
        with self.shop.database.transaction() as session:
            for purpose, ref in refs:
                place = {"channel": "D1", "ts": f"{purpose}.{request[-6:]}", "purpose": purpose, "ref": ref}
                session.add(Post(key=f"{purpose}:{request}", **place, created_at=self.shop.now()))
        return request

    def does(self, action: str, who: str) -> bool:
        """Whether this person's click, rightly signed by Slack, changes anything."""
        before, user = BEFORE.get(action, "fulfilling"), f"U0{who.upper()}"
        request, actions = self.request(before), Actions("hardware")
        self.made += 1
        card = {"approve": APPROVAL_CARD, "deny": APPROVAL_CARD, "tick": TASKS_CARD}.get(action, CARD)
        click = Click(TEAM, user, "D1", f"{card}.{request[-6:]}", None, "", None, "", f"1.{self.made}")
        match action:
            case "deny":
                (approval, *_) = self.shop.approvals(request)
                self.course._see_to_decision(approval.id, TEAM, user, "denied", "No")
            case "tick":
                self.course.fulfilling._see_to_tick(replace(click, action=f"{actions.tick}_0").as_json())
            case "refuse":
                view = f"V{self.made}"
                with self.shop.database.transaction() as session:
                    now = self.shop.now()
                    keep_view(session, view, purpose=actions.refusal_form, ref=request, user=user, now=now)
                self.course.fulfilling.take_refusal(view, user, {"reason": "There are none"})
            case _:
                self.course._see_to_click(replace(click, action=getattr(actions, action)).as_json())
        return self.shop.state(request) != before

    def wrong(self) -> list[tuple[str, str]]:
        """The cells that are otherwise than they should be."""
        return [(action, who) for action, who in CELLS if self.does(action, who) != (who in ALLOWED[action])]


@pytest.fixture
def desk(database: Database) -> Desk:
    shop = Shop(database)
    for account in ("mallory", "gus"):
        shop.add(account, "dana")
    shop.demo.disable(shop.add("olaf", "dana"))
    shop.refused["gus"] = "Guests can't do this."
    shop.news.agents = {"U0BOB", "U0CAROL", "U0GUS"}
    shop.offers._offers += (Offer(kind="hardware", name="monitor", tasks=("Bring it",)),)
    return Desk(shop, shop.course(NewHardware()))


def test_each_role_can_do_what_it_may_and_nothing_else(desk: Desk) -> None:
    assert desk.wrong() == []
    assert len(CELLS) == len(ALLOWED) * len(ROLES) == 42


def any_card(self: Course, click: Click) -> Any:
    """Without the check whose card it is."""
    with self._office.database.reading() as session:
        ref = of_card(session, click.channel, click.message_ts, CARD)
        return session.get(RoutineRequest, ref) if ref else None


def anybody(self: Approving, approval: int, *, team: str, user: str, verdict: str, reason: str | None = None) -> Any:
    """Without the check who was asked: whoever clicks counts as the one."""
    with self.database.reading() as session:
        asked = session.get_one(Approval, approval)
    return DECIDE(self, approval, team=asked.team, user=asked.slack_user, verdict=verdict, reason=reason)


DECIDE = Approving.decide
MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "whose card it is": lambda patch: patch.setattr(Course, "own", any_card),
    "who was asked": lambda patch: patch.setattr(Approving, "decide", anybody),
    "who is an agent": lambda patch: patch.setattr(Fulfilling, "_not_theirs", lambda *_: None),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_check_that_is_taken_away_is_missed(desk: Desk, monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    MUTANTS[mutant](monkeypatch)
    assert desk.wrong()


@pytest.mark.parametrize("action", ["approve", "deny"])
def test_who_isnt_in_good_standing_any_more_decides_nothing(desk: Desk, action: str) -> None:
    """Their Slack user can still click."""
    desk.shop.refused["dana"] = "The directory has disabled your account."
    assert not desk.does(action, "dana")
