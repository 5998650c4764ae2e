"""T12: a lost second factor is taken off only after a manager's approval and two proofs, by two people, and a day."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any, cast

import pytest

from bot.clicks import Click
from bot.directory.records import PersonRecord
from bot.factors.removal import factors_of
from bot.factors.second_factor import SecondFactor
from bot.routines.factor_reset import FactorReset
from bot.routines.records import RequestTask
from bot.routines.step_up import Assurance
from bot.routines.switches import switch_off
from store import Database
from tests.routines.shop import TEAM, Shop

DAY = 24.5
"""Hours."""
EVERYBODY = ("bob", "carol", "dana", "alice", "eve", "twin", "gone")
"""`dana` is the manager, `alice` asks, `eve` is no agent, `twin` shares an address with `alice`, `gone` is disabled."""
AGENTS = {f"U0{name.upper()}" for name in EVERYBODY if name != "eve"}
GOOD = {"bob", "carol"}


class Able:
    """Stands for the second factors: everybody has one."""

    def able(self, *_: Any) -> bool:
        return True


class Counter(Shop):
    """Where Alice has lost her second factor."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.news.available, self.news.agents = True, AGENTS
        self.add("eve", None)
        self.add("twin", None, emails=("twin@shop.example", "alice@shop.example"))
        self.demo.disable(self.add("gone", None))
        with database.transaction() as session:
            for account in ("alice", "dana"):
                session.add(
                    PersonRecord(
                        account=account,
                        directory_id=self.people[account],
                        name=account.title(),
                        emails=[f"{account}@shop.example"],
                        groups=[],
                        manager="dana",
                        privileged=False,
                    )
                )
        self.desk = self.course(FactorReset())

    def assurance(self) -> Assurance:
        made = super().assurance()
        return replace(made, eligibility=replace(made.eligibility, second_factor=cast(SecondFactor, Able())))

    def lost(self) -> str:
        """A request that waits for its manager."""
        with self.database.transaction() as session:
            person = session.get_one(PersonRecord, "alice")
            person.factor_seed, person.recovery_changed_at = "sealed", None
        request = self.request({"reason": "My phone is lost"}, workflow="factor_reset")
        self.desk.asking.see_to(request)
        assert self.state(request) == "asked"
        return request

    def approve(self, request: str) -> None:
        (approval,) = self.approvals(request)
        assert self.approving.decide(approval.id, team=TEAM, user="U0DANA", verdict="approved") is None
        self.desk.asking.see_to(request)

    def tick(self, request: str, who: str, number: int) -> str | None:
        click = Click(TEAM, f"U0{who.upper()}", "C0TRIAGE", "1.2", None, f"factor_reset_tick_{number}", None, "", "1.3")
        return self.desk.fulfilling.ticked(request, click.as_json())

    def wait(self, hours: float) -> None:
        self.moved += timedelta(hours=hours)
        self.desk.tick()

    def is_off(self) -> bool:
        with self.database.reading() as session:
            return not factors_of(session, "alice")


ANYBODY = (None, *EVERYBODY)
PATHS = tuple(product((False, True), ANYBODY, ANYBODY, (0, DAY), (False, True)))
"""Approved by the manager, who gave the first proof, who the second, hours waited, stopped by Alice."""


def is_whole(path: tuple[bool, str | None, str | None, float, bool]) -> bool:
    approved, first, second, hours, stopped = path
    return approved and {first, second} == GOOD and hours == DAY and not stopped


@pytest.mark.parametrize("trials", [60, pytest.param(len(PATHS), marks=pytest.mark.trials)])
def test_no_path_with_less_than_an_approval_two_people_and_a_day_takes_it_off(database: Database, trials: int) -> None:
    counter, completed = Counter(database), 0
    whole_ones = [path for path in PATHS if is_whole(path)]
    others = random.Random(12).sample([path for path in PATHS if not is_whole(path)], trials - len(whole_ones))
    for path in whole_ones + others:
        approved, first, second, hours, stopped = path
        request = counter.lost()
        if approved:
            counter.approve(request)
        for number, who in enumerate((first, second)):
            if who is not None:
                counter.tick(request, who, number)
        if stopped:
            with database.transaction() as session:
                assert counter.desk.stopped(session, request)
        counter.wait(hours)

        assert counter.is_off() == is_whole(path), path
        assert (counter.state(request) == "done") == is_whole(path)
        completed += is_whole(path)
        with database.transaction() as session:
            counter.desk.stopped(session, request)
    assert completed == len(whole_ones) == 2


def test_one_person_gives_one_proof_and_a_proof_once(database: Database) -> None:
    counter = Counter(database)
    request = counter.lost()
    assert "nothing to do" in str(counter.tick(request, "bob", 0))
    counter.approve(request)
    assert counter.tick(request, "bob", 0) is None
    assert counter.tick(request, "bob", 0) is None  # the same click again
    assert "another person" in str(counter.tick(request, "bob", 1))
    assert "already" in str(counter.tick(request, "carol", 0))
    assert "too old" in str(counter.tick(request, "carol", 7))
    counter.wait(DAY)
    assert not counter.is_off()
    assert counter.tick(request, "carol", 1) is None
    counter.wait(0)
    assert counter.is_off()


def test_it_is_not_done_while_it_is_switched_off(database: Database) -> None:
    counter = Counter(database)
    request = counter.lost()
    counter.approve(request)
    counter.tick(request, "bob", 0)
    counter.tick(request, "carol", 1)
    with database.transaction() as session:
        switch_off(session, "workflow:factor_reset", by="bob", reason="something is wrong", now=counter.now())
    counter.wait(DAY)
    assert not counter.is_off()
    assert counter.state(request) == "failed"


def test_a_proof_is_recorded_with_who_gave_it(database: Database) -> None:
    counter = Counter(database)
    request = counter.lost()
    counter.approve(request)
    counter.tick(request, "carol", 1)
    with database.reading() as session:
        task = session.get_one(RequestTask, (request, 1))
    assert (task.done_by, task.done_account) == ("U0CAROL", "carol")
