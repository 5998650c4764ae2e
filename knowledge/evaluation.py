"""How well the retriever ranks: labelled questions in BEIR's layout, a run in TREC's format, the usual metrics.

Metrics by ir-measures. nDCG@10: Järvelin & Kekäläinen 2002; MRR@10 (RR@10): the reciprocal rank of the first relevant
document; R@100: the share of a question's relevant documents among the first hundred. Intervals: percentile bootstrap
over questions (Efron 1979).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.errors import KnowledgeError

RETRIEVED = 100
RESAMPLED = 2_000
INTERVAL = 0.95

Ranking = Sequence[tuple[str, float]]  # document and score, best first
Qrels = Mapping[str, Mapping[str, int]]


class BadCollection(KnowledgeError):
    """The folder isn't a collection in BEIR's layout; says which file and line."""


@dataclass(frozen=True)
class Source:
    """A document of a collection."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Query:
    """`text` is what is asked now; `title` is a post's; `earlier` are the asker's previous turns, oldest first."""

    id: str
    text: str
    title: str = ""
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True)
class Collection:
    documents: tuple[Source, ...]
    queries: tuple[Query, ...]
    qrels: Qrels


@dataclass(frozen=True)
class Metric:
    """A mean over the judged questions, with the bounds of its interval."""

    mean: float
    low: float
    high: float


def collection(folder: Path) -> Collection:
    """`corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`. Errors: `BadCollection`."""
    documents = [
        Source(text_in(row, "_id", where), optional(row, "title", where), text_in(row, "text", where))
        for where, row in rows_of(folder / "corpus.jsonl")
    ]
    queries = [query(where, row) for where, row in rows_of(folder / "queries.jsonl")]
    for name, ids in (("corpus", [each.id for each in documents]), ("queries", [each.id for each in queries])):
        if len(set(ids)) < len(ids):
            raise BadCollection(f"{folder / name}.jsonl has an `_id` twice.")
        if unwritable := next((each for each in ids if len(each.split()) != 1), None):
            raise BadCollection(
                f"{folder / name}.jsonl: {unwritable!r} can't stand in a run, which has no blanks in ids."
            )
    return Collection(tuple(documents), tuple(queries), qrels_of(folder / "qrels" / "test.tsv"))


def query(where: str, row: Mapping[str, Any]) -> Query:
    """A question may carry its `conversation`, turns of `speaker` and `text`; without a `text` its last is meant."""
    turns = row.get("conversation") or []
    try:
        said = [str(turn["text"]) for turn in turns if turn["speaker"] == "user"]
    except (KeyError, TypeError) as error:
        raise BadCollection(f"{where}: `conversation` must be a list of `speaker` and `text`.") from error
    text = optional(row, "text", where) or (said[-1] if said else "")
    title = optional(row, "title", where)
    if not text and not title:
        raise BadCollection(f"{where}: a question needs `text`.")
    if said and said[-1] == text:
        said.pop()
    return Query(text_in(row, "_id", where), text or title, title if text else "", tuple(said))


def qrels_of(path: Path) -> Qrels:
    """Tab-separated query, document, relevance, below a line of heads."""
    result: dict[str, dict[str, int]] = {}
    for number, line in enumerate(lines_of(path), 1):
        cells = line.split("\t")
        if number == 1 and len(cells) == 3 and not cells[-1].strip().lstrip("-").isdigit():
            continue
        if not line.strip():
            continue
        try:
            asked, document, relevance = cells
            result.setdefault(asked, {})[document] = int(relevance)
        except ValueError as error:
            raise BadCollection(f"{path}, line {number}: query, document, number expected, parted by tabs.") from error
    if not any(relevance > 0 for judged in result.values() for relevance in judged.values()):
        raise BadCollection(f"{path} names no relevant document.")
    return result


def rows_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(lines_of(path), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadCollection(f"{where}: not JSON ({error}).") from error
        if not isinstance(row, dict):
            raise BadCollection(f"{where}: not an object.")
        yield where, row


def lines_of(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").split("\n")
    except OSError as error:
        raise BadCollection(f"{path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadCollection(f"{path} isn't text in UTF-8.") from error


def text_in(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise BadCollection(f"{where}: `{key}` must be a string.")
    return value


def optional(row: Mapping[str, Any], key: str, where: str) -> str:
    return text_in(row, key, where) if row.get(key) is not None else ""


def as_run(rankings: Mapping[str, Ranking], name: str) -> Iterator[str]:
    """Lines of a TREC run: query, Q0, document, rank from 1, score, name of the system."""
    for asked, ranking in rankings.items():
        for rank, (document, score) in enumerate(ranking, 1):
            yield f"{asked} Q0 {document} {rank} {score:.6f} {name}"


def measured(rankings: Mapping[str, Ranking], qrels: Qrels, *, seed: int = 7) -> dict[str, Metric]:
    """`ndcg@10`, `recall@100` and `mrr@10` over the questions that have a relevant document."""
    import ir_measures
    from ir_measures import RR, R, nDCG

    names = {nDCG @ 10: "ndcg@10", R @ 100: "recall@100", RR @ 10: "mrr@10"}
    judged = {asked: dict(rows) for asked, rows in qrels.items() if any(value > 0 for value in rows.values())}
    run = {asked: dict(rankings.get(asked, ())) for asked in judged}
    values: dict[str, dict[str, float]] = {name: dict.fromkeys(judged, 0.0) for name in names.values()}
    for metric in ir_measures.iter_calc(list(names), judged, run):
        values[names[metric.measure]][metric.query_id] = metric.value
    return {name: mean_of(list(each.values()), seed) for name, each in values.items()}


def mean_of(values: Iterable[float], seed: int) -> Metric:
    sample = np.array(list(values))
    drawn = np.random.default_rng(seed).integers(0, len(sample), (RESAMPLED, len(sample)))
    low, high = np.quantile(sample[drawn].mean(axis=1), [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return Metric(float(sample.mean()), float(low), float(high))
