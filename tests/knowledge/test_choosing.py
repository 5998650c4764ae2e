"""Which part of the best article is shown: the one about a code that was named, or all of a short article."""

import pytest

from knowledge.choosing import from_the_start, main_headings, naming
from knowledge.composing import SCREEN, Piece

ARTICLE = [
    Piece(1, 0, 0, (), 0, "Codes: J-110, J-220 and J-330."),
    Piece(2, 1, 1, ("Trays (J-110, J-220)",), 3, "1. Open the door. J-110 goes away."),
    Piece(3, 2, 2, ("Fuser (J-330)",), 2, "1. Let it cool down."),
]


@pytest.mark.parametrize(
    ("text", "passage"),
    [("printer jammed code J-330", 3), ("j330 again", 3), ("J 110", 2), ("a jam", None), ("J-999", None)],
)
def test_a_code_that_is_named_chooses_the_passage_about_it(text: str, passage: int | None) -> None:
    assert naming(ARTICLE, text) == passage


def test_a_short_article_is_shown_whole_and_cited_by_its_procedure() -> None:
    shown = from_the_start(ARTICLE)
    assert [piece.passage for piece in shown] == [1, 2, 3]
    assert main_headings(shown) == ("Trays (J-110, J-220)",)


def test_of_a_long_article_the_first_procedure_is_shown() -> None:
    words = Piece(9, 0, 0, ("Background",), 0, "word " * SCREEN)
    after = Piece(10, 3, 3, ("More",), 0, "word " * SCREEN)
    shown = from_the_start([words, *ARTICLE[1:], after])
    assert [piece.passage for piece in shown] == [2]


def test_an_article_without_a_procedure_that_is_long_has_no_beginning_to_show() -> None:
    assert from_the_start([Piece(1, 0, 0, (), 0, "word " * SCREEN)]) == []
