"""A probability made of what a search found, and from which probability on to answer, learnt from labelled questions.

The score is linear in the features, or the mean of a forest's trees (Breiman 2001), made a probability by Platt's
scaling (1999). Made by `deskmate calibrate`, kept as JSON in the home; without it, or when it doesn't fit this version,
the one that is shipped counts.
"""

import hashlib
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from knowledge.chunking import CHUNKER_VERSION
from knowledge.confidence import FEATURES, FEATURES_VERSION
from knowledge.errors import KnowledgeError

log = logging.getLogger(__name__)

SHIPPED = Path(__file__).with_name("calibration.json")
NAME = "calibration.json"
NEVER = 1.01  # a bar that no probability reaches
LEAF = -1


class CalibrationUnreadable(KnowledgeError):
    """The file isn't a calibration, or one of another version; says which file and why."""


@dataclass(frozen=True)
class Tree:
    """Nodes in one list, the root first: in a leaf `feature` is -1 and `left` is without meaning, otherwise what is at
    most `cut` goes to the node `left`, the rest to `left + 1`; `value` is that of a leaf."""

    feature: tuple[int, ...]
    cut: tuple[float, ...]
    left: tuple[int, ...]
    value: tuple[float, ...]

    def of(self, values: list[float]) -> float:
        node = 0
        while self.feature[node] != LEAF:
            node = self.left[node] + (values[self.feature[node]] > self.cut[node])
        return self.value[node]


@dataclass(frozen=True)
class Calibration:
    """JSON-able. `bars`: for each share of wrong answers, rising, the probability from which on so few of the questions
    that were held out were answered wrongly; `asking`: from which on asking back was worth it."""

    intercept: float
    coefficients: Mapping[str, float]
    bars: tuple[tuple[float, float], ...]
    asking: float
    made_at: str
    questions: int
    embedder: str
    trees: tuple[Tree, ...] = ()
    slope: float = 1.0  # of the logit over the score
    features: int = FEATURES_VERSION
    chunker: int = CHUNKER_VERSION
    made_of: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)

    def probability(self, found: Mapping[str, float]) -> float:
        """Of features, as `knowledge.confidence` gives them."""
        score = sum(weight * found[name] for name, weight in self.coefficients.items())
        if self.trees:
            values = [found[name] for name in FEATURES]
            score += sum(tree.of(values) for tree in self.trees)
        logit = self.intercept + self.slope * score
        return 1.0 / (1.0 + math.exp(-max(min(logit, 500.0), -500.0)))

    def bar(self, target_error: float) -> float:
        """The probability from which on answers are given, so that at most this share of them is wrong."""
        fitting = [bar for error, bar in self.bars if error <= target_error + 1e-9]
        return min(fitting, default=NEVER)

    def asking_from(self, target_error: float) -> float:
        """The probability from which on asking back is worth it, never above the bar for an answer."""
        return min(self.asking, self.bar(target_error))

    @cached_property
    def version(self) -> str:
        """Tells this calibration from others."""
        return hashlib.sha256(self.as_json().encode()).hexdigest()[:8]

    def as_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)


_adapter = TypeAdapter(Calibration)


def read(path: Path) -> Calibration:
    """Errors: `CalibrationUnreadable`, also for one made with other features or another chunker."""
    try:
        made = _adapter.validate_json(path.read_bytes())
    except OSError as error:
        raise CalibrationUnreadable(f"{path} can't be read: {error.strerror}.") from error
    except ValidationError as error:
        raise CalibrationUnreadable(f"{path} isn't a calibration of Deskmate.") from error
    if (made.features, made.chunker) != (FEATURES_VERSION, CHUNKER_VERSION):
        raise CalibrationUnreadable(
            f"{path} was made by another version of Deskmate (features {made.features} and chunker {made.chunker},"
            f" now {FEATURES_VERSION} and {CHUNKER_VERSION}). Run `deskmate calibrate` again."
        )
    if not made.coefficients.keys() <= set(FEATURES) or not all(map(sound, made.trees)):
        raise CalibrationUnreadable(f"{path} isn't a calibration of Deskmate.")
    return made


def sound(tree: Tree) -> bool:
    """Whether following it always ends in a leaf."""
    size = len(tree.feature)
    return (
        size > 0
        and {len(tree.cut), len(tree.left), len(tree.value)} == {size}
        and all(
            feature == LEAF or (0 <= feature < len(FEATURES) and node < left < size - 1)
            for node, (feature, left) in enumerate(zip(tree.feature, tree.left, strict=True))
        )
    )


def write(made: Calibration, home: Path) -> Path:
    """Into the home, in one step."""
    path = home / NAME
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(made.as_json() + "\n", encoding="utf-8")
    unfinished.replace(path)
    return path


def stamp_of(home: Path) -> int | None:
    """Another one when the home's calibration was written anew, None when there is none."""
    try:
        return (home / NAME).stat().st_mtime_ns
    except OSError:
        return None


def calibration_for(home: Path, embedder: str) -> Calibration:
    """That of the home; the shipped one, with one line in the log, when it can't be used with this embedder."""
    path = home / NAME
    if not path.exists():
        return read(SHIPPED)
    try:
        made = read(path)
        if made.embedder != embedder:
            raise CalibrationUnreadable(
                f"{path} was made with the embedder {made.embedder}, now it is {embedder}. Run `deskmate calibrate`."
            )
    except CalibrationUnreadable as error:
        log.warning("%s The calibration that is shipped is used.", error)
        return read(SHIPPED)
    return made
