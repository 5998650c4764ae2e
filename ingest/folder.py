"""The articles' files under a folder."""

import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ingest.file import SUFFIXES

SKIPPED = ("node_modules",)


@dataclass
class Listing:
    """Paths relative to the root, with forward slashes, sorted; and the folders that couldn't be read, with why.

    What lies below an unreadable folder isn't known: it must not be taken for vanished.
    """

    files: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)

    def hides(self, path: str) -> bool:
        """Whether a file known from before may still be there, in a folder that can't be read now."""
        return any(PurePosixPath(path).is_relative_to(folder) for folder in self.unreadable)


def walk(root: Path) -> Listing:
    """The Markdown and HTML files below `root` (an absolute path without links), hidden ones left out.

    Linked folders aren't entered: what they hold inside the root is found where it is, and nothing outside may be
    read. A linked file counts when its target lies in the root and isn't listed itself.
    """
    listing = Listing()
    links: list[str] = []

    def unreadable(error: OSError) -> None:
        folder = Path(os.fsdecode(error.filename)).relative_to(root).as_posix()
        listing.unreadable[folder] = error.strerror or type(error).__name__

    for folder, folders, names in os.walk(root, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in SKIPPED]
        for name in names:
            if not name.startswith(".") and name.lower().endswith(SUFFIXES):
                path = Path(folder, name)
                (links if path.is_symlink() else listing.files).append(path.relative_to(root).as_posix())
    seen = {root / path for path in listing.files}
    for link in sorted(links):
        target = Path(os.path.realpath(root / link))
        if target.is_relative_to(root) and target not in seen and target.is_file():
            seen.add(target)
            listing.files.append(link)
    listing.files.sort()
    return listing
