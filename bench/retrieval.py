"""How well Deskmate ranks beside BM25, LangChain, LlamaIndex, Haystack and plain baselines over the same embedder.

    python -m bench.retrieval [--quick] [--sets NAME...] [--systems NAME...]

Seven labelled sets of the data folder, the production retriever by `deskmate evaluate`, the others by `bench/rivals/`.
What is there already is kept under .deskmate/bench and not done again, unless the code or data that made it changed.
All sets and all systems: writes the tables and a picture into docs/quality.md; otherwise prints them only. `--quick`
asks 300 questions of each of the two largest sets.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.knowledge_base import REPOSITORY, shared_data, table
from bench.rankings import NDCG, RECALL, RR, Scored, interval, run_of, scored
from bench.report import COLOURS, DOCS, picture, put_between_markers
from bench.rivals.environment import CACHE, FOLDER, run_rival
from knowledge.collection import qrels_of

COMMAND = "python -m bench.retrieval"
PICTURE = "retrieval.svg"
OURS = "deskmate"
LAST_TURN = "last turn alone"
SETS = ("kb_navtitles", "faq", "techqa", "stackfaq", "askubuntu_unix", "mtrag_cloud", "thunderbird")
LARGE, QUICK_QUESTIONS = ("askubuntu_unix", "thunderbird"), 300
CONVERSATIONS = "mtrag_cloud"
BASELINES = ("bm25", "dense", "rrf")
SYSTEMS = {
    OURS: "Deskmate",
    "bm25": "BM25 (bm25s)",
    "dense": "dense MiniLM, title > headings before each passage",
    "rrf": "RRF (k = 60) of dense and BM25",
    "langchain": "LangChain + Chroma",
    "llamaindex": "LlamaIndex, default index",
    "haystack": "Haystack, hybrid pipeline",
}

Results = Mapping[str, Mapping[str, Scored]]  # by set, by system


@dataclass(frozen=True)
class Asked:
    sets: Sequence[str]
    systems: Sequence[str]
    quick: bool

    @property
    def whole(self) -> bool:
        return not self.quick and set(self.sets) == set(SETS) and set(self.systems) == set(SYSTEMS)


def main() -> None:
    asked = arguments()
    results: dict[str, dict[str, Scored]] = {}
    for name in asked.sets:
        folder = folder_of(name, quick=asked.quick)
        results[name] = {system: measured(system, folder) for system in asked.systems}
        if name == CONVERSATIONS and OURS in asked.systems:
            results[name][LAST_TURN] = measured(OURS, without_conversations(folder))
    part = report(results, asked.systems)
    print(part)
    if asked.whole:
        draw(results, asked.systems)
        put_between_markers(DOCS / "quality.md", COMMAND, part)


def arguments() -> Asked:
    parser = argparse.ArgumentParser(prog=COMMAND)
    parser.add_argument("--quick", action="store_true", help=f"at most {QUICK_QUESTIONS} questions of a set")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--systems", nargs="+", choices=list(SYSTEMS), default=list(SYSTEMS))
    given = parser.parse_args()
    return Asked(given.sets, given.systems, given.quick)


def folder_of(name: str, *, quick: bool) -> Path:
    folder = shared_data(f"retrieval/{name}")
    if not quick or name not in LARGE:
        return folder
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    return with_questions(folder, CACHE / "quick" / name, random.Random(7).sample(lines, QUICK_QUESTIONS))


def without_conversations(folder: Path) -> Path:
    rows = [json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = [json.dumps({key: value for key, value in row.items() if key != "conversation"}) for row in rows]
    return with_questions(folder, CACHE / "last-turn" / folder.name, kept)


def with_questions(folder: Path, copy: Path, lines: Iterable[str]) -> Path:
    """The collection with other questions; what isn't asked isn't judged."""
    copy.joinpath("qrels").mkdir(parents=True, exist_ok=True)
    asked = list(lines)
    ids = {json.loads(line)["_id"] for line in asked}
    head, *judged = (folder / "qrels" / "test.tsv").read_text(encoding="utf-8").splitlines()
    kept = [head, *(line for line in judged if line.split("\t")[0] in ids)]
    shutil.copyfile(folder / "corpus.jsonl", copy / "corpus.jsonl")
    (copy / "queries.jsonl").write_text("\n".join(asked) + "\n", encoding="utf-8")
    (copy / "qrels" / "test.tsv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    return copy


def measured(system: str, folder: Path) -> Scored:
    made_by = code_of(system)
    home = CACHE / "retrieval" / system / fingerprint([folder / "corpus.jsonl", folder / "queries.jsonl", *made_by])
    run = home / "run.trec"
    if not run.exists():
        print(f"{folder.name}: {SYSTEMS[system]}", file=sys.stderr, flush=True)
        home.mkdir(parents=True, exist_ok=True)
        unfinished = home / "unfinished.trec"
        if system == OURS:
            evaluate(folder, unfinished, home)
        else:
            store = home / "store"
            shutil.rmtree(store, ignore_errors=True)  # of a run that was cut short
            run_rival(system, "ingest", [folder, store], home / "ingest.json")
            run_rival(system, "ask", [folder, store, unfinished], home / "ask.json")
        unfinished.rename(run)
    return scored(run_of(run), qrels_of(folder / "qrels" / "test.tsv"))


def evaluate(folder: Path, run: Path, home: Path) -> None:
    deskmate = [sys.executable, "-c", "from deskmate.cli import app; app()"]
    done = subprocess.run(
        [*deskmate, "evaluate", str(folder), "--run", str(run), "--json"],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        sys.exit(f"`deskmate evaluate {folder.name}` failed.")
    (home / "evaluated.json").write_text(done.stdout)


def code_of(system: str) -> list[Path]:
    """The files on which its ranking depends."""
    if system == OURS:
        return [*sorted((REPOSITORY / "knowledge").glob("*.py")), REPOSITORY / "deskmate" / "evaluating.py"]
    programs = {f"run_{system}.py", "beir.py", "requirements.txt"}
    if system in ("dense", "rrf"):
        programs |= {"run_dense.py", "minilm.py", "passages.py"}
    return [FOLDER / name for name in sorted(programs)]


def fingerprint(files: Iterable[Path]) -> str:
    together = hashlib.sha256()
    for file in files:
        together.update(hashlib.sha256(file.read_bytes()).digest())
    return together.hexdigest()[:16]


def report(results: Results, systems: Sequence[str]) -> str:
    sets = list(results)
    rows: list[list[str | int]] = []
    for system in systems:
        values = [results[name][system][NDCG] for name in sets]
        rows.append([SYSTEMS[system], *(f"{each.mean():.3f}" for each in values), str(interval(values))])
    parts = [table(["nDCG@10", *sets, "mean (95 %)"], rows)]
    if OURS in systems and set(BASELINES) <= set(systems):
        parts.append(table(["Deskmate", NDCG, RECALL, RR, "best of BM25, dense, RRF", "difference"], against(results)))
    if CONVERSATIONS in results and LAST_TURN in results[CONVERSATIONS]:
        alone = results[CONVERSATIONS][LAST_TURN][NDCG].mean()
        parts.append(
            f"`{CONVERSATIONS}` has conversations, of which Deskmate reads the earlier turns too; from the last turn"
            f" alone, as the others, it reaches {alone:.3f}."
        )
    if set(sets) == set(SETS) and set(systems) == set(SYSTEMS):
        parts.append(f"![nDCG@10 of each system on each set](images/{PICTURE})")
    return "\n\n".join(parts)


def against(results: Results) -> list[list[str | int]]:
    """For each set: ours, the best baseline of the same run, and the difference question by question."""
    rows: list[list[str | int]] = []
    for name, systems in results.items():
        ours = systems[OURS]
        best = max(BASELINES, key=lambda system: systems[system][NDCG].mean())
        difference = interval([ours[NDCG] - systems[best][NDCG]])
        rows.append(
            [
                name,
                str(interval([ours[NDCG]])),
                f"{ours[RECALL].mean():.3f}",
                f"{ours[RR].mean():.3f}",
                f"{best} {systems[best][NDCG].mean():.3f}",
                f"{difference.mean:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})",
            ]
        )
    return rows


def draw(results: Results, systems: Sequence[str]) -> None:
    width = 0.8 / len(systems)
    with picture(PICTURE, width=11) as [axes]:
        for place, system in enumerate(systems):
            spans = [interval([results[name][system][NDCG]]) for name in results]
            axes.bar(
                [row + (place - (len(systems) - 1) / 2) * width for row in range(len(spans))],
                [span.mean for span in spans],
                width,
                yerr=[[span.mean - span.low for span in spans], [span.high - span.mean for span in spans]],
                error_kw={"linewidth": 0.6},
                color=COLOURS[place],
                label=SYSTEMS[system],
            )
        axes.set_xticks(range(len(results)), list(results))
        axes.set_ylabel("nDCG@10, with 95 % intervals")
        axes.legend(ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.08), frameon=False, fontsize=8)


if __name__ == "__main__":
    main()
