"""How sure to be of a find: a calibrated probability, and what forbids an answer whatever the probability is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from knowledge.calibration import Calibration, calibration_for, stamp_of
from knowledge.codes import speaks_of_all_codes
from knowledge.confidence import UNSURE, compared, features
from knowledge.damage import speaks_of_all_damage
from knowledge.searching import Found
from knowledge.settings import KnowledgeSettings
from knowledge.sparse import Words
from knowledge.titles import Titles


@dataclass(frozen=True)
class Verdict:
    """How likely the best article answers the question, and from which likelihood on it is answered, or asked back."""

    confidence: float
    bar: float
    asking_from: float
    calibration: str  # its version
    features: Mapping[str, float] = field(default_factory=dict)
    reservation: str | None = None  # why it is not to be answered from, whatever the features say

    @property
    def confident(self) -> bool:
        return self.reservation is None and self.confidence >= self.bar


class Judge:
    """Safe to share between threads. The home's calibration is read when it is first needed, and again when its file
    has changed."""

    def __init__(self, settings: KnowledgeSettings, words: Words, titles: Titles) -> None:
        self._settings = settings
        self._words = words
        self._titles = titles
        self._reading = Lock()
        self._read: dict[str, tuple[int | None, Calibration]] = {}  # by embedder, with the file's stamp
        self._given: dict[str, Calibration] = {}

    def verdict(self, found: Found, question: str, article: str | None, *, picked: bool = False) -> Verdict:
        """`article`: the whole text of the best one, None when there is none; `picked`: the person says that it is
        what they mean, which makes it sure."""
        calibration, target = self.calibration(found.pair.embedder.name), self._settings.target_error
        bar, asking_from = calibration.bar(target), calibration.asking_from(target)
        if article is None:
            return Verdict(0.0, bar, asking_from, calibration.version)
        known = self.features(found)
        sure, reservation = calibration.probability(known), None
        if not speaks_of_all_damage(article, question):
            reservation = "the question names damage that the article doesn't"
        elif not picked and not speaks_of_all_codes(article, question):
            reservation = "the question names a code that the article doesn't"
        if reservation is not None:
            sure = min(sure, UNSURE)
        elif picked:
            bar = min(bar, 1.0)
            sure = max(sure, bar)
        return Verdict(sure, bar, asking_from, calibration.version, known, reservation)

    def features(self, found: Found) -> dict[str, float]:
        titles = self._titles.of(found.pair, {hit.title for hit in compared(found.hits)})
        return features(found.hits, found.question, found.catalogue, self._words, found.access_sets, titles)

    def calibration(self, embedder: str) -> Calibration:
        """How likely a find of this embedder is right."""
        home = self._settings.home
        with self._reading:
            if embedder in self._given:
                return self._given[embedder]
            stamp = stamp_of(home)
            if embedder not in self._read or self._read[embedder][0] != stamp:
                self._read[embedder] = (stamp, calibration_for(home, embedder))
            return self._read[embedder][1]

    def use(self, calibration: Calibration, embedder: str) -> None:
        """Judge by this one from now on, whatever the home has."""
        with self._reading:
            self._given[embedder] = calibration
