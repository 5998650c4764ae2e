"""K4: nobody can tell from any output whether an article exists that they may not see."""

from dataclasses import replace

import pytest

from tests.security.shelf import Shelf

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FEW, MANY = 25, pytest.param(100, marks=pytest.mark.trials)
ME = frozenset({"g1", "g2", "g3"})


def output(shelf: Shelf, forbidden: range) -> bytes:
    """All that questions about the forbidden articles bring, but for the time that it took."""
    told: list[object] = []
    for number in forbidden:
        for question in (f"article{number}", f"secret{number}x of the printer", "printer"):
            told.append(replace(shelf.library.answer(question, groups=ME), timings_ms={}))
        told.append(shelf.library.rank(f"secret{number}x article{number}", groups=ME, limit=20))
    return repr(told).encode()


@pytest.mark.parametrize("count", [FEW, MANY])
def test_the_output_is_the_same_byte_for_byte_with_and_without_forbidden_articles(shelf: Shelf, count: int) -> None:
    forbidden = range(6_000, 6_000 + count)
    without = output(shelf, forbidden)
    assert b"article" in without
    shelf.articles.put({number: frozenset({f"h{number % 3}"}) for number in forbidden})
    assert shelf.library.refresh()
    assert output(shelf, forbidden) == without
    shelf.articles.put({number: frozenset({"g9"}) for number in forbidden})  # a set that exists, and is not mine
    assert shelf.library.refresh()
    assert output(shelf, forbidden) == without
    hers = shelf.library.answer(f"article{forbidden[0]}", groups=frozenset({"g9"}))
    assert f"secret{forbidden[0]}x" in hers.text
