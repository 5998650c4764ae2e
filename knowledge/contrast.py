"""What tells the passages of a base apart.

All articles of one base have much in common, their product, their trade, their tone, and a model that was trained on
the whole world puts them close together for it, and every question with them. So likeness counts less in a direction
in which the passages are large anyway: cosines are taken in the metric (1 + S / LARGE)^-1, where S is the mean of x x'
over the passages x that this person may see, and nothing but its largest directions. That is whitening (Su et al. 2021,
*Whitening sentence representations*) held back, and takes off the common directions of Mu & Viswanath 2018
(*All-but-the-top*) without saying how many they are.

Products of matrices are made by `einsum`, not `@`: BLAS's threads wait for each other, and on busy cores that costs ten
times the work itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.vectors import FetchVectors, Ids, Vectors

LARGE = 0.04  # mean square of the passages along a direction that counts half
DIRECTIONS = 32  # all of them give the same ranking
SAMPLED = 1_000  # passages; more give the same ranking
DOUBTED = 30  # vectors; a base of so few is half believed
ROUNDS = 2  # more give the same ranking


@dataclass(frozen=True, eq=False)
class Contrast:
    directions: Vectors  # (n, dimension), orthonormal
    taken: Vectors  # (n,), the share that each loses, 0..1

    def towards(self, question: Vectors) -> Vectors:
        """The direction, of length 1, whose plain cosines rank nearly as `cosines` do: what an index is asked for."""
        direction = question - (self.taken * (self.directions @ question)) @ self.directions
        result: Vectors = (direction / max(float(np.linalg.norm(direction)), 1e-12)).astype(np.float32)
        return result

    def cosines(self, question: Vectors, rows: Vectors) -> Vectors:
        """Of the question with each row, -1..1; (n,) of (n, dimension). All are of length 1."""
        asked = self.directions @ question
        parts = np.einsum("ij,kj->ik", rows, self.directions)
        near = np.einsum("ij,j->i", rows, question) - np.einsum("ik,k->i", parts, self.taken * asked)
        lengths = (1 - np.einsum("ik,k->i", parts**2, self.taken)) * (1 - asked**2 @ self.taken)
        result: Vectors = near / np.sqrt(np.maximum(lengths, 1e-12))
        return result


def contrast_among(rows: Vectors) -> Contrast:
    """By vectors (n, dimension) of length 1; none leave the cosine as it is.

    Block power iteration (Halko, Martinsson & Tropp 2011, *Finding structure with randomness*, 4.5).
    """
    dimension = rows.shape[1]
    columns = np.ascontiguousarray(rows.T)
    found = np.random.default_rng(0).standard_normal((min(DIRECTIONS, dimension), dimension)).astype(np.float32)
    for _ in range(ROUNDS):
        parts = np.einsum("ij,kj->ki", rows, found)
        orthonormal = np.linalg.qr(np.einsum("ij,kj->ik", columns, parts))[0]
        found = np.ascontiguousarray(orthonormal.T)
    parts = np.einsum("ij,kj->ki", rows, found)
    size, turn = np.linalg.eigh(np.einsum("ij,kj->ik", parts, parts) / (len(rows) + DOUBTED))
    size = np.maximum(size, 0)
    return Contrast(np.einsum("ik,ij->kj", turn, found), (size / (size + LARGE)).astype(np.float32))


def contrast_of(passages: Sequence[Ids], fetch: FetchVectors, dimension: int) -> Contrast:
    """By a sample of the passages, which depends on nothing but these."""
    found = fetch(sample(passages).tolist())
    return contrast_among(np.concatenate([np.zeros((0, dimension), np.float32), *found.values()]))


def sample(passages: Sequence[Ids]) -> NDArray[np.int64]:
    """Up to `SAMPLED` of them, ascending: by their places, as what an id is tells how many others were added."""
    ids = np.sort(np.concatenate([np.zeros(0, np.int64), *passages]))
    return ids if len(ids) <= SAMPLED else ids[np.linspace(0, len(ids) - 1, SAMPLED).astype(np.int64)]
