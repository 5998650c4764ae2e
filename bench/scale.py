"""What a question, an article and a process cost at 10,000, 100,000 and 1,000,000 passages, beside others.

    python -m bench.scale [--sizes N...] [--seed HOME] [--others-up-to N] [--quick]

The passages are those of ../shared/data/kb, ingested once (or taken from the database of the home `--seed`), and for
the larger sizes copies of them with noise on the vectors and other words (`scale_base.py`). Kept under .deskmate/bench.
All systems are asked in turns, three times, each in a process of its own; told is the middle of the three. Without
`--quick` (fewer questions, one round, nothing written) the tables and pictures of docs/performance.md are made anew.
"""

import argparse
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.knowledge_base import REPOSITORY, library_over, shared_data
from bench.rivals.environment import CACHE, run_rival
from bench.scale_base import DIMENSION, build, seed_of
from bench.scale_report import written
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Database

SIZES = (10_000, 100_000, 1_000_000)
AUDIENCES = (0, 1, 20)
ROUNDS, QUESTIONS = 3, 200
QUICK_ROUNDS, QUICK_QUESTIONS = 1, 40
OTHERS_UP_TO = 100_000  # passages; what loads all vectors and texts to memory isn't asked for more
AUDIENCES_UP_TO = 100_000  # passages; a larger base is built for everybody alone
HOME = CACHE / "scale"
INGESTED, GROUPS = 100, 5  # articles, in so many parts
LANGCHAIN, WHERE, BARE = "LangChain + Chroma", "Chroma, `where` of 20", "bare ONNX + numpy + bm25s"


@dataclass
class Measured:
    """Reports of each system at each size, one a round."""

    answers: dict[tuple[int, str], list[dict[str, Any]]] = field(default_factory=dict)
    first: list[dict[str, float]] = field(default_factory=list)
    ingestion: dict[str, Any] = field(default_factory=dict)
    built: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)

    def add(self, size: int, system: str, told: dict[str, Any]) -> None:
        self.answers.setdefault((size, system), []).append(told)
        p50 = told["p50"]["total"] if "p50" in told else told["p50_ms"]
        print(f"{size:>9,}  {system:<28} p50 {p50:7.1f} ms  {told['rss_mb']:6.0f} MB", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.scale")
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    parser.add_argument("--seed", type=Path, help="a DESKMATE_HOME in which the articles are ingested already")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--others-up-to", type=int, default=OTHERS_UP_TO, help="passages; above, Deskmate alone is asked"
    )
    given = parser.parse_args()
    HOME.mkdir(parents=True, exist_ok=True)
    database = seed_database(given.seed)
    questions = questions_of(QUICK_QUESTIONS if given.quick else QUESTIONS)
    measured = Measured()
    asked: list[Callable[[], None]] = []
    for size in given.sizes:
        asked += prepared(measured, size, database, questions, others=size <= given.others_up_to)
    for _ in range(QUICK_ROUNDS if given.quick else ROUNDS):
        for ask in asked:
            ask()
    smallest = min(given.sizes)
    first_answer(home_of(smallest, 0), questions[0])  # keeps the examples of routing, as the first start does
    measured.first = [first_answer(home_of(smallest, 0), text) for text in questions[: 3 if given.quick else 11]]
    measured.ingestion = ingestion()
    print(written(measured.answers, measured.first, measured.ingestion, measured.built, keep=not given.quick))


def seed_database(home: Path | None) -> Path:
    if home is not None:
        return home / "deskmate.sqlite"
    with library_over(shared_data("kb/articles"), CACHE / "kb"):
        return CACHE / "kb" / "bench.sqlite"


def questions_of(count: int) -> list[str]:
    path = shared_data("retrieval/kb_navtitles/queries.jsonl")
    rows = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    return random.Random(4).sample(rows, count)


def home_of(size: int, audiences: int) -> Path:
    return HOME / f"{size}-{audiences}"


def prepared(
    measured: Measured, size: int, seed: Path, questions: Sequence[str], *, others: bool
) -> list[Callable[[], None]]:
    """Bases and stores of this size made, or found; what asks each system once."""
    asked: list[Callable[[], None]] = []
    for audiences in AUDIENCES if size <= AUDIENCES_UP_TO else (0,):
        home = home_of(size, audiences)
        measured.built[size, audiences] = base(home, size, audiences, seed)
        name = f"Deskmate, {audiences or 'no'} {'audience' if audiences == 1 else 'audiences'}"
        asked.append(partial(ask_ours, measured, size, name, home, questions, audiences))
    if not others:
        return asked
    plain, filtered = collection(size, questions, 0), collection(size, questions, 20)
    for program in ("langchain", "rrf"):
        store = HOME / f"{size}-{program}"
        if not (store / "made").exists():
            shutil.rmtree(store, ignore_errors=True)
            run_rival(program, "ingest", [filtered, store, filtered / "vectors.npy"], HOME / f"{program}.json")
            (store / "made").touch()

    def rival(program: str, folder: Path) -> dict[str, Any]:
        return run_rival(program, "ask", [folder, HOME / f"{size}-{program}"], HOME / f"{program}.json")

    asked.append(lambda: measured.add(size, LANGCHAIN, rival("langchain", plain)))
    asked.append(lambda: measured.add(size, WHERE, rival("langchain", filtered)))
    asked.append(lambda: measured.add(size, BARE, rival("rrf", plain)))
    return asked


def base(home: Path, size: int, audiences: int, seed: Path) -> dict[str, float]:
    """Built and indexed if it isn't there; how long both took, which is kept beside it."""
    told = home / "built.json"
    if not told.exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        started = time.perf_counter()
        made = build(seed_of(seed), home / "deskmate.sqlite", size, audiences)
        copied = time.perf_counter()
        with (
            closing(Database.at(f"sqlite:///{home / 'deskmate.sqlite'}")) as database,
            Library(database, KnowledgeSettings(home=home)) as library,
        ):
            library.refresh()
        indexed = time.perf_counter() - copied
        told.write_text(json.dumps({"passages": made, "copied_s": copied - started, "indexed_s": indexed}))
    found: dict[str, float] = json.loads(told.read_text())
    return found


def collection(size: int, questions: Sequence[str], audiences: int) -> Path:
    """The passages of the base as documents in BEIR's layout, each with one vector, for what others make of them."""
    folder = HOME / f"{size}-beir-{audiences}"
    folder.mkdir(parents=True, exist_ok=True)
    allowed = [f"audience {number}" for number in range(audiences)]
    asked = [{"_id": str(number), "text": text, "audiences": allowed} for number, text in enumerate(questions)]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    if (folder / "vectors.npy").exists():
        return folder
    vectors = []
    query = (
        "SELECT p.id, v.title, p.text, v.access, p.vectors FROM passages p JOIN article_versions v ON v.id = p.version"
    )
    with (
        closing(sqlite3.connect(home_of(size, 20) / "deskmate.sqlite")) as connection,
        (folder / "corpus.jsonl").open("w", encoding="utf-8") as corpus,
    ):
        for key, title, text, access, rows in connection.execute(query):
            row = {"_id": str(key), "title": title, "text": text, "audience": json.loads(access)[0]}
            corpus.write(json.dumps(row) + "\n")
            vectors.append(np.frombuffer(rows, dtype="<f4", count=DIMENSION))
    np.save(folder / "vectors.npy", np.stack(vectors))
    return folder


def ask_ours(measured: Measured, size: int, name: str, home: Path, questions: Sequence[str], audiences: int) -> None:
    measured.add(size, name, ours(home, questions, audiences))


def ours(home: Path, questions: Sequence[str], audiences: int) -> dict[str, Any]:
    asked = HOME / "questions.json"
    asked.write_text(json.dumps(list(questions)), encoding="utf-8")
    return worker("answer", home, asked, str(audiences))


def worker(command: str, home: Path, *arguments: str | Path) -> dict[str, Any]:
    report = HOME / "worker.json"
    module = [sys.executable, "-m", "bench.scale_worker", command]
    subprocess.run([*module, home, *arguments, report], cwd=REPOSITORY, check=True)
    told: dict[str, Any] = json.loads(report.read_text())
    return told


def first_answer(home: Path, question: str) -> dict[str, float]:
    """`deskmate ask` as a child: seconds from start to end of the process, and its memory at the highest."""
    command = [sys.executable, "-c", "from deskmate.cli import app; app()", "ask", question, "--json"]
    environment = os.environ | {"DESKMATE_HOME": str(home), "DESKMATE_DATABASE_URL": "", "DESKMATE_LLM": ""}
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"`deskmate ask` failed over {home}.")
    return {"seconds": time.perf_counter() - started, "peak_rss_mb": used.ru_maxrss / 1024, "cpu_s": used.ru_utime}


def ingestion() -> dict[str, Any]:
    """Of some articles of the data: ours, the bare embedder in turns with it, and LangChain."""
    folder, home = HOME / "some-articles", HOME / "ingested"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    paths = sorted(shared_data("kb/articles").rglob("*.md"))
    chosen = random.Random(5).sample(paths, INGESTED)
    documents = []
    for number, path in enumerate(chosen):
        part = folder / str(number % GROUPS)
        part.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part / f"{number}.md")
        documents.append({"_id": str(number), "title": "", "text": path.read_text(encoding="utf-8", errors="replace")})
    told = worker("ingest", home, folder)
    beir, store = HOME / "some-articles-beir", HOME / "some-articles-langchain"
    beir.mkdir(exist_ok=True)
    shutil.rmtree(store, ignore_errors=True)
    (beir / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents), encoding="utf-8")
    told["langchain"] = run_rival("langchain", "ingest", [beir, store], HOME / "langchain-ingest.json")
    groups = told["groups"]
    told["ours_per_s"] = median(windows / seconds for windows, seconds, *_ in groups)
    told["bare_per_s"] = median(windows / alone for windows, _, alone, *_ in groups)
    told["of_bare"] = median(alone / seconds for _, seconds, alone, *_ in groups)
    told["cheaper"] = median(seconds / again for _, seconds, _, again, _ in groups)
    return told


if __name__ == "__main__":
    main()
