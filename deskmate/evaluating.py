"""`deskmate evaluate`: the production retriever over labelled questions, in a store that is thrown away."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from deskmate.errors import RoofError
from ingest import front_matter, markdown
from ingest.errors import IngestError
from ingest.progress import Progress
from knowledge.articles import Document
from knowledge.collection import Collection, CorpusDocument, collection
from knowledge.current import name_or_path
from knowledge.evaluation import RETRIEVED, Metric, Ranking, as_run, measured
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Base, Database


@dataclass(frozen=True)
class Evaluated:
    documents: int
    passages: int
    queries: int
    judged: int
    metrics: dict[str, Metric]
    query_ms: dict[str, float]
    """Milliseconds per question, embedding included: `p50`, `p95`."""

    def as_json(self) -> dict[str, Any]:
        means = {name: round(metric.mean, 4) for name, metric in self.metrics.items()}
        intervals = {name: [round(metric.low, 4), round(metric.high, 4)] for name, metric in self.metrics.items()}
        counts = {name: getattr(self, name) for name in ("documents", "passages", "queries", "judged")}
        return {**means, "intervals": intervals, "query_ms": self.query_ms, **counts}


def evaluate(folder: Path, run: Path, settings: KnowledgeSettings, *, progress: Progress) -> Evaluated:
    """Retrieves `RETRIEVED` documents for each question and writes them to `run`.

    Errors: `BadCollection`, `NotReadable`, `RoofError` when `run` can't be written.
    """
    given = collection(folder)
    refuse_unwritable(run)
    with filled(given, settings, progress) as library:
        rankings, times = ranked(library, given, progress)
        passages = library.passages
    write(run, rankings)
    return Evaluated(
        documents=len(given.documents),
        passages=passages,
        queries=len(given.queries),
        judged=sum(any(value > 0 for value in rows.values()) for rows in given.qrels.values()),
        metrics=measured(rankings, given.qrels),
        query_ms={name: round(float(np.quantile(times, share)), 2) for name, share in (("p50", 0.5), ("p95", 0.95))},
    )


@contextmanager
def filled(given: Collection, settings: KnowledgeSettings, progress: Progress) -> Iterator[Library]:
    """A `throwaway` library with the collection's documents, ready to be asked."""
    with throwaway(settings) as library:
        progress.start(len(given.documents), "Documents")
        library.add([document(each) for each in given.documents], progress=lambda done: progress.advance(done.articles))
        library.warm()
        yield library


@contextmanager
def throwaway(settings: KnowledgeSettings) -> Iterator[Library]:
    """A library of the configured model in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="deskmate-evaluate-") as folder:
        home = Path(folder)
        database = Database.at(f"sqlite:///{home / 'evaluate.sqlite'}")
        try:
            Base.metadata.create_all(database.engine)
            embedder = name_or_path(settings.embedder, settings)
            kept = KnowledgeSettings(home=home, embedder=embedder, models=settings.models)
            with Library(database, kept) as library:
                yield library
        finally:
            database.close()


def document(given: CorpusDocument) -> Document:
    """As `deskmate ingest` reads it; what can't be read as an article is taken as it stands."""
    title, text, description = given.title, given.text, None
    try:
        front, body = front_matter.split(text)
        article = markdown.parse(body, stem=title, front=front)
        title, text, description = title or article.title, article.markdown, article.description
    except IngestError:
        pass
    return Document(given.id, title, text, None, (), None, description, "collection", given.id, None)


def ranked(library: Library, given: Collection, progress: Progress) -> tuple[dict[str, Ranking], list[float]]:
    """The ranking of each question by its id, and the milliseconds that each took."""
    rankings: dict[str, Ranking] = {}
    times: list[float] = []
    progress.start(len(given.queries), "Questions")
    for number, query in enumerate(given.queries, 1):
        started = perf_counter()
        found = library.rank(query.text, earlier=query.earlier, limit=RETRIEVED)
        times.append(1000 * (perf_counter() - started))
        rankings[query.id] = [(each.article_id, each.score) for each in found]
        progress.advance(number)
    return rankings, times


def refuse_unwritable(run: Path) -> None:
    try:
        run.open("a").close()
    except OSError as error:
        raise RoofError(f"{run} can't be written: {error.strerror}.") from error


def write(run: Path, rankings: dict[str, Ranking]) -> None:
    try:
        run.write_text("\n".join(as_run(rankings, "deskmate")) + "\n", encoding="utf-8")
    except OSError as error:
        raise RoofError(f"{run} can't be written: {error.strerror}.") from error
