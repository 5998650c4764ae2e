"""The durable runtime's own engine: set for durability, with a gate that ends its threads when the process closes."""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event

from store.engine import BUSY_TIMEOUT_MS, connect, normal_url


class Stopping(BaseException):
    """Ends a workflow's thread when the process closes, so that the workflow is resumed at the next start.

    Not an `Exception`: neither a workflow's own `except Exception` nor the runtime may take it for an outcome.
    """


class Gate:
    """Once closed, ends each thread that comes to the store from inside a workflow."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.inside = threading.local()

    def pass_or_stop(self, *_: object) -> None:
        if self.closed.is_set() and getattr(self.inside, "workflow", False):
            raise Stopping


def engine_of_the_runtime(database_url: str, home: Path, gate: Gate) -> Engine:
    if normal_url(database_url).get_backend_name() == "sqlite":
        # Not `store.engine.connect`: DBOS writes its own BEGIN in places, and counts on reads that take no lock.
        engine = create_engine(f"sqlite:///{home / 'durable.sqlite'}", pool_size=20, max_overflow=20)
        event.listen(engine, "connect", _sqlite_settings)
    else:
        engine = connect(database_url)
        event.listen(engine, "connect", _postgres_settings)
    event.listen(engine, "checkout", gate.pass_or_stop)
    return engine


def _sqlite_settings(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = "IMMEDIATE"
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    # On Python 3.11 DBOS asks SQLite for whole seconds by strftime, and orders a queue by them: messages of the
    # same second would be handled in the order of their keys. This one gives it fractions.
    connection.create_function("strftime", 2, lambda _format, _moment: time.time())


def _postgres_settings(connection: Any, _record: object) -> None:
    """A frozen process mustn't hold its locks for longer than this (DBOS's own default for engines that it makes)."""
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = 60000")
    connection.commit()
