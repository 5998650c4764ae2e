"""Which generations of passages SQL keeps, and which of them answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from knowledge.articles import current_version_of_article, has_passages, next_change
from knowledge.errors import IncompleteGeneration, KnowledgeError, UnknownGeneration
from knowledge.records import Article, ArticleVersion, IndexGeneration, KnowledgeState, Passage


@dataclass(frozen=True)
class Coverage:
    """How many of the published articles a generation has."""

    articles: int
    missing: int

    @property
    def complete(self) -> bool:
        return not self.missing


def active(session: Session) -> IndexGeneration | None:
    """None until something was ingested or switched to."""
    return session.execute(
        select(IndexGeneration)
        .join(KnowledgeState, KnowledgeState.active == IndexGeneration.name)
        .where(KnowledgeState.id == 1)
    ).scalar()


def stored(session: Session) -> list[str]:
    """Those that passages are of, registered or not. It reads all passages' names."""
    return sorted(session.execute(select(Passage.generation).distinct()).scalars())


def names(session: Session) -> tuple[str | None, str | None]:
    """The active and the previous one."""
    state = session.get(KnowledgeState, 1)
    return (state.active, state.previous) if state else (None, None)


def register(session: Session, name: str, embedder: str) -> IndexGeneration:
    found = session.get(IndexGeneration, name)
    if found is None:
        found = IndexGeneration(name=name, embedder=embedder, built_at=None)
        session.add(found)
        session.flush()
    return found


def adopt(session: Session, name: str, embedder: str, now: datetime) -> None:
    """Make it the active one of a knowledge base that has none; otherwise nothing."""
    state = session.get(KnowledgeState, 1, with_for_update=True)
    if state is not None and state.active is None:
        kept = register(session, name, embedder)
        kept.built_at = kept.built_at or now
        state.active = name
        session.flush()


def refuse_unless_in_use(session: Session, name: str) -> None:
    """For who writes passages of the active one, after `next_change`. Errors: `KnowledgeError`."""
    now = names(session)[0]
    if now is not None and now != name:
        raise KnowledgeError(f"The index was switched to {now} meanwhile. Run `deskmate ingest` again.")


def coverage(session: Session, name: str) -> Coverage:
    published = select(func.count()).select_from(Article).where(Article.current_version.is_not(None))
    return Coverage(
        session.execute(published).scalar_one(),
        session.execute(published.where(~has_passages(name))).scalar_one(),
    )


def missing(session: Session, name: str) -> Sequence[int]:
    """The current versions of the published articles that the generation hasn't got."""
    return (
        session.execute(
            select(ArticleVersion.id)
            .join(Article, current_version_of_article())
            .where(~has_passages(name))
            .order_by(ArticleVersion.id)
        )
        .scalars()
        .all()
    )


def generation_named(session: Session, name: str) -> IndexGeneration:
    """Errors: `UnknownGeneration`."""
    found = session.get(IndexGeneration, name)
    if found is None:
        there = ", ".join(session.execute(select(IndexGeneration.name).order_by(IndexGeneration.name)).scalars())
        raise UnknownGeneration(f"There is no generation {name}" + (f", only {there}." if there else "."))
    return found


def make_active(session: Session, name: str) -> None:
    """In one step, with the one in use as the previous one. Errors: `UnknownGeneration`, `IncompleteGeneration`."""
    generation_named(session, name)
    next_change(session)  # whoever ingests waits until this is committed
    refuse_incomplete(session, name)
    state = session.get_one(KnowledgeState, 1)
    session.refresh(state)
    if state.active != name:
        state.previous, state.active = state.active, name
    session.flush()


def refuse_incomplete(session: Session, name: str) -> None:
    """Errors: `IncompleteGeneration`."""
    found = coverage(session, name)
    if not found.complete:
        raise IncompleteGeneration(
            f"{name} isn't complete: it lacks {found.missing:,} of {found.articles:,} articles."
            " Run `deskmate index build` for its model, which goes on where it was."
        )


def registered(session: Session) -> Sequence[IndexGeneration]:
    return session.execute(select(IndexGeneration).order_by(IndexGeneration.name)).scalars().all()
