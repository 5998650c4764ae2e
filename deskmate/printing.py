"""What commands print: one JSON document on standard output, or text for a person."""

import json
import shutil
import sys
from typing import Annotated, Any

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]


def printed(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def terminal_width() -> int:
    return min(max(shutil.get_terminal_size((100, 40)).columns, 60), 120)


def said(document: Any, text: str, *, as_json: bool) -> None:
    """The one or the other."""
    if as_json:
        printed(document)
    else:
        typer.echo(text)


def print_ready(line: str) -> None:
    typer.echo(line)
    sys.stdout.flush()
