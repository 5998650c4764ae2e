import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import deskmate
from deskmate.cli import app

SAMPLE = Path(deskmate.__file__).parent / "sample"
FEW = ("network", "accounts", "it")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def use(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of the machine's own settings, and no `.env`."""
    for name in list(os.environ):
        if name.startswith(("SLACK_", "DESKMATE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("DESKMATE_HOME", str(home))
    monkeypatch.chdir(home.parent)
    return home


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with some articles and the sample people, made by the commands themselves."""
    home = tmp_path_factory.mktemp("roof") / "home"
    with pytest.MonkeyPatch.context() as monkeypatch:
        use(home, monkeypatch)
        ingested = run("ingest", *(str(SAMPLE / "articles" / name) for name in FEW))
        assert ingested.exit_code == 0, ingested.output
        imported = run("people", "import", str(SAMPLE / "people.json"))
        assert imported.exit_code == 0, imported.output
    return home


@pytest.fixture
def home(filled_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use(filled_home, monkeypatch)


@pytest.fixture
def new_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use(tmp_path / "home", monkeypatch)
