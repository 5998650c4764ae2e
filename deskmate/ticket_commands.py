"""`deskmate tickets`: a look at them."""

from typing import Annotated

import typer

from deskmate.printing import AsJson, printed

tickets_app = typer.Typer(help="Look at tickets.", no_args_is_help=True)


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
