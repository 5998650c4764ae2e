"""`deskmate index`: generations of passages beside each other, and whether the index says what SQL does."""

from pathlib import Path
from typing import Annotated

import typer

from deskmate.printing import AsJson, said

index_app = typer.Typer(help="Other models and chunkers, and repair.", no_args_is_help=True)


@index_app.command()
def build(
    embedder: Annotated[
        str | None,
        typer.Option(help="A sentence-transformers model by name or path; otherwise DESKMATE_EMBEDDER."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a new generation beside the one in use; interrupted, it goes on where it was."""
    from deskmate import indexing
    from deskmate.settings import Settings
    from ingest.progress import shown_on_terminal

    with shown_on_terminal() as progress:
        built = indexing.build(Settings.read(), embedder, progress)
    said(built.as_json(), str(built), as_json=as_json)


@index_app.command()
def switch(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None,
    back: Annotated[bool, typer.Option("--back", help="To the one that answered before.")] = False,
    as_json: AsJson = False,
) -> None:
    """Answer from another generation, in one step; running bots follow."""
    if (name is None) != back:
        raise typer.BadParameter("Give a NAME, or --back.")
    from deskmate import indexing
    from deskmate.settings import Settings
    from ingest.progress import shown_on_terminal

    with shown_on_terminal() as progress:
        active = indexing.switch(Settings.read(), name, progress)
    said({"active": active}, f"{active} answers from now on.", as_json=as_json)


@index_app.command()
def train(
    evaluate: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Judge on labelled questions: corpus.jsonl, queries.jsonl, qrels/test.tsv. Otherwise on a fifth of the"
            " articles, from which nothing is learnt.",
        ),
    ] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to learn; judging takes some more.")] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Train the model in use on your articles and confirmed answers; what isn't surely better is deleted."""
    from deskmate import training
    from deskmate.settings import Settings
    from ingest.progress import shown_on_terminal

    with shown_on_terminal() as progress:
        trained = training.train(Settings.read(), evaluate, minutes, progress)
    said(trained.as_json(), str(trained), as_json=as_json)


@index_app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Which generations there are."""
    from deskmate import indexing
    from deskmate.settings import Settings

    found = indexing.listed(Settings.read())
    lines = [
        f"{each['state']:<9} {each['name']:<40} {each['articles'] - each['missing']:,} of {each['articles']:,} articles"
        for each in found
    ]
    said(
        found,
        "\n".join(lines) or "None is registered yet: `deskmate ingest` or `deskmate index build` does that.",
        as_json=as_json,
    )


@index_app.command()
def verify(
    mend: Annotated[bool, typer.Option("--mend", help="Write anew what differs.")] = False, as_json: AsJson = False
) -> None:
    """Compare the index with SQL, vector by vector; ends with 1 if they differ (and it wasn't mended)."""
    from deskmate import indexing
    from deskmate.settings import Settings

    found = indexing.verify(Settings.read(), mend=mend)
    said(found.as_json(), str(found), as_json=as_json)
    if not found.right:
        raise typer.Exit(1)


@index_app.command()
def prune(as_json: AsJson = False) -> None:
    """Delete what belongs neither to the generation in use nor to the one before it."""
    from deskmate import indexing
    from deskmate.settings import Settings

    found = indexing.prune(Settings.read())
    said(found.as_json(), str(found), as_json=as_json)
    if found.left:
        typer.echo(f"deskmate: {found.left}", err=True)
        raise typer.Exit(1)
