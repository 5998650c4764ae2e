"""`deskmate ask` and `deskmate why`: what the desk says, and why it said what it said."""

import json
from pathlib import Path
from typing import Annotated

import typer

from deskmate.printing import AsJson, printed, terminal_width


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
