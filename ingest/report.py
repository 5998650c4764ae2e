"""What became of an ingestion."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Failure:
    """`path` as the person can find it; `error` is one line."""

    path: str
    error: str


@dataclass
class Report:
    """Counts of articles; a file in `failed` is in none of them, and what was known of it before stays."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[Failure] = field(default_factory=list)

    def fail(self, path: str, error: str) -> None:
        # A file name may hold bytes that are no text; the report must still be printable.
        self.failed.append(Failure(path.encode("utf-8", "replace").decode("utf-8"), error))

    def as_json(self) -> dict[str, Any]:
        return {
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "removed": self.removed,
            "failed": [{"path": failure.path, "error": failure.error} for failure in self.failed],
        }

    def __str__(self) -> str:
        counts = f"{self.added} added, {self.changed} changed, {self.unchanged} unchanged, {self.removed} removed"
        return f"{counts}, {len(self.failed)} failed" if self.failed else counts
