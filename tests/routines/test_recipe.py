"""The workflow in docs/recipes.md works as it stands there."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from bot.routines.forms import form, wish_of
from bot.routines.offers import Offers
from store import Database

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
NAME = "bot.routines.drawing_licence"


def blocks() -> list[str]:
    """The Python of the section on workflows."""
    section = PAGE.read_text(encoding="utf-8").partition("## A workflow\n")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_the_recipe_of_a_workflow_is_whole(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    source, test = blocks()
    module = ModuleType(NAME)
    monkeypatch.setitem(sys.modules, NAME, module)
    exec(compile(source, "the recipe", "exec", dont_inherit=True), module.__dict__)
    routine = module.DrawingLicence()
    assert len(routine.title) <= 24
    assert form("f", routine.title, routine.Wish, {}, Offers().names)["blocks"]
    assert wish_of(routine.Wish, {}) == {"reason": "This is needed."}

    told: dict[str, object] = {}
    exec(compile(test, "its test", "exec", dont_inherit=True), told)
    (run,) = (value for name, value in told.items() if name.startswith("test_"))
    assert callable(run)
    run(database)
