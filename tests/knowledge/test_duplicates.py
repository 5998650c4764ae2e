"""Near copies of one text count once."""

from dataclasses import dataclass

import numpy as np

from knowledge.duplicates import Kept, alike, collapsed, shingles

PAGE = (
    "Open the portal, choose your account and press Reset. A code arrives by mail within a minute. Enter it, "
    "choose a new password of at least fourteen characters, and sign in again on every device that you use. "
    "The old password ends at once: phones, tablets and mapped drives ask for the new one at their next use. If no "
    "code arrives, look into the folder for junk mail first, and ask the IT desk for help after a quarter of an hour."
)
EDITED = PAGE.replace("within a minute", "within one minute")
OTHER = "The printer on the second floor is out of toner; the cartridge lies in the cupboard beside it."


@dataclass(frozen=True)
class Found:
    article: str
    text: str
    year: int = 2024


def kept(*hits: Found, vectors: np.ndarray | None = None) -> list[Kept[Found]]:
    return collapsed(
        hits,
        text=lambda hit: hit.text,
        article=lambda hit: hit.article,
        vectors=vectors,
        newer=lambda one, other: one.year > other.year,
    )


def test_a_near_copy_of_another_article_counts_once_and_is_remembered() -> None:
    first, copy, other = Found("a", PAGE), Found("b", EDITED), Found("c", OTHER)
    assert kept(first, copy, other) == [Kept(first, (copy,)), Kept(other)]


def test_the_newest_of_the_copies_is_kept_in_the_place_of_the_best() -> None:
    old, new, other = Found("a", PAGE, 2019), Found("b", EDITED, 2024), Found("c", OTHER)
    assert kept(old, new, other) == [Kept(new, (old,)), Kept(other)]


def test_passages_of_one_article_stay() -> None:
    hits = [Found("a", PAGE), Found("a", PAGE)]
    assert [each.hit for each in kept(*hits)] == hits


def test_texts_on_the_same_matter_in_other_words_stay() -> None:
    other_words = "To get a new password, go to the portal and reset it with the code from the mail that you receive."
    assert len(kept(Found("a", PAGE), Found("b", other_words))) == 2


def test_texts_that_are_far_apart_in_meaning_are_not_compared_by_their_words() -> None:
    hits = [Found("a", PAGE), Found("b", EDITED)]
    near = np.array([[1, 0], [1, 0]], dtype=np.float32)
    far = np.array([[1, 0], [0, 1]], dtype=np.float32)
    assert len(kept(*hits, vectors=near)) == 1
    assert len(kept(*hits, vectors=far)) == 2


def test_short_and_empty_texts_are_compared_as_a_whole() -> None:
    assert alike(shingles("Yes"), shingles("yes!")) == 1
    assert alike(shingles("Yes"), shingles("No")) == 0
    assert kept() == []
    assert kept(vectors=np.zeros((0, 2), dtype=np.float32)) == []
