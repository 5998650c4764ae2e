"""Codes that are handed out one by one: `deskmate codes`."""

from pathlib import Path
from typing import Annotated

import typer

from deskmate.printing import AsJson, said

codes_app = typer.Typer(help="Codes that the desk hands out, such as guests' Wi-Fi vouchers.", no_args_is_help=True)


@codes_app.command("add")
def codes_add(
    offer: Annotated[str, typer.Argument(help="The name of an offer of the kind `code`.")],
    file: Annotated[Path, typer.Argument(help="A text file with a code in each line.")],
    as_json: AsJson = False,
) -> None:
    """Put codes in stock; those that are known already are passed over."""
    from bot.routines.records import add_codes, codes_left
    from deskmate.errors import RoofError
    from deskmate.settings import Settings
    from deskmate.wiring import offers_of, open_database

    settings = Settings.read()
    offers = offers_of(settings)
    found = offers.find("code", offer)
    if found is None:
        names = ", ".join(offers.names("code")) or "none; see docs/requests.md"
        raise RoofError(f"There is no offer of codes named {offer}. There are: {names}.")
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise RoofError(f"{file} can't be read: {getattr(error, 'strerror', None) or 'it is no text'}.") from error
    codes = [line for line in lines if line]
    if not codes or max(map(len, codes)) > 200:
        raise RoofError(f"{file} should have a code in each line, of at most 200 characters.")
    with open_database(settings) as database, database.transaction() as session:
        added = add_codes(session, found.name, codes)
        session.flush()
        left = codes_left(session, found.name)
    told = {"offer": found.name, "added": added, "left": left}
    said(told, f"{added} codes of {found.name} added; {left} are left to hand out.", as_json=as_json)


@codes_app.command("list")
def codes_list(as_json: AsJson = False) -> None:
    """How many codes of each offer are left."""
    from bot.routines.records import codes_left
    from deskmate.settings import Settings
    from deskmate.wiring import offers_of, open_database

    settings = Settings.read()
    names = offers_of(settings).names("code")
    with open_database(settings) as database, database.reading() as session:
        left = {name: codes_left(session, name) for name in names}
    lines = "\n".join(f"{name:<32} {count:>6}" for name, count in left.items())
    said(
        [{"offer": name, "left": count} for name, count in left.items()],
        lines or "No codes are on offer.",
        as_json=as_json,
    )
