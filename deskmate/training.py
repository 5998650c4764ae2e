"""`deskmate index train`: a model that has learnt from the articles, kept if it ranks better than the one in use."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import ValidationError
from sqlalchemy.orm import Session

from bot import outcomes, traces
from bot.outcomes import Answered
from bot.records import Turn
from deskmate.calibrating import helped
from deskmate.evaluating import filled, ranked
from deskmate.settings import Settings
from deskmate.wiring import open_database
from ingest.progress import Progress
from knowledge.chunking import CHUNKER_VERSION
from knowledge.collection import Collection, collection
from knowledge.current import MODELS, Current, name_or_path
from knowledge.errors import TooFewQuestions, TrainingRuns
from knowledge.evaluation import Metric, Ranking, difference, measured
from knowledge.held_out import held_out
from knowledge.pairs import Confirmed, Pair, pairs_of
from knowledge.settings import KnowledgeSettings
from knowledge.training import Learnt, learn, refuse_too_few
from store import utc_now

FEWEST_QUESTIONS = 20
JUDGED_BY = "ndcg@10"


@dataclass(frozen=True)
class Material:
    """What is learnt from, and what is asked to judge; `spec` is the model in use, by path or name."""

    spec: str
    pairs: list[Pair]
    given: Collection


@dataclass(frozen=True)
class Compared:
    """nDCG@10 by the model in use and by the trained one, and the difference of each question."""

    before: Metric
    after: Metric
    difference: Metric
    generation: str  # as the trained model's would be called


@dataclass(frozen=True)
class Trained:
    material: Material
    judged_on: str
    learnt: Learnt
    compared: Compared
    kept: Path | None

    @property
    def next_steps(self) -> list[str]:
        if self.kept is None:
            return []
        return [
            f"deskmate index build --embedder {self.kept}",
            f"deskmate index switch {self.compared.generation}",
            f"DESKMATE_EMBEDDER={self.kept} deskmate calibrate DIR",
        ]

    def as_json(self) -> dict[str, Any]:
        pairs, given, compared = self.material.pairs, self.material.given, self.compared
        return {
            "kept": self.kept is not None,
            "model": str(self.kept) if self.kept else None,
            "generation": compared.generation if self.kept else None,
            "pairs": len(pairs),
            "confirmed": sum(pair.confirmed for pair in pairs),
            "steps": self.learnt.steps,
            "planned": self.learnt.planned,
            "seconds": round(self.learnt.seconds, 1),
            "judged_on": self.judged_on,
            "documents": len(given.documents),
            "questions": judged(given),
            "before": round(compared.before.mean, 4),
            "after": round(compared.after.mean, 4),
            "difference": round(compared.difference.mean, 4),
            "interval": [round(compared.difference.low, 4), round(compared.difference.high, 4)],
            "next": self.next_steps,
        }

    def __str__(self) -> str:
        pairs, given, found = self.material.pairs, self.material.given, self.compared
        lines = [
            f"Learnt from {len(pairs):,} pairs, {sum(pair.confirmed for pair in pairs):,} of them confirmed answers:"
            f" {self.learnt.steps:,} of {self.learnt.planned:,} steps in {self.learnt.seconds / 60:.1f} minutes.",
            f"Judged on {self.judged_on}: {judged(given):,} questions, {len(given.documents):,} documents.",
            f"nDCG@10 {found.before.mean:.3f} before, {found.after.mean:.3f} after; difference"
            f" {found.difference.mean:+.3f} (95 %: {found.difference.low:+.3f} to {found.difference.high:+.3f}).",
        ]
        if self.kept is None:
            return "\n".join([*lines, "That isn't surely better: the trained model is deleted, nothing has changed."])
        return "\n".join(
            [
                *lines,
                f"That is better: the model is kept in {self.kept}. Nothing uses it yet. Next:",
                *(f"  {step}" for step in self.next_steps),
                "The last, with questions of your own in DIR, because how sure to be is learnt for one model.",
            ]
        )


def better(found: Metric) -> bool:
    """Whether a difference is one for the better, and not by chance."""
    return found.low > 0


def train(
    settings: Settings,
    folder: Path | None,
    minutes: float,
    progress: Progress,
    *,
    keeps: Callable[[Metric], bool] = better,
) -> Trained:
    """Judged on the labelled collection in `folder`, otherwise on articles that give nothing to learn from. `minutes`
    are of learning; judging takes some more. Nothing is switched.

    Errors: `KnowledgeError`, those of `open_database`.
    """
    given = collection(folder) if folder is not None else None
    material = material_of(settings, given)
    refuse_too_few(material.pairs)
    if judged(material.given) < FEWEST_QUESTIONS:
        raise TooFewQuestions(
            f"Only {judged(material.given)} questions would judge the model; {FEWEST_QUESTIONS} are needed."
            + ("" if folder else " Give labelled ones by --evaluate.")
        )
    with workshop(settings.roof.prepare_home()) as made:
        begun = False

        def report(done: int, total: int) -> None:
            nonlocal begun
            if not begun:
                progress.start(total, "Steps")
                begun = True
            progress.advance(done)

        learnt = learn(material.spec, material.pairs, made, minutes=minutes, report=report)
        compared = compare(material, made, settings.knowledge, progress)
        kept = keep(made) if keeps(compared.difference) else None
    judged_on = f"the collection {folder.name}" if folder else "articles that were held out"
    return Trained(material, judged_on, learnt, compared, kept)


def judged(given: Collection) -> int:
    return sum(any(value > 0 for value in rows.values()) for rows in given.qrels.values())


def material_of(settings: Settings, given: Collection | None) -> Material:
    """Errors: `KnowledgeError`, those of `open_database`."""
    with open_database(settings) as database:
        current = Current(database, settings.knowledge)
        try:
            pair = current.opened()
        finally:
            current.close()
        with database.reading() as session:
            confirmed = confirmed_answers(session)
            judging = given or held_out(session, pair.generation.name, confirmed)
            pairs = pairs_of(
                session,
                pair.generation.name,
                confirmed,
                hold_out=given is None,
                judged_by=[query.text for query in judging.queries],
            )
    return Material(name_or_path(pair.spec, settings.knowledge), pairs, judging)


def confirmed_answers(session: Session) -> list[Confirmed]:
    """Of the turns with feedback, those of which all said that they helped, and that ask one thing."""
    found = []
    for key in [key for key, right in helped(session).items() if right]:
        turn = session.query(Turn).filter_by(key=key).one()
        try:
            why, outcome = traces.kept(session, key), outcomes.from_json(turn.outcome or {})
        except ValidationError:
            continue  # of another version
        if why is not None and why.search is not None and isinstance(outcome, Answered) and not outcome.parts:
            found.append(Confirmed(why.search.understood, outcome.answer.passage_ids))
    return found


@contextmanager
def workshop(home: Path) -> Iterator[Path]:
    """The folder, not there yet, to write a model to, under the name that it will have when it is kept. Whatever is
    left of it at the end, or was left by a process that was killed, is deleted.

    Errors: `TrainingRuns`.
    """
    models = home / MODELS
    aside = models / ".training"
    try:
        with FileLock(home / "train.lock", timeout=0):
            try:
                shutil.rmtree(aside, ignore_errors=True)
                aside.mkdir(parents=True, mode=0o700)
                day = f"trained-{utc_now():%Y-%m-%d}"
                number = next(each for each in range(1, 10_000) if not (models / f"{day}-{each}").exists())
                yield aside / f"{day}-{number}"
            finally:
                shutil.rmtree(aside, ignore_errors=True)
                if models.is_dir() and not any(models.iterdir()):
                    models.rmdir()
    except Timeout as error:
        raise TrainingRuns(f"Another process trains a model in {home} right now.") from error


def keep(made: Path) -> Path:
    """In one step, out of the workshop."""
    place = Path(os.path.abspath(made.parents[1] / made.name))
    made.rename(place)
    return place


def compare(material: Material, trained: Path, settings: KnowledgeSettings, progress: Progress) -> Compared:
    """The production retriever with the one model, and with the other, on the same questions.

    Errors: `ModelUnavailable`.
    """
    with tempfile.TemporaryDirectory(prefix="deskmate-train-") as exports:
        of_old = settings.model_copy(update={"embedder": material.spec})
        # The export of a model that may be deleted is nothing for the cache.
        of_new = settings.model_copy(update={"embedder": os.path.abspath(trained), "models": Path(exports)})
        old, _ = rankings(material.given, of_old, progress)
        new, name = rankings(material.given, of_new, progress)
    return Compared(
        before=measured(old, material.given.qrels)[JUDGED_BY],
        after=measured(new, material.given.qrels)[JUDGED_BY],
        difference=difference(old, new, material.given.qrels, JUDGED_BY),
        generation=f"{name}.c{CHUNKER_VERSION}",
    )


def rankings(given: Collection, settings: KnowledgeSettings, progress: Progress) -> tuple[dict[str, Ranking], str]:
    """Of each question by its id, and the name of the model."""
    with filled(given, settings, progress) as library:
        found, _ = ranked(library, given, progress)
        return found, library.embedder
