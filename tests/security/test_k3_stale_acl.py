"""K3: what is revoked, unpublished or deleted is gone from the very next question, though the index still has it."""

import pytest

from tests.security.shelf import Shelf

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CHANGED = 300


def test_nothing_that_was_taken_back_is_shown_before_or_after_the_index_hears_of_it(shelf: Shelf) -> None:
    before = {number: shelf.articles.access[number] for number in range(10, 10 * CHANGED + 1, 10)}
    assert not any(before.values())
    nobody: frozenset[str] = frozenset()
    gone = list(before)[: CHANGED // 2]
    revoked = list(before)[CHANGED // 2 :]
    shelf.articles.remove(gone)
    shelf.articles.put({number: frozenset({"board"}) for number in revoked})
    stale = sum(shown_to(shelf, number, nobody) for number in before)
    assert stale > 0  # else the index was not stale, and this tests nothing
    assert shelf.library.refresh()
    assert sum(shown_to(shelf, number, nobody) for number in before) == 0
    board = frozenset({"board"})
    assert all(shelf.library.answer(f"article{number}", groups=board).citations for number in revoked[:20])
    assert f"secret{revoked[0]}x" in shelf.library.answer(f"article{revoked[0]}", groups=board).text


def shown_to(shelf: Shelf, number: int, groups: frozenset[str]) -> int:
    """How many forbidden passages the index alone would have given; none of them may be in the answer."""
    answer = shelf.library.answer(f"secret{number}x article{number}", groups=groups)
    assert f"secret{number}x" not in answer.text
    seen = [int(citation.article_id.removeprefix("article")) for citation in answer.citations]
    assert not [found for found in seen if shelf.articles.forbidden(found, groups)]
    article_of = shelf.passages()
    found = [article_of.get(passage) for passage in shelf.near()]
    return sum(each is None or shelf.articles.forbidden(each, groups) for each in found)
