"""Engines that keep what they are given: SQLite set for durability, PostgreSQL by psycopg 3."""

import sqlite3
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL

BUSY_TIMEOUT_MS = 30_000


def normal_url(url: str) -> URL:
    """The URL with the driver that we ship: a plain `postgresql://` means psycopg 3."""
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def connect(url: str, *, pool_size: int = 20) -> Engine:
    """An engine for the URL; nothing is connected yet.

    On SQLite each connection has WAL, `synchronous=FULL`, foreign keys and a busy timeout, and leaves BEGIN to
    `Database`, which says whether it means to write (two readers that both turn into writers would deadlock).
    """
    parsed = normal_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True)
    engine = create_engine(
        parsed, pool_size=pool_size, max_overflow=pool_size, connect_args={"check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def durable_settings(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
        connection.exec_driver_sql(f"BEGIN {mode}")

    return engine
