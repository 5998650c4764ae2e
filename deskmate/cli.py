"""The command line. Whatever is heavy is imported by the command that needs it."""

import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from deskmate.errors import expected
from deskmate.index_commands import index_app

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Commands(TyperGroup):
    """Says what is expected to go wrong in one line, and ends with 1."""

    def invoke(self, ctx: Any) -> Any:
        logging.basicConfig(
            stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
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
people_app = typer.Typer(help="Who is who.", no_args_is_help=True)
tickets_app = typer.Typer(help="Look at tickets.", no_args_is_help=True)
app.add_typer(index_app, name="index")
app.add_typer(people_app, name="people")
app.add_typer(tickets_app, name="tickets")


def printed(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def terminal_width() -> int:
    return min(max(shutil.get_terminal_size((100, 40)).columns, 60), 120)


def print_ready(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()


def verbose() -> None:
    for room in ("bot", "deskmate", "ingest", "knowledge", "store", "tickets"):
        logging.getLogger(room).setLevel(logging.INFO)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Where the local workspace's page is.")] = 8321,
    once_port: Annotated[int, typer.Option(help="Where the one-time pages are.")] = 3000,
) -> None:
    """Everything in one process: without Slack tokens, with a Slack workspace on this machine."""
    from deskmate.settings import Settings
    from deskmate.up import up as run

    verbose()
    run(Settings.read(), port=port, once_port=once_port, say=print_ready)


@app.command()
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


@app.command()
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
    if as_json:
        printed(report.as_json())
    else:
        typer.echo(str(report))
    for failure in report.failed:
        typer.echo(f"deskmate: {failure.path}: {failure.error}", err=True)
    if report.failed:
        raise typer.Exit(1)


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument()] = None,
    account: Annotated[str | None, typer.Option("--as", metavar="ACCOUNT", help="Ask as this person.")] = None,
    batch: Annotated[
        Path | None, typer.Option(help="JSON Lines of `id`, `text`, and maybe `as`; a result per line.")
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Also tell why it says that.")] = False,
    as_json: AsJson = False,
) -> None:
    """One question, as in a direct message; nothing is written."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("Give a QUESTION, or --batch FILE.")
    if batch is not None and account is not None:
        raise typer.BadParameter("With --batch, say `as` in each line of the file.")
    if batch is not None and why:
        raise typer.BadParameter("--why is for one QUESTION.")
    from bot.why import to_json
    from deskmate import asking
    from deskmate.explaining import explained
    from deskmate.settings import Settings
    from deskmate.wiring import open_asking, people_of

    settings = Settings.read()
    with open_asking(settings, brief=batch is None) as desk:
        people = people_of(desk.database, settings, secret="")
        if batch is not None:
            for result in asking.answers(desk, people, batch):
                typer.echo(json.dumps(result, ensure_ascii=False))
            return
        result, decision = asking.asked(desk, question or "", asking.employee_of(people, account))
    if as_json:
        printed({**result, "why": to_json(decision.why)} if why else result)
        return
    typer.echo(result["text"])
    typer.echo(f"\n[{result['outcome']}, confidence {result['confidence']:.2f}]", err=True)
    if why:
        typer.echo(f"\n{explained(decision.outcome, decision.why, terminal_width())}")


@app.command()
def why(
    turn: Annotated[
        str | None,
        typer.Argument(help="A message's link or ts (the employee's or the reply), a turn's key, or `last`."),
    ] = None,
    latest: Annotated[bool, typer.Option("--list", help="The latest turns, to find one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Why the desk said what it said."""
    if (turn is None) != latest:
        raise typer.BadParameter("Give a TURN (`last` is the latest), or --list.")
    from bot.turn_names import turn_named
    from deskmate import why as kept
    from deskmate.settings import Settings
    from deskmate.wiring import open_database

    with open_database(Settings.read()) as database, database.reading() as session:
        if turn is None:
            entries = kept.listed(session)
            if as_json:
                printed(entries)
            else:
                typer.echo("\n".join(kept.list_lines(entries, terminal_width())) or "There are no turns yet.")
            return
        found = turn_named(session, turn)
        if as_json:
            printed(kept.as_json(session, found))
        else:
            typer.echo(kept.as_text(session, found, terminal_width()))


@app.command()
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


@app.command()
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
        with (
            open_database(settings) as database,
            open_library(database, settings) as library,
            database.reading() as session,
        ):
            made = calibrating.calibrate_by_feedback(session, settings.knowledge, library.embedder)
    if as_json:
        printed(made.as_json())
    else:
        typer.echo(str(made))


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """What is configured, reachable, missing, and what to do about it."""
    from deskmate.doctor import examine, table

    checks = examine()
    if as_json:
        printed([check.as_json() for check in checks])
    else:
        typer.echo(table(checks))
    if any(check.state == "missing" for check in checks):
        raise typer.Exit(1)


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database to the current schema."""
    from deskmate.settings import Settings
    from deskmate.wiring import open_database
    from store.migrating import revision_of

    with open_database(Settings.read(), migrated=True) as database:
        revision = revision_of(database)
    if as_json:
        printed({"schema": revision})
    else:
        typer.echo(f"The database is at schema {revision}.")


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


@tickets_app.command("list")
def tickets_list(as_json: AsJson = False) -> None:
    """All tickets, the latest first."""
    from deskmate.settings import Settings
    from deskmate.wiring import open_database
    from tickets import queries

    with open_database(Settings.read()) as database, database.reading() as session:
        listed = [queries.listed(ticket) for ticket in queries.tickets(session)]
    if as_json:
        printed(listed)
        return
    for ticket in listed:
        who = ticket["assignee"] or "nobody"
        typer.echo(f"{ticket['number']}  {ticket['priority']}  {ticket['state']:<11}  {who:<12}  {ticket['title']}")
    if not listed:
        typer.echo("There are no tickets.")


@tickets_app.command("show")
def tickets_show(
    number: Annotated[str, typer.Argument(help="42 or INC0000042")],
    as_json: AsJson = False,
) -> None:
    """One ticket with its worklog and events."""
    from deskmate.settings import Settings
    from deskmate.wiring import open_database
    from tickets import queries

    with open_database(Settings.read()) as database, database.reading() as session:
        shown = queries.shown(session, queries.find(session, number))
    if as_json:
        printed(shown)
        return
    for name in ("number", "title", "kind", "state", "priority", "requester", "assignee", "created_at", "updated_at"):
        typer.echo(f"{name.replace('_', ' '):<11} {shown[name] or '-'}")
    for entry in shown["worklog"]:
        typer.echo(f"\n{entry['at']}  {entry['author']} ({entry['kind']})\n{entry['text']}")
    typer.echo("\nEvents")
    for event in shown["events"]:
        typer.echo(f"{event['seq']:>3}  {event['at']}  {event['type']:<14} {event['actor']}")
