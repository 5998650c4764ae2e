"""What a measurement writes into docs/: the part between its markers, and pictures that stay the same when nothing
changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.knowledge_base import REPOSITORY

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOCS = REPOSITORY / "docs"
COLOURS = ("#c8372d", "#1f4e79", "#4a90c2", "#8fb8d8", "#6b7280", "#9ca3af", "#d1d5db")  # ours first


class MarkersMissing(Exception):
    """The document has no place for this measurement: a line `<!-- begin: COMMAND -->` and one with `end`."""


def put_between_markers(document: Path, command: str, part: str) -> None:
    """Replace what stands between `<!-- begin: COMMAND -->` and `<!-- end: COMMAND -->`.

    Raises `MarkersMissing`.
    """
    begin, end = f"<!-- begin: {command} -->", f"<!-- end: {command} -->"
    text = document.read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, also_found, after = rest.partition(end)
    if not found or not also_found:
        raise MarkersMissing(f"{document} has no `{begin}` followed by `{end}`.")
    document.write_text(f"{before}{begin}\n{part.strip()}\n{end}{after}", encoding="utf-8")


@contextmanager
def picture(name: str, *, width: float = 9, height: float = 4.5, panels: int = 1) -> "Iterator[list[Axes]]":
    """Axes side by side to draw on; written to docs/images/NAME as SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {
        "svg.hashsalt": "deskmate",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
    }
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, panels, figsize=(width, height), layout="constrained", squeeze=False)
    yield list(axes[0])
    figure.savefig(DOCS / "images" / name, metadata={"Date": None})
    pyplot.close(figure)
