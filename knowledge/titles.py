"""The vectors of articles' titles, kept beside those of their passages: they tell how near a question is to what an
article is about, whatever else its best passage says."""

import hashlib
from collections.abc import Collection, Mapping
from threading import Lock

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.current import Pair
from knowledge.embedder import Embedder
from knowledge.records import TitleVector
from knowledge.vectors import Vectors
from store import Database

REMEMBERED = 20_000  # titles: about 40 MB


def embedded(session: Session, generation: str, titles: Collection[str]) -> dict[str, Vectors]:
    """Those of the titles that SQL has a vector of; at most some hundred are asked for at once."""
    by_hash = {hash_of(title): title for title in titles}
    rows = session.execute(
        select(TitleVector.title_hash, TitleVector.vector).where(
            TitleVector.generation == generation, TitleVector.title_hash.in_(by_hash)
        )
    )
    return {by_hash[title_hash]: np.frombuffer(vector, dtype="<f4") for title_hash, vector in rows}


def keep(session: Session, generation: str, vectors: Mapping[str, Vectors]) -> None:
    """After `next_change`: nobody else adds any meanwhile."""
    there = embedded(session, generation, vectors)
    for title in vectors.keys() - there.keys():
        vector = vectors[title].astype("<f4").tobytes()
        session.add(TitleVector(generation=generation, title_hash=hash_of(title), vector=vector))
    session.flush()


def lacking(database: Database, generation: str, embedder: Embedder, titles: Collection[str]) -> dict[str, Vectors]:
    """Vectors of the titles that SQL has none of."""
    with database.reading() as session:
        there = embedded(session, generation, titles)
    new = sorted(set(titles) - there.keys())
    return dict(zip(new, embedder.encode(new), strict=True)) if new else {}


def hash_of(title: str) -> str:
    return hashlib.sha256(title.encode()).hexdigest()


class Titles:
    """Safe to share between threads. What SQL has not, such as titles of before there were vectors of them, is embedded
    when it is asked for, and remembered."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._known: dict[tuple[str, str], Vectors] = {}

    def of(self, pair: Pair, titles: Collection[str]) -> dict[str, Vectors]:
        """The L2-normalised vector of each."""
        generation = pair.generation.name
        with self._lock:
            found = {title: self._known[generation, title] for title in titles if (generation, title) in self._known}
        unknown = set(titles) - found.keys()
        if unknown:
            with self._database.reading() as session:
                new = embedded(session, generation, unknown)
            missing = sorted(unknown - new.keys())
            if missing:
                new |= dict(zip(missing, pair.embedder.encode(missing), strict=True))
            with self._lock:
                if len(self._known) + len(new) > REMEMBERED:
                    self._known.clear()
                self._known |= {(generation, title): vector for title, vector in new.items()}
            found |= new
        return found
