"""From which size on an access set belongs in an index: `python -m bench.small_sets [URL of an empty PostgreSQL]`.

Prints Markdown: one search in a set by size, by numpy and by Chroma; then 10,000 passages in one set and in twenty;
with a PostgreSQL that has pgvector, an exact scan of a set against HNSW, with the recall of the nearest ten.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from knowledge import pgvector_index
from knowledge.chroma_index import ChromaIndex
from knowledge.chroma_places import EmbeddedChroma
from knowledge.exact_index import ExactIndex
from knowledge.index_folder import IndexFolder
from knowledge.tiered_index import TieredIndex
from knowledge.vectors import Ids, Mark, VectorIndex, Vectors
from store import Database

DIMENSION = 384
CANDIDATES = 60
QUESTIONS = 200
SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 40_000)


def clustered(count: int) -> Vectors:
    """Vectors that lie together as texts do: around one in twenty directions each, unlike white noise."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((max(count // 20, 1), DIMENSION))
    rows = centres[random.integers(0, len(centres), count)] + 0.7 * random.standard_normal((count, DIMENSION))
    normal: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return normal


def embedded() -> ChromaIndex:
    folder = IndexFolder(Path(tempfile.mkdtemp()) / "index")
    return ChromaIndex(EmbeddedChroma(folder, "bench"), "bench")


def milliseconds(index: VectorIndex, sets: dict[str, Ids], rows: Vectors) -> tuple[float, float]:
    """The middle and the 95th percentile of a search in all of them."""
    index.synchronise(sets, lambda wanted: {passage: rows[passage][None, :] for passage in wanted}, Mark("bench", 1))
    taken = []
    for question in rows[:: max(len(rows) // QUESTIONS, 1)][:QUESTIONS]:
        started = time.perf_counter()
        index.search(question, list(sets), CANDIDATES)
        taken.append(1000 * (time.perf_counter() - started))
    index.close()
    return float(np.percentile(taken, 50)), float(np.percentile(taken, 95))


def shares(count: int, sets: int) -> dict[str, Ids]:
    return {f"a{number}": np.arange(number, count, sets, dtype=np.int64) for number in range(sets)}


def shown(times: tuple[float, float]) -> str:
    return f"{times[0]:.2f} / {times[1]:.2f}"


def main() -> None:
    print("| passages in a set | numpy, ms p50 / p95 | Chroma |\n| ---: | ---: | ---: |")
    for size in SIZES:
        rows = clustered(size)
        one = shares(size, 1)
        by_numpy, by_chroma = milliseconds(ExactIndex(DIMENSION), one, rows), milliseconds(embedded(), one, rows)
        print(f"| {size:,} | {shown(by_numpy)} | {shown(by_chroma)} |", flush=True)
    print("\n| 10,000 passages | 1 set, ms p50 / p95 | 20 sets |\n| --- | ---: | ---: |")
    rows = clustered(10_000)
    one, twenty = shares(10_000, 1), shares(10_000, 20)
    print(f"| Chroma alone | {shown(milliseconds(embedded(), one, rows))} ", end="", flush=True)
    print(f"| {shown(milliseconds(embedded(), twenty, rows))} |", flush=True)
    print(f"| small sets in memory | {shown(milliseconds(TieredIndex(embedded(), DIMENSION), one, rows))} ", end="")
    print(f"| {shown(milliseconds(TieredIndex(embedded(), DIMENSION), twenty, rows))} |", flush=True)


def pgvector(url: str) -> None:
    database = Database.at(url)
    print(
        "\n| rows in a set | pgvector, exact, ms p50 / p95 | HNSW | recall@10 of HNSW |\n| ---: | ---: | ---: | ---: |"
    )
    for size in SIZES[1:]:
        rows = clustered(size)
        one = shares(size, 1)
        told = []
        for border in (size, 0):
            pgvector_index.SCANNED = border
            index = pgvector_index.PgvectorIndex(database, f"bench{size}.{border}", DIMENSION)
            told.append(shown(milliseconds(index, one, rows)))
        hits = [
            len(
                {near.passage for near in index.search(rows[at], ["a0"], 10)} & set(np.argsort(-(rows @ rows[at]))[:10])
            )
            for at in range(0, size, size // 100)
        ]
        print(f"| {size:,} | {told[0]} | {told[1]} | {np.mean(hits) / 10:.3f} |", flush=True)


if __name__ == "__main__":
    main()
    if sys.argv[1:]:
        pgvector(sys.argv[1])
