"""What a message is compared with examples as: slips of the pen mended, and names of offers replaced by their kind."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.routing import Router
from bot.workflows.register import ROUTINES

NAMES = {"design-tools": "team", "AutoCAD": "the program", "orders@": "the sales mailbox", "design": "team"}


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def router(seen: list[str]) -> Router:
    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        seen[:] = texts
        return np.ones((len(texts), 1), dtype=np.float32)

    return Router(encode, ROUTINES, NAMES)


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("i forgott my pasword", "i forgot my password"),
        ("add me to design-tools", "add me to team"),
        ("add me to design tools", "add me to team"),
        ("add me to designtools", "add me to team"),
        ("I need AutoCAD!", "i need the program!"),
        ("give me access to orders@", "give me access to the sales mailbox"),
        ("designer chairs", "designer chairs"),
        ("my passport expired", "my passport expired"),
    ],
)
def test_what_is_compared(router: Router, seen: list[str], text: str, compared: str) -> None:
    router.route(text)
    assert seen == [compared]
