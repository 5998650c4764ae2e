"""Search by words: BM25 over the fields of a passage, one index per access set.

Each access set has its own document frequencies, so that nobody can tell from a score what they may not see. The
arithmetic is Lucene's BM25 (Kamphuis et al. 2020, "Which BM25 do you mean?") over arrays: at 12,000 passages it
is built in 0.3 s and asked in 0.1 ms.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Lock

import numpy as np
import Stemmer  # type: ignore[import-not-found]  # a C extension without stubs
from numpy.typing import NDArray

K1 = 1.5
B = 0.75
TITLE_WEIGHT = 4
DESCRIPTION_WEIGHT = 2
MOST_REMEMBERED_WORDS = 200_000

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


class SparseIndex:
    """Immutable, so it is shared between threads and swapped as a whole."""

    def __init__(self, terms: Mapping[int, bytes]) -> None:
        """`terms` by passage id."""
        self.ids: NDArray[np.int64] = np.array(sorted(terms), dtype=np.int64)
        rows = [np.frombuffer(terms[passage], dtype="<u4") for passage in self.ids.tolist()]
        count = len(rows)
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        flat = np.concatenate(rows) if rows else np.zeros(0, dtype="<u4")
        self._vocabulary, places = np.unique(flat, return_inverse=True)
        keys, frequency = np.unique(places * max(count, 1) + np.repeat(np.arange(count), lengths), return_counts=True)
        term, self._rows = np.divmod(keys, max(count, 1))
        found_in = np.bincount(term, minlength=len(self._vocabulary))
        self._idf = np.log1p((count - found_in + 0.5) / (found_in + 0.5)).astype(np.float32)
        self.unknown_idf = float(np.log1p((count + 0.5) / 0.5))
        relative = lengths / max(float(lengths.mean()), 1.0) if count else lengths
        saturation = frequency / (frequency + K1 * (1 - B + B * relative[self._rows])) if count else frequency
        self._weights = (self._idf[term] * saturation).astype(np.float32)
        self._starts = np.searchsorted(term, np.arange(len(self._vocabulary) + 1))

    def _known(self, question: Mapping[int, float]) -> list[tuple[int, float]]:
        places = [
            (int(np.searchsorted(self._vocabulary, number)), number, weight) for number, weight in question.items()
        ]
        return [
            (place, weight)
            for place, number, weight in places
            if place < len(self._vocabulary) and self._vocabulary[place] == number
        ]

    def scores(self, question: Mapping[int, float]) -> NDArray[np.float32]:
        """BM25 of each row divided by the sum of the idf of the question's known terms: 0..1, and so comparable
        between access sets."""
        scores = np.zeros(len(self.ids), dtype=np.float32)
        total = 0.0
        for place, weight in self._known(question):
            start, end = self._starts[place], self._starts[place + 1]
            scores[self._rows[start:end]] += weight * self._weights[start:end]
            total += weight * float(self._idf[place])
        return scores / np.float32(total) if total > 0 else scores

    def best(self, scores: NDArray[np.float32], limit: int) -> list[int]:
        """Rows with a score above 0, best first."""
        rows = np.argpartition(-scores, limit)[:limit] if len(scores) > limit else np.arange(len(scores))
        rows = rows[scores[rows] > 0]
        return [int(row) for row in rows[np.lexsort((rows, -scores[rows]))]]

    def row_of(self, passage: int) -> int | None:
        row = int(np.searchsorted(self.ids, passage))
        return row if row < len(self.ids) and self.ids[row] == passage else None

    def rarity(self, question: Mapping[int, float]) -> dict[int, float]:
        """The idf of each of the question's terms; one that no passage has gets the highest."""
        known = {int(self._vocabulary[place]): float(self._idf[place]) for place, _ in self._known(question)}
        return {number: known.get(number, self.unknown_idf) for number in question}

    def knows(self, number: int) -> bool:
        place = int(np.searchsorted(self._vocabulary, number))
        return place < len(self._vocabulary) and int(self._vocabulary[place]) == number
