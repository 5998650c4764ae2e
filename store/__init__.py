"""The ground: one engine, one place that opens a transaction, the models' base, the durable runtime."""

from store.base import Base, UtcDateTime, utc_now
from store.database import Database

__all__ = ["Base", "Database", "UtcDateTime", "utc_now"]
