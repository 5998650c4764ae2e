"""One process of `bench.scale`: it answers questions, or takes articles in, and writes what that took as JSON.

python -m bench.scale_worker answer HOME QUESTIONS AUDIENCES REPORT
python -m bench.scale_worker ingest HOME FOLDER REPORT
"""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from bench.rivals.minilm import MiniLM
from knowledge.articles import Document
from knowledge.chunking import chunks_of
from knowledge.embedder import Embedder, exported_model
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings, default_cache
from store import Database

STAGES = ("embed", "dense", "sparse", "check", "rest")


def answers(home: Path, questions: Sequence[str], audiences: int) -> dict[str, Any]:
    """Milliseconds of each question by stage and in all; memory in MB once all are answered."""
    groups = frozenset(f"audience {number}" for number in range(audiences))
    times: dict[str, list[float]] = {stage: [] for stage in (*STAGES, "total")}
    with closing(Database.at(f"sqlite:///{home / 'deskmate.sqlite'}")) as database:
        began = time.perf_counter()
        with Library(database, KnowledgeSettings(home=home)) as library:
            library.warm()
            opened = time.perf_counter() - began
            library.answer(questions[0] + " please", groups=groups)
            for question in questions:
                started = time.perf_counter()
                answer = library.answer(question, groups=groups)
                total = 1000 * (time.perf_counter() - started)
                parts = {stage: answer.timings_ms.get(stage, 0.0) for stage in STAGES}
                parts["rest"] = max(total - sum(parts.values()), 0.0)
                for stage, taken in {**parts, "total": total}.items():
                    times[stage].append(taken)
            resident, peak = memory()
            return {
                "passages": library.passages,
                "opened_s": opened,
                "rss_mb": resident,
                "peak_rss_mb": peak,
                "p50": {stage: float(np.quantile(taken, 0.5)) for stage, taken in times.items()},
                "p95": {stage: float(np.quantile(taken, 0.95)) for stage, taken in times.items()},
            }


def memory() -> tuple[float, float]:
    """Resident now and at its highest, in MB, as Linux tells."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    told = {words[0]: words[1] for words in lines if len(words) > 1}
    return int(told["VmRSS:"]) / 1024, int(told["VmHWM:"]) / 1024


def ingestion(home: Path, folder: Path) -> dict[str, Any]:
    """Each folder in `folder` taken in, and what is embedded of it once more by the bare embedder, in turns, so that
    what else runs on the cores hits both; then everything again, unchanged."""
    from ingest.ingestion import ingest
    from store.migrating import migrate

    model = exported_model("", default_cache())
    bare, groups = MiniLM(model), []
    with closing(Database.at(f"sqlite:///{home / 'deskmate.sqlite'}")) as database:
        migrate(database)
        with Library(database, KnowledgeSettings(home=home)) as library:
            library.warm()
            bare.encode(["warm"])
            embedder = Embedder(model)
            for part in sorted(folder.iterdir()):
                windows = windows_of(part, embedder)
                ours = timed(lambda part=part: ingest([str(part)], library=library, database=database))
                alone = timed(lambda windows=windows: bare.encode(windows))
                again = timed(lambda part=part: ingest([str(part)], library=library, database=database))
                groups.append([len(windows), ours, alone, again, len(list(part.iterdir()))])
    return {"groups": groups}


def windows_of(folder: Path, embedder: Embedder) -> list[str]:
    """The texts that ingesting the folder embeds."""
    from ingest import file
    from ingest.ingestion import as_document

    found: dict[str, tuple[str, ...]] = {}
    for path in sorted(folder.iterdir()):
        article = file.parse(file.load(path), name=path.name)
        document: Document = as_document(article, path.name, source="bench", content_hash="")
        found |= {chunk.text_hash: chunk.windows for chunk in chunks_of(document, embedder)}
    return [window for windows in found.values() for window in windows]


def timed(act: Any) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def main() -> None:
    command, home, *rest = sys.argv[1:]
    if command == "answer":
        questions = json.loads(Path(rest[0]).read_text(encoding="utf-8"))
        told = answers(Path(home), questions, int(rest[1]))
    else:
        told = ingestion(Path(home), Path(rest[0]))
    Path(rest[-1]).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
