"""What was last taken in from each file, so that an unchanged one isn't read again."""

from collections.abc import Collection, Iterable
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from knowledge.records import Article
from store import Base


class Cursor(Base):
    """The last good version of one file: whose it is, what it held, which article came of it."""

    __tablename__ = "ingest_cursors"

    source: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)  # relative to the source's root, forward slashes
    content_hash: Mapped[str]
    article_id: Mapped[str]
    made_by: Mapped[str]  # versions of reader, chunker and model; another one reads the file anew


def cursors(session: Session, source: str) -> dict[str, Cursor]:
    return {row.path: row for row in session.execute(select(Cursor).where(Cursor.source == source)).scalars()}


def published(session: Session, source: str) -> set[str]:
    """The ids of the articles of a source that employees can be answered from."""
    ids = select(Article.article_id).where(Article.source == source, Article.current_version.is_not(None))
    return set(session.execute(ids).scalars())


def remember(session: Session, new: Iterable[Cursor]) -> None:
    for cursor in new:
        session.merge(cursor)
    session.flush()


def forget(session: Session, source: str, paths: Collection[str]) -> None:
    for path in paths:
        session.execute(delete(Cursor).where(Cursor.source == source, Cursor.path == path))


def root_of(session: Session, file: Path) -> Path | None:
    """The ingested folder that a file belongs to: the one it was taken in under, else the nearest that holds it."""
    above = [str(folder) for folder in file.parents]  # nearest first
    found = session.execute(select(Cursor.source).where(Cursor.source.in_(above)).distinct()).scalars().all()
    roots = [folder for folder in above if folder in set(found)]
    for root in roots:
        if session.get(Cursor, (root, file.relative_to(root).as_posix())) is not None:
            return Path(root)
    return Path(roots[0]) if roots else None
