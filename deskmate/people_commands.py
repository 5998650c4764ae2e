"""`deskmate people`: who is who."""

from pathlib import Path
from typing import Annotated

import typer

from deskmate.printing import AsJson, printed

people_app = typer.Typer(help="Who is who.", no_args_is_help=True)


@people_app.command("import")
def people_import(file: Annotated[Path, typer.Argument(metavar="FILE.json")], as_json: AsJson = False) -> None:
    """An administrator's feed of people and their Slack accounts."""
    from bot.people import load_feed
    from deskmate.settings import Settings
    from deskmate.wiring import open_database, people_of

    settings = Settings.read()
    feed = load_feed(file)
    with open_database(settings, migrated=True) as database:
        report = people_of(database, settings, secret=settings.roof.secret()).import_feed(feed)
    counts = {"added": report.added, "changed": report.changed, "unchanged": report.unchanged}
    if as_json:
        failed = [{"account": account, "error": error} for account, error in report.failed]
        printed({**counts, "failed": failed})
    else:
        typer.echo(", ".join(f"{count} {name}" for name, count in counts.items()))
    for account, error in report.failed:
        typer.echo(f"deskmate: {account}: {error}", err=True)
    if report.failed:
        raise typer.Exit(1)
