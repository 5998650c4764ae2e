"""Every room's tables in one place, for migrations and for tests that need them all."""

import importlib
import pkgutil
from types import ModuleType

from sqlalchemy import MetaData

import bot
import ingest
import knowledge
import tickets
from store import Base

ROOMS: tuple[ModuleType, ...] = (bot, ingest, knowledge, tickets)


def all_tables() -> MetaData:
    """The metadata of all models: every `records.py` below a room is imported."""
    for room in ROOMS:
        for module in pkgutil.walk_packages(room.__path__, prefix=f"{room.__name__}."):
            if module.name.endswith(".records"):
                importlib.import_module(module.name)
    return Base.metadata
