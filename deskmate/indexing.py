"""What the commands of `deskmate index` do, and what they tell."""

from dataclasses import asdict, dataclass
from typing import Any

from deskmate.settings import Settings
from deskmate.wiring import open_database
from ingest.progress import Progress
from knowledge.articles import base_of
from knowledge.building import Building, Built, Report
from knowledge.comparing import Differences
from knowledge.current import Current, name_to_keep, open_model
from knowledge.errors import IndexInUse
from knowledge.generation import Generation
from knowledge.generations import coverage, names, registered
from knowledge.index_folder import FolderKeeper
from knowledge.opening import drop_all_but
from knowledge.switching import prune as prune_passages
from knowledge.switching import register_what_answers
from knowledge.switching import switch as switch_to
from store import Database, utc_now


@dataclass(frozen=True)
class BuiltHere:
    built: Built
    active: bool

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self.built), "active": self.active}

    def __str__(self) -> str:
        built = self.built
        if built.added:
            text = (
                f"{built.name}: {built.added:,} articles, {built.passages:,} passages of which {built.embedded:,} were"
                f" embedded; it has all {built.articles:,} articles now."
            )
        else:
            text = f"{built.name} has all {built.articles:,} articles already."
        return text if self.active else f"{text} Switch to it by `deskmate index switch {built.name}`."


@dataclass(frozen=True)
class Verified:
    generation: str
    found: Differences
    articles_missing: int
    mended: bool

    @property
    def right(self) -> bool:
        return (self.mended or not self.found.count) and not self.articles_missing

    def as_json(self) -> dict[str, Any]:
        return {
            "generation": self.generation,
            **self.found.as_json(),
            "articles_missing": self.articles_missing,
            "mended": self.mended,
        }

    def __str__(self) -> str:
        found = self.found
        lines = [f"{self.generation}: {found.passages:,} passages in SQL"]
        if not found.count:
            lines.append("The index says the same.")
        else:
            lines += [
                f"{found.missing:>9,} missing from the index",
                f"{found.surplus:>9,} in the index only",
                f"{found.misplaced:>9,} for the wrong people",
                f"{found.changed:>9,} with another vector",
                "All of it is mended." if self.mended else "Mend it by `deskmate index verify --mend`.",
            ]
        if self.articles_missing:
            lines.append(f"{self.articles_missing:,} articles have no passages: run `deskmate index build`.")
        return "\n".join(lines)


@dataclass(frozen=True)
class Pruned:
    passages: dict[str, int]  # by generation
    collections: int
    left: str = ""  # why the index could not be looked at

    def as_json(self) -> dict[str, Any]:
        return {"passages": self.passages, "collections": self.collections}

    def __str__(self) -> str:
        if not self.passages and not self.collections:
            return "There is nothing to delete."
        lines = [f"{name}: {count:,} passages deleted" for name, count in self.passages.items()]
        return "\n".join([*lines, f"{self.collections:,} collections of the index deleted"])


def build(settings: Settings, embedder: str | None, progress: Progress) -> BuiltHere:
    """Errors: `KnowledgeError`, those of `open_database`."""
    with open_database(settings, migrated=True) as database:
        register_what_answers(database, settings.knowledge, utc_now)
        spec = name_to_keep(settings.knowledge.embedder if embedder is None else embedder, settings.knowledge)
        model = open_model(spec, settings.knowledge)
        built = Building(database, model, spec, utc_now, shown(progress)).run()
        with database.reading() as session:
            active = names(session)[0] == built.name
        if not active and settings.knowledge.index_is_shared:
            fill_index(database, settings, built.name, model.dimension)
        return BuiltHere(built, active)


def fill_index(database: Database, settings: Settings, name: str, dimension: int) -> None:
    """So that whoever follows a switch finds the vectors there. A folder is filled by the process that has it."""
    folders = FolderKeeper(settings.knowledge.index_folder)
    generation = Generation(database, settings.knowledge, name, dimension, folders)
    try:
        generation.refresh()
    finally:
        generation.close()


def switch(settings: Settings, name: str | None, progress: Progress) -> str:
    """Errors: `KnowledgeError`, those of `open_database`."""
    with open_database(settings, migrated=True) as database:
        register_what_answers(database, settings.knowledge, utc_now)
        return switch_to(database, settings.knowledge, name, now=utc_now, report=shown(progress))


def listed(settings: Settings) -> list[dict[str, Any]]:
    with open_database(settings) as database, database.reading() as session:
        active, previous = names(session)
        states = {previous: "previous", active: "active"}
        return [
            {
                "name": each.name,
                "embedder": each.embedder,
                "state": states.get(each.name, "built" if each.built_at else "begun"),
                **asdict(coverage(session, each.name)),
            }
            for each in registered(session)
        ]


def verify(settings: Settings, *, mend: bool) -> Verified:
    """Errors: `KnowledgeError`, those of `open_database`."""
    with open_database(settings) as database:
        current = Current(database, settings.knowledge)
        try:
            generation = current.opened().generation
            found = generation.compare(mend=mend)
        finally:
            current.close()
        with database.reading() as session:
            missing = coverage(session, generation.name).missing
    return Verified(generation.name, found, missing, mended=mend and found.count > 0)


def prune(settings: Settings) -> Pruned:
    """Errors: `KnowledgeError`, those of `open_database`."""
    with open_database(settings) as database:
        passages = prune_passages(database)
        with database.reading() as session:
            kept = [name for name in names(session) if name]
            base = base_of(session)
        if not kept:
            return Pruned(passages, 0)
        try:
            return Pruned(passages, drop_all_but(database, settings.knowledge, kept, base))
        except IndexInUse as error:
            return Pruned(passages, 0, str(error))


def shown(progress: Progress) -> Report:
    started = False

    def report(done: int, total: int) -> None:
        nonlocal started
        if not started:
            progress.start(total)
            started = True
        progress.advance(done)

    return report
