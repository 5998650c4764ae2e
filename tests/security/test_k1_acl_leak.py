"""K1: what somebody may not see reaches no stage of their answer, on any vector index.

By default 300 questions an index, which bounds the rate of leaks at 1 % with 95 % confidence; `make trials` asks
10,000, which bounds it at 0.03 %.
"""

import random

import pytest

from tests.security.shelf import GROUPS, Shelf

PEOPLE = 200
FEW, MANY = 300, pytest.param(10_000, marks=pytest.mark.trials)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]


@pytest.mark.parametrize("questions", [FEW, MANY])
def test_questions_bring_nothing_forbidden(shelf: Shelf, caplog: pytest.LogCaptureFixture, questions: int) -> None:
    caplog.set_level("DEBUG")
    chance = random.Random(11)
    people = [frozenset(f"g{chance.randrange(GROUPS)}" for _ in range(chance.randint(0, 4))) for _ in range(PEOPLE)]
    numbers = sorted(shelf.articles.access)
    article_of = shelf.passages()
    found = answered = restricted = 0
    for asked in range(questions):
        groups = people[asked % PEOPLE]
        about = chance.choice(numbers)
        answer = shelf.library.answer(f"secret{about}x article{about} printer", groups=groups)
        near = [article_of[passage] for passage in shelf.near()]
        cited = [int(citation.article_id.removeprefix("article")) for citation in answer.citations]
        found += len(near)
        answered += bool(cited)
        restricted += sum(bool(shelf.articles.access[number]) for number in cited)
        assert not [number for number in near + cited if shelf.articles.forbidden(number, groups)]
        if shelf.articles.forbidden(about, groups):
            assert f"secret{about}x" not in answer.text
        if asked % 20 == 0:
            ranked = [
                int(hit.article_id.removeprefix("article")) for hit in shelf.library.rank("printer", groups=groups)
            ]
            assert not [number for number in ranked if shelf.articles.forbidden(number, groups)]
    assert answered == questions
    assert restricted > questions / 10
    assert found > 10 * questions
    assert "secret" not in caplog.text
