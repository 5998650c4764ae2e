"""The progress bar."""

import io
import sys

import pytest

from ingest.progress import Silent, shown_on_terminal


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_silent_when_standard_error_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)

    with shown_on_terminal() as progress:
        assert isinstance(progress, Silent)
        progress.start(2)
        progress.advance(2)

    assert stream.getvalue() == ""


def test_a_terminal_shows_count_and_rate_on_standard_error_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    with shown_on_terminal() as progress:
        progress.start(4)
        progress.advance(3)

    assert "3/4" in terminal.getvalue()
    assert "/s" in terminal.getvalue()
    assert capsys.readouterr().out == ""
