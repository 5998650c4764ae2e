"""`deskmate evaluate` and `deskmate calibrate`: how well it ranks, and how sure to be of an answer."""

from pathlib import Path
from typing import Annotated

import typer

from deskmate.printing import AsJson, printed, said


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="corpus.jsonl, queries.jsonl, qrels/test.tsv")],
    run: Annotated[Path, typer.Option(help="Where to write the ranking, as a TREC run.")],
    as_json: AsJson = False,
) -> None:
    """How well the retriever ranks a collection of labelled questions (BEIR's layout), in a store of its own."""
    from deskmate.evaluating import evaluate as measure
    from deskmate.settings import read
    from ingest.progress import shown_on_terminal
    from knowledge.settings import KnowledgeSettings

    with shown_on_terminal() as progress:
        found = measure(folder, run, read(KnowledgeSettings), progress=progress)
    if as_json:
        printed(found.as_json())
        return
    for name, metric in found.metrics.items():
        typer.echo(f"{name:<11} {metric.mean:.3f}  (95 %: {metric.low:.3f} to {metric.high:.3f})")
    typer.echo(f"{'per query':<11} {found.query_ms['p50']:.1f} ms, 95th percentile {found.query_ms['p95']:.1f} ms")
    typer.echo(f"{found.judged} judged of {found.queries} questions, {found.documents} documents")


def calibrate(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="corpus.jsonl, queries.jsonl, qrels/test.tsv")
    ] = None,
    feedback: Annotated[bool, typer.Option("--feedback", help="Learn from what people thought of answers.")] = False,
    as_json: AsJson = False,
) -> None:
    """How sure to be of an answer: learnt from labelled questions in a store of its own, kept in the home."""
    if (folder is None) != feedback:
        raise typer.BadParameter("Give a DIR of labelled questions, or --feedback.")
    from deskmate import calibrating
    from deskmate.settings import Settings
    from deskmate.wiring import open_database, open_library
    from ingest.progress import shown_on_terminal

    settings = Settings.read()
    if folder is not None:
        with shown_on_terminal() as progress:
            made = calibrating.calibrate(folder, settings.knowledge, progress=progress)
    else:
        with open_database(settings) as database, open_library(database, settings) as library:
            made = calibrating.calibrate_by_feedback(database, settings.knowledge, library.embedder)
    said(made.as_json(), str(made), as_json=as_json)
