"""K2: whatever isn't plainly allowed is refused: access that is missing, empty, or of another shape."""

import pytest
from sqlalchemy import update

from knowledge.records import ArticleVersion
from tests.security.shelf import Shelf, vector_of

pytestmark = pytest.mark.slow
MALFORMED = [
    None,
    "g1",
    "",
    {},
    {"g1": True},
    [""],
    ["g1", ""],
    [None],
    [1],
    [["g1"]],
    [{"$ne": "g2"}],
    0,
    False,
    [" "],
]
TRICKS = ["*", "%", "g%", "g1' OR '1'='1", '{"$ne": ""}', "None", "null", "everybody", "", " ", "g1,g2"]


def numbers(shelf: Shelf, groups: frozenset[str]) -> list[int]:
    return [int(hit.article_id.removeprefix("article")) for hit in shelf.library.rank("printer", groups=groups)]


def test_access_of_a_wrong_shape_is_for_nobody_before_and_after_the_index_knows(shelf: Shelf) -> None:
    everything = frozenset({"g1", "g2", "", " ", "None"})
    assert numbers(shelf, everything)
    for wrong in MALFORMED:
        with shelf.articles.database.transaction() as session:
            session.execute(update(ArticleVersion).values(access=wrong))
        assert numbers(shelf, everything) == []
        assert shelf.library.answer("article10 printer", groups=everything).text == ""
    shelf.library.close()
    shelf.library.refresh()
    assert numbers(shelf, everything) == []


@pytest.mark.parametrize("trick", TRICKS)
def test_a_group_that_is_none_opens_only_what_everybody_may_see(shelf: Shelf, trick: str) -> None:
    seen = numbers(shelf, frozenset({trick}))
    assert seen == numbers(shelf, frozenset())
    assert seen
    assert not [number for number in seen if shelf.articles.forbidden(number, frozenset())]


def test_a_key_that_no_access_set_has_finds_nothing(shelf: Shelf) -> None:
    for trick in TRICKS[:7]:
        try:
            found = shelf.watched.search(vector_of(1), [trick], 10)
        except ValueError:  # refused
            found = []
        assert found == []
