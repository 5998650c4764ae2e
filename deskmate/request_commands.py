"""What the desk may do in directories, would do, and has done: `deskmate requests`, `switch`, `audit`."""

from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer

from deskmate.printing import AsJson, printed, said

requests_app = typer.Typer(help="Routine requests.", no_args_is_help=True)
switch_app = typer.Typer(help="Stop what is done in directories, and let it go on.", no_args_is_help=True)
audit_app = typer.Typer(help="The audit trail.", no_args_is_help=True)

Scope = Annotated[str, typer.Argument(help="all, workflow:NAME, directory:NAME")]
By = Annotated[str, typer.Option(help="Who says so; the name of this machine's user unless given.")]


@requests_app.command("list")
def requests_list(
    markdown: Annotated[bool, typer.Option("--markdown", help="As the table of docs/requests.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """What employees can ask for."""
    from bot.workflows.register import listed
    from deskmate.request_table import table

    if markdown:
        typer.echo(table().rstrip())
        return
    rows = listed()
    said(rows, "\n".join(f"{row['name']:<16} {row['risk']:<18} {row['request']}" for row in rows), as_json=as_json)


@requests_app.command("try")
def requests_try(
    name: Annotated[str, typer.Argument(help="As `deskmate requests list` names it.")],
    account: Annotated[str, typer.Option("--as", metavar="ACCOUNT", help="Whose request it would be.")],
    values: Annotated[list[str] | None, typer.Option("--set", metavar="FIELD=VALUE")] = None,
    as_json: AsJson = False,
) -> None:
    """What a request would change and who would approve it; nothing is done."""
    from bot.directory.register import directory
    from deskmate.settings import Settings
    from deskmate.trying import tried
    from deskmate.wiring import offers_of, open_database
    from store import utc_now

    settings = Settings.read()
    given: dict[str, str] = {}
    for value in values or ():
        field, equals, rest = value.partition("=")
        if not equals:
            raise typer.BadParameter(f"{value} isn't FIELD=VALUE.")
        given[field] = rest
    with open_database(settings) as database:
        plan = tried(
            name,
            account,
            given,
            database=database,
            directory=directory(settings.directory, database),
            directory_name=settings.directory.directory,
            offers=offers_of(settings),
            now=utc_now,
        )
    said(plan.as_json(), str(plan), as_json=as_json)


@requests_app.command("replay")
def requests_replay(
    name: Annotated[str | None, typer.Argument(help="Of one kind only, as `deskmate requests list` names it.")] = None,
    as_json: AsJson = False,
) -> None:
    """How past requests would go with the directory and the offers of today; nothing is done."""
    from bot.directory.register import directory
    from deskmate.settings import Settings
    from deskmate.trying import replayed
    from deskmate.wiring import offers_of, open_database

    settings = Settings.read()
    with open_database(settings) as database:
        found = replayed(
            name,
            database=database,
            directory=directory(settings.directory, database),
            directory_name=settings.directory.directory,
            offers=offers_of(settings),
        )
    lines = "\n".join(map(str, found)) or "There are no requests yet."
    said([each.as_json() for each in found], lines, as_json=as_json)


@switch_app.command("list")
def switch_list(as_json: AsJson = False) -> None:
    """What is switched off."""
    from sqlalchemy import select

    from bot.routines.records import Switch
    from deskmate.settings import Settings
    from deskmate.wiring import open_database

    with open_database(Settings.read()) as database, database.reading() as session:
        off = [shown(switch) for switch in session.scalars(select(Switch).where(Switch.off).order_by(Switch.scope))]
    lines = [
        f"{each['scope']:<24} off since {each['at']} by {each['by']}: {each['reason']}"
        + (f" ({each['opening_by']} wants it on again)" if each["opening_by"] else "")
        for each in off
    ]
    said(off, "\n".join(lines) or "Nothing is switched off.", as_json=as_json)


@switch_app.command("off")
def switch_off_command(
    scope: Scope,
    reason: Annotated[str, typer.Option(help="Why; whoever looks later reads it.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Nothing more is done in this scope, from now on; what waits is refused when its turn comes."""
    from bot.routines.switches import switch_off
    from deskmate.settings import Settings
    from deskmate.wiring import open_database
    from store import utc_now

    with open_database(Settings.read()) as database, database.transaction() as session:
        switch = switch_off(session, checked(scope), by=by or getuser(), reason=reason, now=utc_now())
        told = shown(switch)
    said(told, f"{scope} is off.", as_json=as_json)


@switch_app.command("on")
def switch_on_command(scope: Scope, by: By = "", as_json: AsJson = False) -> None:
    """Two people have to say so, one after the other."""
    from bot.routines.switches import switch_on
    from deskmate.settings import Settings
    from deskmate.wiring import open_database
    from store import utc_now

    with open_database(Settings.read()) as database, database.transaction() as session:
        switch = switch_on(session, checked(scope), by=by or getuser(), now=utc_now())
        told = shown(switch)
    said(
        told, f"{scope} stays off until a second person says so." if told["off"] else f"{scope} is on.", as_json=as_json
    )


def checked(scope: str) -> str:
    from bot.routines.switches import ALL
    from bot.workflows.register import listed

    kind, colon, name = scope.partition(":")
    known = {row["name"] for row in listed()}
    if scope == ALL or (colon and kind == "directory" and name) or (kind == "workflow" and name in known):
        return scope
    raise typer.BadParameter(f"{scope} is neither all, workflow:NAME ({', '.join(sorted(known))}), nor directory:NAME.")


def shown(switch: Any) -> dict[str, Any]:
    return {
        "scope": switch.scope,
        "off": switch.off,
        "reason": switch.reason,
        "by": switch.by,
        "opening_by": switch.opening_by,
        "at": switch.at.isoformat(timespec="seconds"),
    }


@audit_app.command("verify")
def audit_verify(as_json: AsJson = False) -> None:
    """Whether no row of the trail was changed, moved or taken out; ends with 1 if one was."""
    from bot.workflows.audit import end_of, first_broken
    from deskmate.settings import Settings
    from deskmate.wiring import open_database

    with open_database(Settings.read()) as database, database.reading() as session:
        broken, (rows, last) = first_broken(session), end_of(session)
    report = {"rows": rows, "last_digest": last, "first_broken": broken}
    whole = f"{rows} rows, unbroken. The last digest is {last}: keep it elsewhere, a cut end doesn't show otherwise."
    said(
        report, whole if broken is None else f"Row {broken} was changed, or the row before it is gone.", as_json=as_json
    )
    if broken is not None:
        raise typer.Exit(1)


@audit_app.command("export")
def audit_export(path: Annotated[Path, typer.Argument(help="JSON Lines; - for standard output.")]) -> None:
    """All rows, as JSON Lines, each with its digest."""
    import json

    from bot.workflows.audit import exported
    from deskmate.settings import Settings
    from deskmate.wiring import open_database

    with open_database(Settings.read()) as database, database.reading() as session:
        lines = [json.dumps(row) for row in exported(session)]
    if str(path) == "-":
        for line in lines:
            typer.echo(line)
        return
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    printed({"rows": len(lines), "path": str(path)})
