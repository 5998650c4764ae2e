"""Near copies among what was found: the same page published twice, or carried along to a new address.

Without this an answer's three citations can be thrice the same text.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from knowledge.vectors import Vectors

SHINGLE = 3  # words that stand together
ALIKE = 0.9  # Jaccard similarity of the shingles; below it, pages written to one pattern for two products begin
CLOSE = 0.97  # cosine similarity from which two texts may be near copies; below, their words aren't compared
WORD = re.compile(r"\w+")
T = TypeVar("T")


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A hit and the hits of other articles that say the same, best first."""

    hit: T
    copies: tuple[T, ...] = ()


def collapsed(
    hits: Sequence[T],
    *,
    text: Callable[[T], str],
    article: Callable[[T], object],
    vectors: Vectors | None = None,
    newer: Callable[[T, T], bool] = lambda one, other: False,
) -> list[Kept[T]]:
    """The hits (best first) without near copies from other articles; two passages of one article always stay.

    `vectors`: their embeddings, L2-normalised, of shape (hits, dimension); with them only texts that are close in
    meaning are compared by their words, which is quicker. A copy takes the place of the hit that it copies when
    `newer(copy, hit)`. The time grows with the square of the hits: give it the few dozens that are left.
    """
    near = vectors @ vectors.T >= CLOSE if vectors is not None and len(hits) else None
    shingled = [shingles(text(hit)) for hit in hits]
    groups: list[list[int]] = []
    for number, hit in enumerate(hits):
        for group in groups:
            first = group[0]
            others = article(hits[first]) != article(hit)
            close = near is None or bool(near[first, number])
            if others and close and alike(shingled[first], shingled[number]) >= ALIKE:
                group.append(number)
                break
        else:
            groups.append([number])
    ordered = (in_order([hits[number] for number in group], newer) for group in groups)
    return [Kept(first, tuple(copies)) for first, *copies in ordered]


def in_order(group: list[T], newer: Callable[[T, T], bool]) -> list[T]:
    """The newest first, the others as they were."""
    best = group[0]
    for one in group[1:]:
        if newer(one, best):
            best = one
    return [best, *(one for one in group if one is not best)]


def shingles(text: str) -> np.ndarray:
    """The sorted numbers of all runs of `SHINGLE` words; of a shorter text, that of the whole."""
    words = WORD.findall(text.casefold())
    runs = [" ".join(words[at : at + SHINGLE]) for at in range(max(len(words) - SHINGLE + 1, 1))]
    return np.unique(np.fromiter((zlib.crc32(run.encode()) for run in runs), dtype=np.int64, count=len(runs)))


def alike(one: np.ndarray, other: np.ndarray) -> float:
    """Jaccard similarity: what both have of what either has."""
    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)
