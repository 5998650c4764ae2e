"""The best rows of a segment without scoring every row: MaxScore (Turtle and Flood 1995), a term at a time.

Terms are added up rarest first, in upper bounds. Once what the others can still add doesn't lift a row that has none
of the rare terms above the `limit`-th best, only the rows that can still get there are looked up in the other lists.
Their scores are then computed anew, so that the result doesn't depend on the bounds, nor on how passages are
distributed over segments: for each row the same operations on the same numbers in the same order.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.segments import STEPS, Rows, Segment, saturation

TINY = float(np.finfo(np.float32).tiny)
SLACK = 1e-4  # relative; more than what 32-bit sums of some hundred terms lose
LIST_START = 2_000  # reading a list at all costs as much as so many postings
FIRST_LOOK = 4_000  # postings
LOOKUP = 16  # finding a row in a list costs as much as so many postings
FAR = 1.3  # times the threshold: while other terms can add that much, it isn't worth raising


@dataclass(frozen=True, eq=False)
class Asked:
    """The question's terms in one segment, by ascending number; `weights` add up to 1 over all terms known."""

    places: NDArray[np.int64]
    weights: NDArray[np.float64]


def exact_scores(segment: Segment, asked: Asked, rows: Rows, mean: float) -> NDArray[np.float64]:
    """The same for a row whatever other rows are asked for with it: sums of numpy aren't, so terms are added here."""
    frequencies = np.zeros((len(asked.places), len(rows)))
    for term, place in enumerate(asked.places.tolist()):
        frequencies[term] = segment.frequency(place, rows)
    result = np.zeros(len(rows))
    for contribution in saturation(frequencies, segment.lengths[rows], mean) * asked.weights[:, None]:
        result += contribution
    return result


def best_rows(
    segment: Segment, asked: Asked, mean: float, limit: int, threshold: float
) -> tuple[Rows, NDArray[np.float64]]:
    """Rows and their scores, at least the `limit` best with a score of `threshold` or more and above 0, ties of the
    last included; unordered, and with some more now and then."""
    rows = _Search(segment, asked, mean, limit, threshold).candidates()
    scores = exact_scores(segment, asked, rows, mean)
    return rows[scores > 0], scores[scores > 0]


class _Search:
    def __init__(self, segment: Segment, asked: Asked, mean: float, limit: int, threshold: float) -> None:
        self.segment, self.asked, self.mean, self.limit = segment, asked, mean, limit
        self.threshold = threshold
        # Saturation changes with the mean length by less than the mean does.
        self.most = max(1.0, mean / segment.mean) * (1 + SLACK)
        self.least = min(1.0, mean / segment.mean) * (1 - SLACK)
        lengths = segment.starts[asked.places + 1] - segment.starts[asked.places]
        bounds = asked.weights * segment.highest[asked.places] / STEPS
        order = np.argsort(-bounds / (lengths + LIST_START), kind="stable")
        self.places: list[int] = asked.places[order].tolist()
        self.weights: list[float] = (asked.weights[order] / STEPS).tolist()
        self.left: list[int] = np.append(
            np.cumsum(lengths[order][::-1])[::-1], 0
        ).tolist()  # postings from this term on
        self.rest: list[float] = np.append(
            np.cumsum(bounds[order][::-1])[::-1], 0.0
        ).tolist()  # what they can add, in bounds
        self.sums = np.zeros(len(segment.ids), dtype=np.float32)
        self.done = 0  # terms added up
        self.enough = TINY  # at least `limit` sums are as high

    def candidates(self) -> Rows:
        look_at = FIRST_LOOK + len(self.sums) // 32
        while self.done < len(self.places):
            self._add()
            read = self.left[0] - self.left[self.done]
            if read >= look_at:
                if self.rest[self.done] <= FAR * self.threshold or not self.threshold:
                    self._raise_threshold()
                if self._few_are_left(read):
                    break
                look_at = read + max(len(self.sums) // 16, read // (8 if self._bar() > 0 else 2))
        rows = self._living(np.flatnonzero(self.sums >= max(self._bar(), TINY)))
        return self._narrowed(rows.astype(np.uint32))

    def _add(self) -> None:
        place, weight = self.places[self.done], self.weights[self.done]
        postings = self.segment.postings(place)
        rows = self.segment.rows[postings].astype(np.intp)  # twice as quick as with 32 bits
        np.add.at(self.sums, rows, self.segment.impacts[postings] * np.float32(weight))
        self.done += 1

    def _living(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows if self.segment.living == len(self.segment.ids) else rows[self.segment.alive[rows]]

    def _bar(self) -> float:
        """The least sum of a row that can still reach the threshold."""
        return self.threshold / self.most * (1 - SLACK) - self.rest[self.done]

    def _raise_threshold(self) -> None:
        """To what the rows that are best so far are sure to reach."""
        rows = self._living(np.flatnonzero(self.sums >= self.enough))
        if len(rows) < self.limit:
            return
        self.enough = float(np.partition(self.sums[rows], -self.limit)[-self.limit])
        rounded_up = sum(self.weights[: self.done])
        self.threshold = max(self.threshold, self.least * (self.enough * (1 - SLACK) - rounded_up))

    def _few_are_left(self, read: int) -> bool:
        """Whether looking the rows up that are left costs less than reading on till the next look."""
        bar = self._bar()
        if bar <= 0:
            return False
        lookups = np.count_nonzero(self.sums >= bar) * (len(self.places) - self.done) / 3
        return bool(lookups * LOOKUP < min(read / 4, self.left[self.done]))

    def _narrowed(self, rows: Rows) -> Rows:
        """Less those that turn out not to reach the threshold when more terms are looked up."""
        sums = self.sums[rows]
        while len(rows) > 2 * self.limit and self.done < len(self.places):
            sums += self.segment.impact(self.places[self.done], rows) * np.float32(self.weights[self.done])
            self.done += 1
            kept = sums >= self._bar()
            rows, sums = rows[kept], sums[kept]
        if len(rows) > 2 * self.limit:  # all terms are added up
            few = rows[np.argpartition(sums, -self.limit)[-self.limit :]]
            few.sort()
            sure = exact_scores(self.segment, self.asked, few, self.mean).min()
            self.threshold = max(self.threshold, float(sure))
            rows = rows[sums >= self._bar()]
        return rows
