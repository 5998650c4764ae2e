import pytest
from sqlalchemy import text

from store import Database


def rows(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT x FROM t ORDER BY x")))


@pytest.fixture
def table(database: Database) -> Database:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE t (x INTEGER)"))
    return database


def test_work_is_committed_at_the_end_of_the_block(table: Database) -> None:
    with table.transaction() as session:
        session.execute(text("INSERT INTO t VALUES (1)"))
    assert rows(table) == [1]


def test_work_is_rolled_back_when_the_block_raises(table: Database) -> None:
    def fails() -> None:
        with table.transaction() as session:
            session.execute(text("INSERT INTO t VALUES (1)"))
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert rows(table) == []


def test_a_reader_does_not_wait_for_a_writer(table: Database) -> None:
    with table.transaction() as session:
        session.execute(text("INSERT INTO t VALUES (1)"))
        assert rows(table) == []
    assert rows(table) == [1]
