"""What an index holds against what SQL has."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from knowledge.records import Passage
from knowledge.vectors import FetchVectors, Held

SAME = 1e-4  # of each component: an index may keep vectors rounded, but not another vector

Windows = Mapping[int, tuple[str, int]]  # of each passage its access set, and how many vectors it has


@dataclass(frozen=True)
class Differences:
    """In passages. One in the wrong access set counts there alone, not as missing in the right one too."""

    passages: int  # in SQL
    missing: int  # not in the index, or not all of their vectors
    surplus: int  # in the index, but not in SQL (any more), or with too many vectors
    misplaced: int  # in the index for other people than SQL says
    changed: int  # with another vector

    @property
    def count(self) -> int:
        return self.missing + self.surplus + self.misplaced + self.changed

    def as_json(self) -> dict[str, int]:
        return asdict(self)


def windows_of(session: Session, generation: str, dimension: int) -> dict[int, tuple[str, int]]:
    rows = session.execute(
        select(Passage.id, Passage.access_set, func.length(Passage.vectors)).where(Passage.generation == generation)
    )
    return {passage: (access_set, size // (4 * dimension)) for passage, access_set, size in rows}


def differences(windows: Windows, held: Iterable[Held], fetch: FetchVectors) -> Differences:
    """`held` is what the index has, `fetch` reads SQL's vectors."""
    seen: dict[int, int] = {}  # right vectors of each passage in its own set
    surplus: set[int] = set()
    misplaced: set[int] = set()
    changed: set[int] = set()
    for some in held:
        told = fetch([passage for passage in np.unique(some.passages).tolist() if passage in windows])
        for passage, window, row in zip(some.passages.tolist(), some.windows.tolist(), some.rows, strict=True):
            access_set, count = windows.get(passage, ("", 0))
            if passage not in told or window >= count:
                surplus.add(passage)
            elif access_set != some.access_set:
                misplaced.add(passage)
            else:
                seen[passage] = seen.get(passage, 0) + 1
                if not np.allclose(row, told[passage][window], atol=SAME, rtol=0.0):
                    changed.add(passage)
    missing = {passage for passage, (_, count) in windows.items() if seen.get(passage, 0) < count}
    return Differences(len(windows), len(missing - misplaced), len(surplus), len(misplaced), len(changed))
