"""Immutable pieces of the search by words: the postings of some passages, sorted by term.

A segment never changes, but a new one can share its arrays and differ in which rows still live. Each posting is a
row, how often the term occurs there, and its saturation f / (f + k1 (1 - b + b length / mean)) rounded up to one of
255 steps, for the `mean` length when the segment was made: whoever knows today's mean can tell by how much it is off.

Memory: 6 bytes a posting and 13 a passage (21 where merging has left ids out of order). Measured at a million passages
of 77 different terms each: 475 bytes a passage in all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

K1 = 1.5
B = 0.75
STEPS = 255
BUILT_TOGETHER = 65_536  # passages; more than that is built in parts and merged, which needs less memory
AT_A_TIME = 4_000_000  # postings
MOST_UNSETTLED = 256  # removed rows whose terms aren't counted off yet

Ids = NDArray[np.int64]
Rows = NDArray[np.uint32]
Counts = NDArray[np.int64]
Frequencies = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Segment:
    """n passages, v terms, p postings; those of term number i are `starts[i]:starts[i + 1]`, rows ascending."""

    ids: Ids  # (n,), in the order of rows
    by_id: Counts | None  # (n,), the rows by ascending id; None when that is their order
    lengths: NDArray[np.float32]  # (n,), in terms, fields weighted
    alive: NDArray[np.bool_]  # (n,)
    living: int  # how many are alive
    tokens: int  # the length of those together
    vocabulary: NDArray[np.uint32]  # (v,), ascending
    starts: Counts  # (v + 1,)
    rows: Rows  # (p,)
    frequencies: Frequencies  # (p,)
    impacts: NDArray[np.uint8]  # (p,), saturations in steps, rounded up
    highest: NDArray[np.uint8]  # (v,), each term's highest impact
    mean: float  # the length for which `impacts` are
    found_in: Counts  # (v,), living rows with the term, but for `unsettled`
    unsettled: Rows  # ascending; dead rows that `found_in` still counts

    def rows_of(self, ids: Ids) -> Counts:
        """Of each passage its living row, or -1."""
        if not len(self.ids):
            return np.full(len(ids), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.ids, ids, sorter=self.by_id), len(self.ids) - 1)
        rows = places if self.by_id is None else self.by_id[places]
        return np.where((self.ids[rows] == ids) & self.alive[rows], rows, -1)

    def places_of(self, numbers: NDArray[np.uint32]) -> Counts:
        """Of each term its place in the vocabulary, or -1."""
        if not len(self.vocabulary):
            return np.full(len(numbers), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.vocabulary, numbers), len(self.vocabulary) - 1)
        return np.where(self.vocabulary[places] == numbers, places, -1)

    def count(self, place: int) -> int:
        """How many living passages have the term."""
        found = int(self.found_in[place])
        return found - int(np.count_nonzero(self.frequency(place, self.unsettled))) if len(self.unsettled) else found

    def postings(self, place: int) -> slice:
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def frequency(self, place: int, rows: Rows) -> Frequencies:
        """How often the term occurs in each of the rows."""
        return self._values(self.frequencies, place, rows)

    def impact(self, place: int, rows: Rows) -> NDArray[np.uint8]:
        return self._values(self.impacts, place, rows)

    def _values(self, values: NDArray[Any], place: int, rows: Rows) -> NDArray[Any]:
        postings = self.postings(place)
        having = self.rows[postings]
        places = having.searchsorted(rows)
        found: NDArray[Any] = values[postings].take(places, mode="clip") * (having.take(places, mode="clip") == rows)
        return found

    def without(self, dead: Rows) -> "Segment":
        """The same without these living rows."""
        alive = self.alive.copy()
        alive[dead] = False
        unsettled = np.union1d(self.unsettled, dead).astype(np.uint32)
        found_in = self.found_in
        if len(unsettled) > MOST_UNSETTLED:
            found_in, unsettled = found_in - self._terms_among(unsettled), np.zeros(0, dtype=np.uint32)
        return replace(
            self,
            alive=alive,
            living=self.living - len(dead),
            tokens=self.tokens - int(self.lengths[dead].sum(dtype=np.float64)),
            found_in=found_in,
            unsettled=unsettled,
        )

    def _terms_among(self, rows: Rows) -> Counts:
        """(v,): how many of these rows have each term. It reads all postings, so rows are collected for it."""
        wanted = np.zeros(len(self.ids), dtype=np.bool_)
        wanted[rows] = True
        result = np.zeros(len(self.vocabulary), dtype=np.int64)
        for part in parts(len(self.rows)):
            places = np.flatnonzero(wanted[self.rows[part]]) + part.start
            result += np.bincount(np.searchsorted(self.starts, places, side="right") - 1, minlength=len(result))
        return result


def parts(length: int) -> Iterator[slice]:
    for start in range(0, length, AT_A_TIME):
        yield slice(start, min(start + AT_A_TIME, length))


def saturation(frequencies: NDArray[np.float64], lengths: NDArray[np.float32], mean: float) -> NDArray[np.float64]:
    """Of passages in which a term occurs so often; a function of each pair alone, to the last bit."""
    relative = lengths.astype(np.float64) / mean
    result: NDArray[np.float64] = frequencies / (frequencies + K1 * (1 - B + B * relative))
    return result


def segment_of(terms: Mapping[int, bytes], mean: float) -> Segment:
    """Of passages by id, each with its terms (little-endian uint32)."""
    ids = sorted(terms)
    pieces = [
        _part({key: terms[key] for key in ids[start : start + BUILT_TOGETHER]}, mean)
        for start in range(0, len(ids), BUILT_TOGETHER)
    ]
    return pieces[0] if len(pieces) == 1 else merged(pieces, mean)


def _part(terms: Mapping[int, bytes], mean: float) -> Segment:
    lengths = np.fromiter((len(row) // 4 for row in terms.values()), dtype=np.int64, count=len(terms))
    keys = np.frombuffer(b"".join(terms.values()), dtype="<u4").astype(np.uint64) << np.uint64(32)
    keys |= np.repeat(np.arange(len(terms), dtype=np.uint64), lengths)
    keys.sort()
    first = np.flatnonzero(np.diff(keys, prepend=~keys[:1]))
    frequencies = np.diff(first, append=len(keys))
    keys = keys[first]
    numbers = (keys >> np.uint64(32)).astype(np.uint32)
    begin = np.flatnonzero(np.diff(numbers, prepend=~numbers[:1]))
    return _made(
        np.fromiter(terms, dtype=np.int64, count=len(terms)),
        lengths.astype(np.float32),
        numbers[begin],
        np.append(begin, len(numbers)).astype(np.int64),
        keys.astype(np.uint32),  # the lower half
        frequencies.astype(np.uint8) if frequencies.max(initial=0) < 256 else frequencies.astype(np.uint16),
        mean,
    )


def merged(segments: Sequence[Segment], mean: float) -> Segment:
    """The living passages of all of them as one segment, in time linear in its postings."""
    kept = [_only_living(segment) for segment in segments]
    vocabulary = np.unique(np.concatenate([piece.vocabulary for piece in kept]))
    places = [np.searchsorted(vocabulary, piece.vocabulary) for piece in kept]
    counts = np.zeros(len(vocabulary), dtype=np.int64)
    for piece, place in zip(kept, places, strict=True):
        counts[place] += np.diff(piece.starts)
    starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)])
    rows = np.empty(int(starts[-1]), dtype=np.uint32)
    widest = np.result_type(*(piece.frequencies.dtype for piece in kept))
    frequencies: NDArray[Any] = np.empty(len(rows), dtype=widest)
    free, base = starts[:-1].copy(), 0
    for piece, place in zip(kept, places, strict=True):
        own = np.diff(piece.starts)
        target = np.repeat(free[place] - piece.starts[:-1], own) + np.arange(len(piece.rows))
        rows[target] = piece.rows + np.uint32(base)
        frequencies[target] = piece.frequencies
        free[place] += own
        base += len(piece.ids)
    ids = np.concatenate([piece.ids for piece in kept])
    lengths = np.concatenate([piece.lengths for piece in kept])
    return _made(ids, lengths, vocabulary, starts, rows, frequencies, mean)


@dataclass(frozen=True, eq=False)
class _Living:
    ids: Ids
    lengths: NDArray[np.float32]
    vocabulary: NDArray[np.uint32]
    starts: Counts
    rows: Rows
    frequencies: Frequencies


def _only_living(segment: Segment) -> "Segment | _Living":
    if segment.living == len(segment.ids):
        return segment
    kept = segment.alive[segment.rows]
    before = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept, dtype=np.int64)])
    counts = np.diff(before[segment.starts])
    used = counts > 0
    new_row = np.cumsum(segment.alive, dtype=np.uint32) - np.uint32(1)
    return _Living(
        segment.ids[segment.alive],
        segment.lengths[segment.alive],
        segment.vocabulary[used],
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts[used])]),
        new_row[segment.rows[kept]],
        segment.frequencies[kept],
    )


def _made(
    ids: Ids,
    lengths: NDArray[np.float32],
    vocabulary: NDArray[np.uint32],
    starts: Counts,
    rows: Rows,
    frequencies: Frequencies,
    mean: float,
) -> Segment:
    impacts = np.empty(len(rows), dtype=np.uint8)
    longer = (K1 * (1 - B + B * lengths / mean)).astype(np.float32)
    for part in parts(len(rows)):
        often = frequencies[part].astype(np.float32)
        impacts[part] = np.ceil(STEPS * (often / (often + longer[rows[part]])))
    return Segment(
        ids=ids,
        by_id=None if np.all(ids[1:] > ids[:-1]) else np.argsort(ids),
        lengths=lengths,
        alive=np.ones(len(ids), dtype=np.bool_),
        living=len(ids),
        tokens=int(lengths.sum(dtype=np.float64)),
        vocabulary=vocabulary,
        starts=starts,
        rows=rows,
        frequencies=frequencies,
        impacts=impacts,
        highest=np.maximum.reduceat(impacts, starts[:-1]) if len(impacts) else impacts,
        mean=mean,
        found_in=np.diff(starts),
        unsettled=np.zeros(0, dtype=np.uint32),
    )
