"""A knowledge base of any size for `bench.scale`: the seed's real articles, then copies of them with other vectors and
words. Nothing is embedded for it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.access import key_of
from knowledge.records import Article, ArticleVersion, Passage, TitleVector
from store import Base, Database
from store.migrating import migrate

DIMENSION = 384
APART = 100_000  # ids of one copy from those of the next; no seed has more
NOISE = 0.5  # its length, as a share of the vector's
SWAPPED = 0.15  # of the terms, for others of the same seed
TABLES: tuple[type[Base], ...] = (Article, ArticleVersion, Passage)
READ: tuple[type[Base], ...] = (*TABLES, TitleVector)

Vectors = NDArray[np.float32]
Row = dict[str, Any]


@dataclass(frozen=True)
class Seed:
    """What the seed has, in the order of ids; `passages` by article."""

    articles: list[Row]
    versions: dict[int, Row]  # by article
    passages: dict[int, list[Row]]
    titles: list[Row]
    state: int


def seed_of(path: Path) -> Seed:
    """Published articles and their passages in a database of Deskmate."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = {
            table: [dict(row) for row in connection.execute(f"SELECT {', '.join(columns(table))} FROM {name(table)}")]
            for table in READ
        }
        state = connection.execute("SELECT max(change) FROM knowledge_state").fetchone()[0]
    articles = [row for row in tables[Article] if row["current_version"] is not None]
    current = {(row["id"], row["current_version"]): int(row["id"]) for row in articles}
    versions = {
        current[row["article"], row["number"]]: row
        for row in tables[ArticleVersion]
        if (row["article"], row["number"]) in current
    }
    passages: dict[int, list[Row]] = {}
    for row in tables[Passage]:
        passages.setdefault(int(row["article"]), []).append(row)
    return Seed(articles, versions, passages, tables[TitleVector], state)


def name(table: type[Base]) -> str:
    return str(table.__tablename__)


def columns(table: type[Base]) -> list[str]:
    return [column.name for column in table.__table__.columns]


def build(seed: Seed, database: Path, size: int, audiences: int) -> int:
    """A database with `size` passages, or what whole articles make of it; how many there are. With audiences, article
    number n is for the group `audience (n modulo audiences)`; without, all is for everybody."""
    opened = Database.at(f"sqlite:///{database}")
    migrate(opened)
    opened.close()
    chance = np.random.default_rng(11)
    made = number = 0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for copy, articles in copies(seed, size):
            rows: dict[type[Base], list[Row]] = {table: [] for table in TABLES}
            for article in articles:
                add_article(rows, seed, article, copy, group(number, audiences))
                number += 1
            if copy:
                disguise(rows[Passage], chance)
            for table in TABLES:
                insert(connection, table, rows[table])
            made += len(rows[Passage])
        insert(connection, TitleVector, seed.titles)
        connection.execute("DELETE FROM knowledge_state")
        connection.execute("INSERT INTO knowledge_state (id, change) VALUES (1, ?)", (seed.state,))
        connection.commit()
    return made


def insert(connection: sqlite3.Connection, table: type[Base], rows: list[Row]) -> None:
    marks = ", ".join("?" * len(columns(table)))
    connection.executemany(
        f"INSERT INTO {name(table)} ({', '.join(columns(table))}) VALUES ({marks})",
        [tuple(row[column] for column in columns(table)) for row in rows],
    )


def copies(seed: Seed, size: int) -> Iterator[tuple[int, list[Row]]]:
    """Number of the copy, 0 for the seed itself, and the articles of it that are wanted, in an order by chance."""
    order = np.random.default_rng(3).permutation(len(seed.articles)).tolist()
    made = copy = 0
    while made < size:
        chosen = []
        for place in order:
            if made >= size:
                break
            chosen.append(seed.articles[place])
            made += len(seed.passages.get(int(chosen[-1]["id"]), ()))
        yield copy, chosen
        copy += 1


def group(number: int, audiences: int) -> str | None:
    return f"audience {number % audiences}" if audiences else None


def add_article(rows: dict[type[Base], list[Row]], seed: Seed, article: Row, copy: int, group: str | None) -> None:
    old = int(article["id"])
    version = seed.versions[old]
    shift = copy * APART
    access = [group] if group else []
    rows[Article].append(article | {"id": old + shift, "article_id": f"{article['article_id']}~{copy}"})
    rows[ArticleVersion].append(
        version
        | {
            "id": int(version["id"]) + shift,
            "article": old + shift,
            "access": f'["{group}"]' if group else "[]",
            "access_set": key_of(access),
        }
    )
    rows[Passage] += [
        passage
        | {
            "id": int(passage["id"]) + copy * APART,
            "article": old + shift,
            "version": int(version["id"]) + shift,
            "access_set": key_of(access),
            "text_hash": f"{copy}-{passage['text_hash']}" if copy else passage["text_hash"],
        }
        for passage in seed.passages.get(old, ())
    ]


def disguise(passages: list[Row], chance: np.random.Generator) -> None:
    """Other vectors near the old ones, and other terms in place of some."""
    stored = [bytes(row["vectors"]) for row in passages]
    vectors = np.frombuffer(b"".join(stored), dtype="<f4").reshape(-1, DIMENSION)
    noisy = vectors + NOISE / np.sqrt(DIMENSION) * chance.standard_normal(vectors.shape, dtype=np.float32)
    noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
    new = noisy.astype("<f4").tobytes()
    worded = [bytes(row["terms"]) for row in passages]
    terms = np.frombuffer(b"".join(worded), dtype="<u4").copy()
    swapped = np.flatnonzero(chance.random(len(terms)) < SWAPPED)
    terms[swapped] = chance.choice(terms, len(swapped))
    words = terms.tobytes()
    at = word = 0
    for row, vector_bytes, term_bytes in zip(passages, stored, worded, strict=True):
        row["vectors"] = new[at : at + len(vector_bytes)]
        row["terms"] = words[word : word + len(term_bytes)]
        at, word = at + len(vector_bytes), word + len(term_bytes)
