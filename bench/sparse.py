"""What the search by words costs at 10,000, 100,000 and 1,000,000 passages: `python -m bench.sparse [SIZE ...]`.

The passages are those of ../shared/data/retrieval in another mixture: each takes the words of a real one, of which a
share that differs from passage to passage (10 to 90 %) is replaced by words drawn from all. Real questions are asked.
CPU time of the thread, in milliseconds, so that what else runs on the cores counts less.
"""

import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import thread_time

import numpy as np
from numpy.typing import NDArray

from bench.knowledge_base import shared_data, table
from knowledge.sparse import SparseIndex, Words

SIZES = (10_000, 100_000, 1_000_000)
QUESTIONS = 300
LIMIT = 60
SCORED = 120  # passages
PASSAGE = 130  # words
AT_A_TIME = 100_000
ARTICLE = 8  # passages of an article that changes
CHANGES = 30


def rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


class Mixture:
    def __init__(self, folder: Path, words: Words) -> None:
        real = []
        for corpus in sorted(folder.glob("*/corpus.jsonl")):
            for row in rows(corpus):
                told = row["text"].split()
                for start in range(0, max(len(told), 1), PASSAGE):
                    text = " ".join(told[start : start + PASSAGE])
                    terms = words.terms_of(title=row.get("title") or "", description=None, headings=(), text=text)
                    real.append(np.frombuffer(terms, dtype="<u4"))
        self.terms = np.concatenate(real)
        self.lengths = np.array([len(terms) for terms in real])
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.chance = np.random.default_rng(5)

    def passages(self, first: int, count: int) -> dict[int, bytes]:
        """So many new ones, with ids from `first` on."""
        chosen = self.chance.integers(0, len(self.lengths), count)
        lengths = self.lengths[chosen]
        ends = np.cumsum(lengths)
        terms = self.terms[np.repeat(self.starts[chosen] - (ends - lengths), lengths) + np.arange(ends[-1])]
        share = np.repeat(self.chance.uniform(0.1, 0.9, count), lengths)
        other = np.flatnonzero(self.chance.random(len(terms)) < share)
        terms[other] = self.chance.choice(self.terms, len(other))
        stored, bounds = terms.tobytes(), (4 * ends).tolist()
        return {first + n: stored[bounds[n] - 4 * int(lengths[n]) : bounds[n]] for n in range(count)}


def milliseconds(act: Callable[[], object]) -> float:
    started = thread_time()
    act()
    return 1000 * (thread_time() - started)


def shown(times: list[float]) -> list[str]:
    return [f"{value:.1f}" for value in np.percentile(times, [50, 95])]


def questions(folder: Path, words: Words) -> list[dict[int, float]]:
    asked = [
        words.of_question(f"{row.get('title', '')} {row['text']}")
        for queries in sorted(folder.glob("*/queries.jsonl"))
        for row in rows(queries)
        if row.get("text")
    ]
    chosen: NDArray[np.int64] = np.random.default_rng(6).choice(len(asked), QUESTIONS, replace=False)
    return [asked[number] for number in chosen]


def measured(size: int, mixture: Mixture, asked: list[dict[int, float]]) -> list[str]:
    index, built = SparseIndex(), 0.0
    for start in range(0, size, AT_A_TIME):
        new = mixture.passages(start, min(AT_A_TIME, size - start))
        before = thread_time()
        index = index.with_changes(new, ())
        built += thread_time() - before
    index.top(asked[0], LIMIT)
    top = [milliseconds(partial(index.top, question, LIMIT)) for question in asked]
    some = mixture.chance.integers(0, size, SCORED).tolist()
    scored = [milliseconds(partial(index.scores_of, question, some)) for question in asked]
    changing, changes = index, []
    for number in range(CHANGES):
        new = mixture.passages(size + ARTICLE * number, ARTICLE)
        gone = range(ARTICLE * number, ARTICLE * (number + 1))
        started = thread_time()
        changing = changing.with_changes(new, gone)
        changes.append(1000 * (thread_time() - started))
    after = [milliseconds(partial(changing.top, question, LIMIT)) for question in asked]
    return [f"{size:,}", f"{built:.1f}", *shown(top), *shown(scored), *shown(changes), *shown(after)]


def main(sizes: list[int]) -> None:
    words, folder = Words(), shared_data("retrieval")
    mixture, asked = Mixture(folder, words), questions(folder, words)
    terms = np.percentile([len(question) for question in asked], [50, 95])
    print(f"{QUESTIONS} questions of {terms[0]:.0f} terms in the middle, {terms[1]:.0f} at the 95th percentile.\n")
    head = ["passages", "built, s", f"top {LIMIT} p50", "p95", f"{SCORED} scores p50", "p95"]
    head += ["refresh p50", "p95", "top after it p50", "p95"]
    print(table(head, [measured(size, mixture, asked) for size in sizes]))


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or list(SIZES))
