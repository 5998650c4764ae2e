"""Labelled questions in BEIR's layout: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import KnowledgeError
from knowledge.json_lines import lines_of, objects_of

Qrels = Mapping[str, Mapping[str, int]]


class BadCollection(KnowledgeError):
    """The folder isn't a collection in BEIR's layout; says which file and line."""


@dataclass(frozen=True)
class CorpusDocument:
    """A document of a collection."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Query:
    """`text` is what is asked now, after the title of a post that has one; `earlier` are the asker's previous turns,
    oldest first."""

    id: str
    text: str
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True)
class Collection:
    documents: tuple[CorpusDocument, ...]
    queries: tuple[Query, ...]
    qrels: Qrels


def collection(folder: Path) -> Collection:
    """Errors: `BadCollection`, `NotReadable`."""
    documents = [
        CorpusDocument(text_in(row, "_id", where), optional(row, "title", where), text_in(row, "text", where))
        for where, row in objects_of(folder / "corpus.jsonl")
    ]
    queries = [query(where, row) for where, row in objects_of(folder / "queries.jsonl")]
    for name, ids in (("corpus", [each.id for each in documents]), ("queries", [each.id for each in queries])):
        if len(set(ids)) < len(ids):
            raise BadCollection(f"{folder / name}.jsonl has an `_id` twice.")
        unwritable = [each for each in ids if len(each.split()) != 1]
        if unwritable:
            raise BadCollection(
                f"{folder / name}.jsonl: {unwritable[0]!r} can't stand in a run, which has no blanks in ids."
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
    if said and said[-1] == text:
        said.pop()
    asked = "\n".join(part for part in (optional(row, "title", where), text) if part)
    if not asked:
        raise BadCollection(f"{where}: a question needs `text`.")
    return Query(text_in(row, "_id", where), asked, tuple(said))


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


def text_in(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str):
        raise BadCollection(f"{where}: `{key}` must be a string.")
    return value


def optional(row: Mapping[str, Any], key: str, where: str) -> str:
    return text_in(row, key, where) if row.get(key) is not None else ""
