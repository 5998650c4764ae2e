"""From what a person names on the command line to the roots that are read."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from ingest import records
from ingest.file import SUFFIXES
from ingest.folder import Listing, walk
from ingest.report import Report
from store import Database

NOT_YET = {".pdf": "PDF", ".docx": "Word", ".doc": "Word"}


@dataclass
class Root:
    """A folder with the files in it that are to be read: all there are (`whole`), or those that were named."""

    path: Path  # absolute, without links
    shown: str  # as the person wrote it
    whole: bool
    listing: Listing = field(default_factory=Listing)

    @property
    def source(self) -> str:
        return str(self.path)

    def name(self, relative: str) -> str:
        """A file of the root as the person would write it."""
        return os.path.join(self.shown, relative)


def is_text(path: str) -> bool:
    """False for a name with bytes that are no text in the system's encoding; no database can keep it."""
    return not any("\ud800" <= letter <= "\udfff" for letter in path)


def find_roots(paths: list[str], database: Database, report: Report) -> list[Root]:
    """The roots of the paths, each once; what can't be read is reported."""
    real = {written: Path(os.path.realpath(os.path.expanduser(written))) for written in paths}
    roots: dict[Path, Root] = {}
    files: list[str] = []
    for written, path in real.items():
        if "://" in written:
            report.fail(written, "web addresses aren't supported yet; give a folder, a Markdown or an HTML file")
        elif not is_text(written):
            report.fail(written, "its name holds bytes that are no text")
        elif path.is_dir():
            roots.setdefault(path, Root(path, written, whole=True))
        elif not path.exists():
            report.fail(written, "there is no such file or folder")
        elif path.suffix.lower() in NOT_YET:
            report.fail(written, f"{NOT_YET[path.suffix.lower()]} files aren't supported yet")
        elif path.suffix.lower() not in SUFFIXES:
            report.fail(written, f"not an article: its name must end in one of {', '.join(SUFFIXES)}")
        else:
            files.append(written)
    for root in roots.values():
        root.listing = walk(root.path)
    for written in files:
        _add_file(real[written], written, roots, database)
    return list(roots.values())


def _add_file(path: Path, written: str, roots: dict[Path, Root], database: Database) -> None:
    if any(root.whole and path.is_relative_to(root.path) for root in roots.values()):
        return
    with database.reading() as session:
        folder = records.root_of(session, path) or path.parent
    shown = os.path.dirname(written) if folder == path.parent else str(folder)
    root = roots.setdefault(folder, Root(folder, shown, whole=False))
    relative = path.relative_to(folder).as_posix()
    if relative not in root.listing.files:
        root.listing.files = sorted([*root.listing.files, relative])
