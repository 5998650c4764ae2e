from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox import Sandbox
from tests.bot.conftest import place, sandbox
from tests.faults.process import Child, environment_of
from tests.filled import filled

__all__ = ["place", "sandbox"]

Serve = Callable[..., Child]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Serve]:
    """Starts `deskmate` with arguments and an environment; whatever still runs at the end is killed."""
    children: list[Child] = []

    def begin(*arguments: str, failpoint: str = "", **environment: str) -> Child:
        children.append(Child(tmp_path, *arguments, failpoint=failpoint, **environment))
        return children[-1]

    yield begin
    for child in children:
        if child.process.poll() is None:
            child.process.kill()
        child.ended()


@pytest.fixture
def environment(sandbox: Sandbox, tmp_path: Path, database_url: str) -> dict[str, str]:
    """The environment of a `deskmate serve` that knows four articles and the sample people."""
    return environment_of(sandbox, filled(sandbox, tmp_path, database_url))
