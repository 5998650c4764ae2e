"""R13. Two to twenty agents claim a ticket at once: one owns it, and all the others learn who."""

import random

import pytest

from store import Database
from tests.routines.shop import Shop, all_at_once
from tickets import claiming, opening
from tickets.numbers import Kind


def trial(shop: Shop, number: int, agents: int) -> None:
    with shop.database.transaction() as session:
        opened = opening.open_ticket(
            session,
            kind=Kind.INCIDENT,
            title="The race",
            description="",
            requester="U0ALICE",
            requester_account="alice",
            conversation=None,
            actor="deskmate",
            now=shop.now(),
            key=f"race:{number}",
        ).number

    def claim(agent: str) -> tuple[str, bool]:
        with shop.database.transaction() as session:
            result = claiming.claim(session, opened, agent=agent, now=shop.now())
            return result.assignee, result.won

    results = all_at_once(*(lambda agent=f"U0AGENT{each}": claim(agent) for each in range(agents)))
    assert not [result for result in results if isinstance(result, Exception)]
    assert len({owner for owner, _ in results}) == 1
    winners = [f"U0AGENT{place}" for place, (_, won) in enumerate(results) if won]
    assert winners == [results[0][0]]


@pytest.mark.parametrize("trials", [25, pytest.param(200, marks=pytest.mark.trials)])
def test_r13_one_owner_and_everybody_knows_who(database: Database, trials: int) -> None:
    shop, chance = Shop(database), random.Random(13)
    for number in range(trials):
        trial(shop, number, chance.randint(2, 20))
