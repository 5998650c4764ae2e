"""Of several processes that keep one index, one writes at a time.

Not by a transaction: none may be open during a call to a vector store. On PostgreSQL it is a lock of its own kind, on
SQLite, which has all its processes on one machine, a file in the home.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import text

from store import Database


@contextmanager
def one_writer(database: Database, home: Path, name: str, *, wait: bool) -> Iterator[bool]:
    """Whether it is us. With `wait`, it will be. A process that dies has let go."""
    if database.engine.dialect.name == "postgresql":
        number = int.from_bytes(hashlib.sha256(f"deskmate index {name}".encode()).digest()[:8], "big", signed=True)
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            how = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
            ours = connection.scalar(text(f"SELECT {how}(:number)"), {"number": number}) is not False
            try:
                yield ours
            finally:
                if ours:
                    connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
        return
    home.mkdir(parents=True, exist_ok=True)
    lock = FileLock(home / "index-writer.lock", timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
