"""From one generation to another, and back: one value in SQL, which every process follows."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from knowledge.articles import next_change
from knowledge.building import Building, Report
from knowledge.catalogue import IN_ONE_QUERY
from knowledge.current import Current, open_model
from knowledge.errors import UnknownGeneration
from knowledge.generations import coverage, generation_named, make_active, names, refuse_incomplete, stored
from knowledge.records import IndexGeneration, Passage, TitleVector
from knowledge.settings import KnowledgeSettings
from store import Database

DELETED_TOGETHER = 2_000  # passages in one transaction, which others wait for


def switch(
    database: Database,
    settings: KnowledgeSettings,
    name: str | None,
    *,
    now: Callable[[], datetime],
    report: Report | None = None,
) -> str:
    """Make this generation the one that answers; without a name, the previous one. Returns its name.

    One that was complete before, and lacks only what was ingested since, is completed first.
    Errors: `UnknownGeneration`, `IncompleteGeneration`, `ModelUnavailable`.
    """
    with database.reading() as session:
        wanted = name or names(session)[1]
        if wanted is None:
            raise UnknownGeneration("There is no earlier generation to go back to.")
        kept = generation_named(session, wanted)
        lacking = not coverage(session, wanted).complete
        if lacking and kept.built_at is None:
            refuse_incomplete(session, wanted)
    if lacking:
        building = Building(database, open_model(kept.embedder, settings), kept.embedder, now, report)
        if building.name == wanted:  # otherwise it was cut by another version of Deskmate, and is refused below
            building.run()
    with database.transaction() as session:
        make_active(session, wanted)
    return wanted


def prune(database: Database) -> dict[str, int]:
    """Delete the passages of all generations but the active one and the previous one: how many, by name.

    Nothing is deleted while none is registered as active.
    """
    with database.reading() as session:
        kept = {name for name in names(session) if name}
        surplus = [name for name in stored(session) if name not in kept] if kept else []
    gone: dict[str, int] = {}
    for name in surplus:
        gone[name] = 0
        while deleted := _delete_some(database, name):
            gone[name] += deleted
    if kept:
        with database.transaction() as session:
            session.execute(delete(IndexGeneration).where(IndexGeneration.name.not_in(kept_names(session))))
            session.execute(delete(TitleVector).where(TitleVector.generation.not_in(kept_names(session))))
    return gone


def register_what_answers(database: Database, settings: KnowledgeSettings, now: Callable[[], datetime]) -> None:
    """Before another generation is put beside it. Errors: `OtherModel`, `ModelUnavailable`."""
    Current(database, settings).adopt(now())


def kept_names(session: Session) -> list[str]:
    return [name for name in names(session) if name]


def _delete_some(database: Database, name: str) -> int:
    """None of one that was made active meanwhile."""
    with database.transaction() as session:
        next_change(session)
        if name in kept_names(session):
            return 0
        some = session.execute(select(Passage.id).where(Passage.generation == name).limit(DELETED_TOGETHER)).scalars()
        ids = list(some)
        for start in range(0, len(ids), IN_ONE_QUERY):
            session.execute(delete(Passage).where(Passage.id.in_(ids[start : start + IN_ONE_QUERY])))
        return len(ids)
