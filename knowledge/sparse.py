"""Search by words: BM25 over the fields of a passage, one index per access set.

Each access set has its own document frequencies and lengths, counted exactly over the passages that are there now: a
score tells neither what somebody may not see nor what was there before. The arithmetic is Lucene's BM25 (Kamphuis et
al. 2020, "Which BM25 do you mean?").
"""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log1p
from threading import Lock

import numpy as np
import Stemmer  # type: ignore[import-not-found]  # a C extension without stubs
from numpy.typing import NDArray

from knowledge.pruning import Asked, best_rows, exact_scores
from knowledge.segments import Ids, Segment, merged, segment_of

TITLE_WEIGHT = 4
DESCRIPTION_WEIGHT = 2
MOST_REMEMBERED_WORDS = 200_000

MERGED_TOGETHER = 2_048  # passages; segments smaller than that aren't kept apart
TIMES_LARGER = 8  # than all that come after it a segment must be, or they are merged
MOST_DEAD = 0.25  # of a segment's rows

WORD = re.compile(r"\w+")
STOPWORDS = frozenset(
    """
    a an and are as at be been but by can could did do does for from had has have he her his how i if in into is it
    its me my of on or our she should so than that the their them then there these they this to was we were what
    when where which who why will with would you your
    """.split()  # noqa: SIM905 (a list of eighty quoted words is harder to read)
)
# Said in questions; a passage keeps its pieces ("doesn", "t"), which a question must not meet: "T" is a drive.
CONTRACTED = re.compile(
    r"\b\w+n['\u2019]t\b|['\u2019](?:s|m|re|ve|ll|d)\b"
    r"|\b(?:dont|doesnt|didnt|cant|wont|isnt|arent|wasnt|couldnt|havent|hasnt|im|ive|whats|thats|pls|plz)\b",
    re.IGNORECASE,
)


class Words:
    """Words to the numbers that stand for their stems. Safe to share between threads."""

    def __init__(self) -> None:
        self._stemmer = Stemmer.Stemmer("english")
        self._lock = Lock()  # a stemmer has one buffer
        self._known: dict[str, int] = {}

    def numbers(self, text: str) -> list[int]:
        known = self._known
        result = []
        for word in WORD.findall(text.lower()):
            if word in STOPWORDS:
                continue
            number = known.get(word)
            result.append(self._learn(word) if number is None else number)
        return result

    def _learn(self, word: str) -> int:
        with self._lock:
            stem = self._stemmer.stemWord(word)
            # 32 bits: of 100,000 stems, one pair collides now and then, which changes no ranking worth the name.
            number = int.from_bytes(hashlib.blake2b(stem.encode(), digest_size=4).digest(), "little")
            if len(self._known) < MOST_REMEMBERED_WORDS:
                self._known[word] = number
        return number

    def terms_of(self, *, title: str, description: str | None, headings: Sequence[str], text: str) -> bytes:
        """A passage's terms with its fields' weights, as stored (little-endian uint32)."""
        numbers = self.numbers(title) * TITLE_WEIGHT + self.numbers(description or "") * DESCRIPTION_WEIGHT
        numbers += self.numbers(" ".join(headings)) + self.numbers(text)
        return np.array(numbers, dtype="<u4").tobytes()

    def of_question(self, question: str, earlier: str = "", earlier_weight: float = 0.0) -> dict[int, float]:
        """Each term's weight: how often it occurs, an earlier turn counting less."""
        weights: Counter[int] = Counter(self.numbers(CONTRACTED.sub(" ", question)))
        result: dict[int, float] = dict(weights)
        if earlier:
            for number, count in Counter(self.numbers(CONTRACTED.sub(" ", earlier))).items():
                result[number] = result.get(number, 0.0) + earlier_weight * count
        return result


@dataclass(frozen=True, eq=False)
class _Known:
    """The question's terms that passages have, by ascending number, and each one's idf."""

    numbers: NDArray[np.uint32]
    weights: NDArray[np.float64]  # how often it is asked x idf, over the sum of that
    idf: tuple[float, ...]


class SparseIndex:
    """Immutable, so it is shared between threads and swapped as a whole: a change makes another index, which shares
    with this one what stayed the same. Which changes led to it can't be told from any result, to the last bit."""

    def __init__(self, terms: Mapping[int, bytes] | None = None) -> None:
        """`terms` by passage id, as `Words.terms_of` makes them."""
        self._segments: tuple[Segment, ...] = ()
        self._counts: dict[int, int] = {}  # of the terms asked so far that some passage has
        self._last_known: tuple[Mapping[int, float], _Known] | None = None
        if terms:
            self._segments = self.with_changes(terms, ())._segments

    def __len__(self) -> int:
        return self._size

    @cached_property
    def _size(self) -> int:
        return sum(segment.living for segment in self._segments)

    @cached_property
    def _mean(self) -> float:
        tokens = sum(segment.tokens for segment in self._segments)
        return max(tokens / self._size, 1.0) if self._size else 1.0

    @cached_property
    def ids(self) -> Ids:
        """All passages, ascending. The first use costs the size of the index."""
        return np.sort(np.concatenate([np.zeros(0, np.int64), *(part.ids[part.alive] for part in self._segments)]))

    def with_changes(self, added: Mapping[int, bytes], removed: Collection[int]) -> "SparseIndex":
        """The index with the passages of `added`, by id, in place of any it had of these ids, and without those of
        `removed`, known or not. It costs what changed, but now and then the merging of segments."""
        gone = np.array([*removed, *added], dtype=np.int64)
        segments = []
        for segment in self._segments:
            rows = segment.rows_of(gone)
            dead = np.unique(rows[rows >= 0]).astype(np.uint32)
            segments.append(segment.without(dead) if len(dead) else segment)
        tokens = sum(segment.tokens for segment in segments) + sum(map(len, added.values())) // 4
        size = sum(segment.living for segment in segments) + len(added)
        mean = max(tokens / size, 1.0) if size else 1.0
        if added:
            segments.append(segment_of(added, mean))
        result = SparseIndex()
        result._segments = _in_good_shape(segments, mean)
        return result

    def top(self, question: Mapping[int, float], limit: int, *, at_least: float = 0.0) -> list[tuple[int, float]]:
        """Up to `limit` passages with their scores, best first, then by id. A score is BM25 divided by the sum of the
        idf of the question's known terms: 0..1, and so comparable between access sets; those of 0, and those below
        `at_least`, are left out."""
        known = self._known(question)
        ids, scores, threshold = np.zeros(0, np.int64), np.zeros(0), at_least
        for segment in self._segments:
            asked = _asked(segment, known)
            if limit <= 0 or not len(asked.places):
                continue
            rows, found = best_rows(segment, asked, self._mean, limit, threshold)
            ids, scores = np.concatenate([ids, segment.ids[rows]]), np.concatenate([scores, found])
            best = np.lexsort((ids, -scores))[:limit]
            best = best[scores[best] >= at_least]
            ids, scores = ids[best], scores[best]
            threshold = float(scores[-1]) if len(scores) == limit else at_least
        return list(zip(ids.tolist(), scores.tolist(), strict=True))

    def scores_of(self, question: Mapping[int, float], passages: Sequence[int]) -> list[float]:
        """The score of each of these passages; 0 for one that isn't there."""
        known = self._known(question)
        wanted = np.array(passages, dtype=np.int64)
        result = np.zeros(len(wanted))
        for segment in self._segments:
            rows = segment.rows_of(wanted)
            here = np.flatnonzero(rows >= 0)
            if len(here):
                scores = exact_scores(segment, _asked(segment, known), rows[here].astype(np.uint32), self._mean)
                result[here] = scores
        return [float(score) for score in result]

    def rarity(self, question: Mapping[int, float]) -> dict[int, float]:
        """The idf of each of the question's terms; one that no passage has gets the highest."""
        known = self._known(question)
        idf = dict(zip(known.numbers.tolist(), known.idf, strict=True))
        return {number: idf.get(number, self.unknown_idf) for number in question}

    def knows(self, number: int) -> bool:
        """Whether a passage has the term."""
        return bool(self._found_in([number])[0])

    @property
    def unknown_idf(self) -> float:
        return log1p((self._size + 0.5) / 0.5)

    def _found_in(self, numbers: Sequence[int]) -> list[int]:
        """How many passages have each term."""
        new = [number for number in numbers if number not in self._counts]
        if new:
            terms, counts = np.array(new, dtype=np.uint32), np.zeros(len(new), dtype=np.int64)
            for segment in self._segments:
                places = segment.places_of(terms)
                counts += [segment.count(place) if place >= 0 else 0 for place in places.tolist()]
            self._counts.update((number, count) for number, count in zip(new, counts.tolist(), strict=True) if count)
        return [self._counts.get(number, 0) for number in numbers]

    def _known(self, question: Mapping[int, float]) -> _Known:
        """A question is looked at three times in turn (best passages, scores, rarity); the last one is remembered."""
        last = self._last_known
        if last is None or last[0] is not question:
            last = self._last_known = (question, self._looked_up(question))
        return last[1]

    def _looked_up(self, question: Mapping[int, float]) -> _Known:
        ordered = sorted(question)
        counts = self._found_in(ordered)
        known = [
            (number, log1p((self._size - count + 0.5) / (count + 0.5)))
            for number, count in zip(ordered, counts, strict=True)
            if count
        ]
        weights = [question[number] * idf for number, idf in known]
        total = sum(weights) or 1.0
        return _Known(
            np.array([number for number, _ in known], dtype=np.uint32),
            np.array([weight / total for weight in weights], dtype=np.float64),
            tuple(idf for _, idf in known),
        )


def _asked(segment: Segment, known: _Known) -> Asked:
    places = segment.places_of(known.numbers)
    return Asked(places[places >= 0], known.weights[places >= 0])


def _in_good_shape(segments: Sequence[Segment], mean: float) -> tuple[Segment, ...]:
    """Few segments, each much larger than those after it and with few dead rows: a passage is copied about as often
    as the base has doubled. Merged are the newest."""
    kept = [
        segment if segment.living >= (1 - MOST_DEAD) * len(segment.ids) else merged([segment], mean)
        for segment in segments
        if segment.living
    ]
    kept.sort(key=lambda segment: -segment.living)
    start, size = len(kept), 0  # of those that are merged, the first; of all from here on
    for place in reversed(range(len(kept))):
        if kept[place].living <= max(TIMES_LARGER * size, MERGED_TOGETHER):
            start = place
        size += kept[place].living
    return (*kept[:start], merged(kept[start:], mean)) if start < len(kept) - 1 else tuple(kept)
