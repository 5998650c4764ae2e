"""pgvector: vectors in the PostgreSQL that has the articles, a table per generation, in a schema of its own.

An access set with many rows gets a partial HNSW index; a smaller one is scanned exactly, as an index over all sets
would find too few of its rows. An access set's key is written into the statement, because a partial index is only
considered when the planner sees it.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from knowledge.errors import UnsupportedIndex
from knowledge.vectors import UNMARKED, Difference, FetchVectors, Held, Ids, Mark, Near, Vectors, nearest, rows_for
from store import Database

SCHEMA = "deskmate_index"
COMPARED = 2_000  # rows read at a time
BATCH = 500  # passages written in one statement
SCANNED = 5_000  # rows of a set up to which an exact scan is quick enough
MOST_SCANNED_BY_HNSW = 1_000  # pgvector's limit of ef_search
MOST_DIMENSIONS = 2_000  # of a vector that HNSW takes
NOT_INSTALLED = (
    "This PostgreSQL has no pgvector: install it on the database server (a package named like postgresql-16-pgvector)"
    " and, as its administrator, run `CREATE EXTENSION vector` in this database."
)
KEY = re.compile(r"[A-Za-z0-9_-]*")


class PgvectorIndex:
    def __init__(self, database: Database, generation: str, dimension: int) -> None:
        """Raises `UnsupportedIndex` when the database isn't PostgreSQL or lacks pgvector."""
        refuse_unless_postgresql(database)
        self._engine = database.engine
        self._generation = generation
        self._dimension = dimension
        self._name = table_of(generation)
        self._table = f"{SCHEMA}.{self._name}"
        with self._engine.begin() as connection:
            self._make_tables(connection)

    def _make_tables(self, connection: Connection) -> None:
        if connection.scalar(text("SELECT to_regclass(:table)"), {"table": self._table}) is not None:
            return
        # Two processes that begin at once would trip over each other's IF NOT EXISTS.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:schema))"), {"schema": SCHEMA})
        try:
            with connection.begin_nested():
                connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
        except DBAPIError as error:
            raise UnsupportedIndex(NOT_INSTALLED) from error
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {SCHEMA}.marks"
                " (generation text PRIMARY KEY, base text NOT NULL, change bigint NOT NULL)"
            )
        )
        connection.execute(
            text(
                f"CREATE TABLE IF NOT EXISTS {self._table} (access_set text, passage bigint, place smallint,"
                f" embedding vector({self._dimension}) NOT NULL, PRIMARY KEY (access_set, passage, place))"
            )
        )

    def search(self, vector: Vectors, access_sets: Sequence[str], limit: int) -> list[Near]:
        if not access_sets:
            return []
        each = (
            f"(SELECT passage, embedding <=> CAST(:vector AS vector) AS distance FROM {self._table}"  # noqa: S608
            f" WHERE access_set = '{checked(access_set)}' ORDER BY embedding <=> CAST(:vector AS vector) LIMIT :rows)"
            for access_set in access_sets
        )
        rows = rows_for(limit)
        with self._engine.connect() as connection:
            # In batches, HNSW goes on until there are enough rows; it looks at no more than ef_search at first.
            connection.execute(
                text(
                    "SELECT set_config('hnsw.ef_search', :looked_at, true),"
                    " set_config('hnsw.iterative_scan', 'relaxed_order', true)"
                ),
                {"looked_at": str(min(max(rows, 100), MOST_SCANNED_BY_HNSW))},
            )
            found = connection.execute(text(" UNION ALL ".join(each)), {"vector": literal(vector), "rows": rows})
            return nearest([Near(passage, 1.0 - distance) for passage, distance in found], limit)

    def synchronise(
        self, wanted: Mapping[str, Ids], fetch: FetchVectors, mark: Mark = UNMARKED, *, thorough: bool = False
    ) -> None:
        with self._engine.begin() as connection:
            carried = self._mark(connection)
            if mark and not thorough and carried == mark:
                return
            anew = thorough or carried.base != mark.base
            held = self._held(connection)
            for access_set in wanted.keys() | held.keys():
                ids = wanted.get(access_set, np.zeros(0, dtype=np.int64))
                there = held.get(access_set, np.zeros(0, dtype=np.int64))
                added = ids if anew else np.setdiff1d(ids, there)
                self._change(connection, access_set, Difference(added, np.setdiff1d(there, ids)), fetch)
            self._set_mark(connection, mark)

    def apply(self, changes: Mapping[str, Difference], fetch: FetchVectors, *, since: Mark, mark: Mark) -> bool:
        with self._engine.begin() as connection:
            carried = self._mark(connection)
            if not mark or carried not in (since, mark):
                return False
            if carried != mark:
                for access_set, difference in changes.items():
                    self._change(connection, access_set, difference, fetch)
                self._set_mark(connection, mark)
            return True

    def held(self) -> Iterator[Held]:
        with self._engine.connect() as connection:
            rows = connection.execution_options(yield_per=COMPARED).execute(
                text(
                    "SELECT access_set, passage, place, CAST(embedding AS real[])"  # noqa: S608
                    f" FROM {self._table} ORDER BY 1, 2, 3"
                )
            )
            for some in rows.partitions():
                for access_set, group in groupby(some, key=lambda row: str(row[0])):
                    _, passages, windows, vectors = zip(*group, strict=True)
                    yield Held(
                        access_set,
                        np.array(passages, dtype=np.int64),
                        np.array(windows, dtype=np.int64),
                        np.array(vectors, dtype=np.float32),
                    )

    def close(self) -> None:
        """The database is closed by whoever opened it."""

    def _held(self, connection: Connection) -> dict[str, Ids]:
        rows = connection.execute(
            text(f"SELECT access_set, array_agg(DISTINCT passage) FROM {self._table} GROUP BY access_set")  # noqa: S608
        )
        return {access_set: np.array(passages, dtype=np.int64) for access_set, passages in rows}

    def _change(self, connection: Connection, access_set: str, change: Difference, fetch: FetchVectors) -> None:
        out = np.concatenate([change.removed, change.added]).tolist()
        if not out:
            return
        connection.execute(
            text(f"DELETE FROM {self._table} WHERE access_set = :key AND passage = ANY(:passages)"),  # noqa: S608
            {"key": access_set, "passages": out},
        )
        insert = text(
            f"INSERT INTO {self._table} (access_set, passage, place, embedding)"  # noqa: S608
            " SELECT :key, * FROM unnest(CAST(:passages AS bigint[]), CAST(:places AS smallint[]),"
            " CAST(CAST(:rows AS text[]) AS vector[]))"
        )
        added = change.added.tolist()
        for start in range(0, len(added), BATCH):
            found = fetch(added[start : start + BATCH])
            keys = [(passage, place) for passage, rows in found.items() for place in range(len(rows))]
            if keys:
                passages, places = zip(*keys, strict=True)
                rows = [literal(row) for rows in found.values() for row in rows]
                values = {"key": access_set, "passages": list(passages), "places": list(places), "rows": rows}
                connection.execute(insert, values)
        self._fit_index(connection, access_set)

    def _fit_index(self, connection: Connection, access_set: str) -> None:
        """An HNSW index for a set that has become large, none for one that has become small."""
        name = f"{self._name}_{access_set or 'everybody'}"
        there = connection.scalar(text("SELECT to_regclass(:name)"), {"name": f'{SCHEMA}."{name}"'}) is not None
        count = connection.scalar(
            text(
                f"SELECT count(*) FROM (SELECT 1 FROM {self._table} WHERE access_set = :key LIMIT :many) AS counted"  # noqa: S608
            ),
            {"key": access_set, "many": SCANNED + 1},
        )
        if count and count > SCANNED and not there and self._dimension <= MOST_DIMENSIONS:
            connection.execute(text("SELECT set_config('maintenance_work_mem', '256MB', true)"))
            connection.execute(
                text(
                    f'CREATE INDEX "{name}" ON {self._table} USING hnsw (embedding vector_cosine_ops)'
                    f" WHERE access_set = '{checked(access_set)}'"
                )
            )
        elif there and (count or 0) <= SCANNED // 2:
            connection.execute(text(f'DROP INDEX {SCHEMA}."{name}"'))

    def _mark(self, connection: Connection) -> Mark:
        found = connection.execute(
            text(f"SELECT base, change FROM {SCHEMA}.marks WHERE generation = :generation"),  # noqa: S608
            {"generation": self._generation},
        ).first()
        return Mark(*found) if found else UNMARKED

    def _set_mark(self, connection: Connection, mark: Mark) -> None:
        connection.execute(
            text(
                f"INSERT INTO {SCHEMA}.marks VALUES (:generation, :base, :change)"  # noqa: S608
                " ON CONFLICT (generation) DO UPDATE SET base = excluded.base, change = excluded.change"
            ),
            {"generation": self._generation, "base": mark.base, "change": mark.change},
        )


def drop_all_but(database: Database, generations: Collection[str]) -> int:
    """The tables of all other generations; how many there were."""
    refuse_unless_postgresql(database)
    with database.engine.begin() as connection:
        if connection.scalar(text("SELECT to_regclass(:table)"), {"table": f"{SCHEMA}.marks"}) is None:
            return 0
        marked = connection.execute(text(f"SELECT generation FROM {SCHEMA}.marks")).scalars()  # noqa: S608
        surplus = sorted(set(marked) - set(generations))
        for generation in surplus:
            connection.execute(text(f"DROP TABLE IF EXISTS {SCHEMA}.{table_of(generation)}"))
            connection.execute(
                text(f"DELETE FROM {SCHEMA}.marks WHERE generation = :generation"),  # noqa: S608
                {"generation": generation},
            )
        return len(surplus)


def table_of(generation: str) -> str:
    return "vectors_" + hashlib.sha256(generation.encode()).hexdigest()[:16]


def refuse_unless_postgresql(database: Database) -> None:
    if database.engine.dialect.name != "postgresql":
        raise UnsupportedIndex(
            "DESKMATE_INDEX=pgvector keeps vectors beside the articles: DESKMATE_DATABASE_URL must be a PostgreSQL."
        )


def installed_version(database: Database) -> str:
    """That can be used at least; errors as of `PgvectorIndex`."""
    refuse_unless_postgresql(database)
    with database.reading() as session:
        found = session.execute(
            text("SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name='vector'")
        ).scalar()
    if found is None:
        raise UnsupportedIndex(NOT_INSTALLED)
    return str(found)


def checked(access_set: str) -> str:
    if not KEY.fullmatch(access_set):
        raise ValueError("an access set's key has letters and digits only")
    return access_set


def literal(row: Vectors) -> str:
    return str(row.tolist())
