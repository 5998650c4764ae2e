"""The command line. Whatever is heavy is imported by the command that needs it."""

import logging
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from deskmate.code_commands import codes_app
from deskmate.errors import expected
from deskmate.index_commands import index_app
from deskmate.people_commands import people_app
from deskmate.printing import AsJson, print_ready, said
from deskmate.quality_commands import calibrate, evaluate
from deskmate.question_commands import ask, why
from deskmate.request_commands import audit_app, requests_app, switch_app
from deskmate.ticket_commands import tickets_app

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Commands(TyperGroup):
    """Says what is expected to go wrong in one line, and ends with 1."""

    def invoke(self, ctx: Any) -> Any:
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format=LOG_FORMAT)
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever read our output has gone; Python would complain about it once more at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
        except Exception as error:
            if not isinstance(error, expected()):
                raise
            typer.echo(f"deskmate: {' '.join(str(error).split())}", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=Commands,
    help="A service desk that lives in chat.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def verbose() -> None:
    for room in ("bot", "deskmate", "ingest", "knowledge", "store", "tickets"):
        logging.getLogger(room).setLevel(logging.INFO)


def up(
    port: Annotated[int, typer.Option(help="Where the local workspace's page is.")] = 8321,
    once_port: Annotated[int, typer.Option(help="Where the one-time pages are.")] = 3000,
) -> None:
    """Everything in one process: without Slack tokens, with a Slack workspace on this machine."""
    from deskmate.settings import Settings
    from deskmate.up import up as run

    verbose()
    run(Settings.read(), port=port, once_port=once_port, say=print_ready)


def serve(
    http: Annotated[
        bool | None,
        typer.Option("--http/--socket", help="How Slack's requests come; otherwise what the tokens suggest."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address of the web server.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of the web server.")] = 3000,
) -> None:
    """The bot alone, against Slack."""
    from deskmate.serving import serve as run
    from deskmate.settings import Settings

    verbose()
    run(Settings.read(), http=http, host=host, port=port, say=print_ready)


def ingest(
    paths: Annotated[list[str], typer.Argument(metavar="PATH_OR_URL...")],
    as_json: AsJson = False,
) -> None:
    """Articles in, incrementally."""
    from deskmate.settings import Settings
    from deskmate.wiring import open_database, open_library
    from ingest.ingestion import ingest as run
    from ingest.progress import shown_on_terminal

    settings = Settings.read()
    with (
        open_database(settings, migrated=True) as database,
        open_library(database, settings) as library,
        shown_on_terminal() as progress,
    ):
        report = run(paths, library=library, database=database, progress=progress)
    said(report.as_json(), str(report), as_json=as_json)
    for failure in report.failed:
        typer.echo(f"deskmate: {failure.path}: {failure.error}", err=True)
    if report.failed:
        raise typer.Exit(1)


def doctor(as_json: AsJson = False) -> None:
    """What is configured, reachable, missing, and what to do about it."""
    from deskmate.doctor import examine, table

    checks = examine()
    said([check.as_json() for check in checks], table(checks), as_json=as_json)
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(1)


def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the current schema."""
    from deskmate.settings import Settings
    from deskmate.wiring import open_database
    from store.migrating import revision_of

    with open_database(Settings.read(), migrated=True) as database:
        revision = revision_of(database)
    said({"schema": revision}, f"The database is at schema {revision}.", as_json=as_json)


for command in (up, serve, ingest, ask, why, evaluate, calibrate, doctor, migrate):
    app.command()(command)
app.add_typer(index_app, name="index")
app.add_typer(people_app, name="people")
app.add_typer(tickets_app, name="tickets")
app.add_typer(requests_app, name="requests")
app.add_typer(codes_app, name="codes")
app.add_typer(switch_app, name="switch")
app.add_typer(audit_app, name="audit")
