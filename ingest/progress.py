"""How far an ingestion is, on a terminal."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """`total` files (or whatever `what` says) have to be read; `done` of them are in."""

    def start(self, total: int, what: str = "Articles") -> None: ...

    def advance(self, done: int) -> None: ...


class Silent:
    def start(self, total: int, what: str = "Articles") -> None:
        pass

    def advance(self, done: int) -> None:
        pass


class Bar:
    """A bar with the rate per second and the time left. `start` again begins anew, for the next source."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Rich

        self._rich = Rich(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._rich.add_task("Articles", total=None, visible=False, rate="")

    def start(self, total: int, what: str = "Articles") -> None:
        self._rich.reset(self._task, total=total, visible=total > 0, description=what, rate="")

    def advance(self, done: int) -> None:
        elapsed = self._rich.tasks[0].elapsed
        rate = f"{done / elapsed:.1f}/s" if elapsed else ""
        self._rich.update(self._task, completed=done, rate=rate)

    def __enter__(self) -> "Bar":
        self._rich.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._rich.stop()


@contextmanager
def shown_on_terminal() -> Iterator[Progress]:
    """A bar when standard error is a terminal, nothing otherwise."""
    if not sys.stderr.isatty():
        yield Silent()
        return
    with Bar() as bar:
        yield bar
