"""`deskmate calibrate`: how sure to be of an answer, learnt from labelled questions or from what people thought."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import traces
from bot.records import Feedback, Turn
from deskmate.evaluating import filled
from ingest.progress import Progress
from knowledge import calibration as files
from knowledge.calibrating import Example, TooFewExamples, fit
from knowledge.calibration import Calibration
from knowledge.collection import Collection, collection
from knowledge.confidence import FEATURES
from knowledge.library import Library
from knowledge.settings import KnowledgeSettings
from store import Database, utc_now

FEWEST_OPINIONS = 50


@dataclass(frozen=True)
class Calibrated:
    calibration: Calibration
    path: Path
    target_error: float
    examples: int

    def as_json(self) -> dict[str, Any]:
        made = self.calibration
        return {
            "file": str(self.path),
            "questions": made.questions,
            "examples": self.examples,
            "target_error": self.target_error,
            "answer_from": made.bar(self.target_error) if self.reachable else None,
            "ask_from": made.asking_from(self.target_error),
            "bars": [{"error": error, "from": bar} for error, bar in made.bars],
            **made.measured,
            "made_of": made.made_of,
            "made_at": made.made_at,
        }

    @property
    def reachable(self) -> bool:
        return self.calibration.bar(self.target_error) < files.NEVER

    def __str__(self) -> str:
        bar = self.calibration.bar(self.target_error)
        share = f"{100 * self.target_error:g} %"
        told = (
            f"Answers are given from {bar:.2f} on, so that at most {share} of them are wrong"
            if self.reachable
            else f"No bar keeps wrong answers below {share}: nothing will be answered. Raise DESKMATE_TARGET_ERROR"
        )
        return (
            f"{told}; from {self.calibration.asking_from(self.target_error):.2f} on it is asked back.\n"
            f"Learnt from {self.calibration.questions} questions; written to {self.path}."
        )


def calibrate(folder: Path, settings: KnowledgeSettings, *, progress: Progress) -> Calibrated:
    """From a labelled collection in BEIR's layout, in a store that is thrown away; questions without a relevant
    document are those that nothing answers.

    Errors: `BadCollection`, `NotReadable`, `TooFewExamples`.
    """
    given = collection(folder)
    with filled(given, settings, progress) as library:
        examples = list(examples_of(library, given, progress))
        embedder = library.embedder
    made = fit(examples, embedder=embedder, now=utc_now(), made_of=f"the collection {folder.name}").calibration
    return kept(made, settings, len(examples))


def examples_of(library: Library, given: Collection, progress: Progress) -> Iterator[Example]:
    """Each question as it is, and once more as if nothing answered it."""
    progress.start(len(given.queries), "Questions")
    for number, query in enumerate(given.queries, 1):
        answered_by = {name for name, value in given.qrels.get(query.id, {}).items() if value > 0}
        for judged in library.judged(query.text, answered_by, earlier=query.earlier):
            kind = judged.kind if answered_by else "out of scope"
            yield Example(query.id, kind, judged.features, judged.right, judged.among)
        progress.advance(number)


def calibrate_by_feedback(database: Database, settings: KnowledgeSettings, embedder: str) -> Calibrated:
    """From what people thought of the answers that they got, with the features in the traces of these turns.

    Errors: `TooFewExamples`.
    """
    with database.reading() as session:
        examples = opinions(session)
    if len(examples) < FEWEST_OPINIONS:
        raise TooFewExamples(
            f"There are {len(examples)} answers with feedback and a trace of this version;"
            f" {FEWEST_OPINIONS} are needed."
        )
    made = fit(examples, embedder=embedder, now=utc_now(), made_of="feedback").calibration
    return kept(made, settings, len(examples))


def opinions(session: Session) -> list[Example]:
    """One of each answered turn with feedback: right when all that was said of it is that it helped. Not of one that
    answered several questions, or from a reading that was picked: the thumb isn't about how sure the search was."""
    examples = []
    for key, right in helped(session).items():
        try:
            why = traces.kept(session, key)
        except ValidationError:
            continue  # of another version
        if why is None or why.search is None or why.picked or why.further:
            continue
        if why.search.features.keys() == set(FEATURES):
            examples.append(Example(why.search.understood, "asked", why.search.features, right, right))
    return examples


def helped(session: Session) -> dict[str, bool]:
    """By the key of each answered turn with feedback, whether all that was said of it is that it helped."""
    helpful: dict[str, bool] = {}
    rows = session.execute(
        select(Feedback.turn_key, Feedback.helpful)
        .join(Turn, Turn.key == Feedback.turn_key)
        .where(Turn.outcome_kind == "answered")
        .order_by(Feedback.turn_key)
    )
    for key, found in rows:
        helpful[key] = helpful.get(key, True) and found
    return helpful


def kept(made: Calibration, settings: KnowledgeSettings, examples: int) -> Calibrated:
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Calibrated(made, files.write(made, settings.home), settings.target_error, examples)
