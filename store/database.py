"""The one place that opens a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from store.engine import connect


class Database:
    """A relational store. Functions that are handed a `Session` flush; only `transaction` commits."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def at(cls, url: str) -> "Database":
        return cls(connect(url))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session whose work is committed at the end, or rolled back when the block raises.

        Keep calls to Slack, a model or a directory out of the block: on SQLite it holds the only write lock.
        """
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading only; it never waits for a writer and never commits."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(sqlite_begin="DEFERRED")
            with Session(connection, expire_on_commit=False, autoflush=False) as session:
                yield session

    def close(self) -> None:
        self.engine.dispose()
