"""What the rivals have in common: a folder in BEIR's layout in, a TREC run and times out.

    python run_NAME.py ingest FOLDER STORE REPORT [VECTORS]
    python run_NAME.py ask FOLDER STORE REPORT [RUN]

Two processes, so that the second is one that only answers. With VECTORS (a .npy of a row per document) each document is
a passage that is embedded already. The reports are JSON: `passages` and `seconds` of the ingestion without loading
the model; `first_answer_s` since the process began, `p50_ms` and `p95_ms` of a question with its embedding (ten
passages wanted), `rss_mb` once all are answered. Imported by file name: each program runs in the rivals' environment.
"""

import json
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import psutil  # type: ignore[import-untyped]  # ships no stubs
from numpy.typing import NDArray

WANTED = 100  # documents in a run
PASSAGES_FOR_A_RUN = 400  # enough that a hundred documents are among them
PASSAGES_FOR_AN_ANSWER = 10
TIMED_QUESTIONS = 200

Vectors = NDArray[np.float32]
Found = Sequence[tuple[str, float]]  # a document for each passage, the higher score the better


@dataclass(frozen=True)
class Document:
    """`audience`: whom a `where` filter lets see it."""

    id: str
    title: str
    text: str
    audience: str = ""

    @property
    def whole(self) -> str:
        return f"{self.title}\n\n{self.text}" if self.title else self.text


@dataclass(frozen=True)
class Question:
    """`text` begins with the title of the post, if it has one. Without `audiences` nothing is filtered."""

    id: str
    text: str
    audiences: tuple[str, ...] = ()


class Rival(Protocol):
    """Made once in a process, which loads its model."""

    def ingest(self, documents: Sequence[Document], store: Path) -> int:
        """The number of passages."""

    def ingest_embedded(self, passages: Sequence[Document], vectors: Vectors, store: Path) -> None: ...

    def open(self, store: Path) -> None: ...

    def search(self, question: Question, passages: int) -> Found: ...


def documents_of(folder: Path) -> list[Document]:
    return [
        Document(row["_id"], row.get("title") or "", row["text"], row.get("audience") or "")
        for row in rows(folder / "corpus.jsonl")
    ]


def questions_of(folder: Path) -> list[Question]:
    return [
        Question(
            row["_id"], f"{row.get('title') or ''} {row.get('text') or ''}".strip(), tuple(row.get("audiences") or ())
        )
        for row in rows(folder / "queries.jsonl")
    ]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def best_documents(found: Found) -> list[tuple[str, float]]:
    """A document's score is its best passage's."""
    best: dict[str, float] = {}
    for document, score in found:
        best[document] = max(score, best.get(document, score))
    return sorted(best.items(), key=lambda item: -item[1])[:WANTED]


def run_lines(question: Question, ranking: Iterable[tuple[str, float]], name: str) -> Iterator[str]:
    for rank, (document, score) in enumerate(ranking, 1):
        yield f"{question.id} Q0 {document} {rank} {score:.6f} {name}\n"


def main(name: str, make: type[Rival]) -> None:
    command, folder, store, report, *more = sys.argv[1:]
    rival = make()
    if command == "ingest":
        told = ingested(rival, Path(folder), Path(store), Path(more[0]) if more else None)
    else:
        told = asked(rival, Path(folder), Path(store))
        if more:
            with Path(more[0]).open("w", encoding="utf-8") as run:
                for question in questions_of(Path(folder)):
                    ranking = best_documents(rival.search(question, PASSAGES_FOR_A_RUN))
                    run.writelines(run_lines(question, ranking, name))
    Path(report).write_text(json.dumps(told, indent=1))


def ingested(rival: Rival, folder: Path, store: Path, vectors: Path | None) -> dict[str, float]:
    documents = documents_of(folder)
    given = None if vectors is None else np.load(vectors, mmap_mode="r")
    started = time.perf_counter()
    if given is None:
        passages = rival.ingest(documents, store)
    else:
        rival.ingest_embedded(documents, given, store)
        passages = len(documents)
    seconds = time.perf_counter() - started
    return {
        "passages": passages,
        "seconds": seconds,
        "passages_per_second": passages / seconds,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def asked(rival: Rival, folder: Path, store: Path) -> dict[str, float]:
    questions = questions_of(folder)
    rival.open(store)
    rival.search(questions[0], PASSAGES_FOR_AN_ANSWER)
    first_answer = time.time() - psutil.Process().create_time()
    times = []
    for question in questions[:TIMED_QUESTIONS]:
        started = time.perf_counter()
        rival.search(question, PASSAGES_FOR_AN_ANSWER)
        times.append(1000 * (time.perf_counter() - started))
    return {
        "first_answer_s": first_answer,
        "p50_ms": float(np.quantile(times, 0.5)),
        "p95_ms": float(np.quantile(times, 0.95)),
        "rss_mb": psutil.Process().memory_info().rss / 2**20,
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
