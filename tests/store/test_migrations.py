import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from deskmate.models import all_tables
from store import Database
from store.migrating import NewerDatabase, configuration, current_revision, migrate, revision_of

CONVERSATION = (
    "INSERT INTO conversations (id, team, channel, thread_ts, employee, surface, created_at, last_turn_at)"
    " VALUES (1, 'T1', 'D1', '1.1', 'U1', 'im', '2026-03-02', '2026-03-02')",
    """INSERT INTO turns (id, key, conversation_id, ts, "user", text, files, state, received_at)"""
    " VALUES (1, 'T1:D1:1.1', 1, '1.1', 'U1', 'hello', '[]', 'done', '2026-03-02')",
)


@pytest.fixture
def empty(database_url: str) -> Database:
    return Database.at(database_url)


def test_migrations_make_what_the_models_say(empty: Database) -> None:
    assert migrate(empty)
    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, all_tables()) == []
    empty.close()


def test_migrating_twice_changes_nothing(empty: Database) -> None:
    assert migrate(empty)
    assert not migrate(empty)
    assert revision_of(empty) == current_revision()
    empty.close()


def test_conversations_of_the_first_schema_are_kept_and_can_get_traces(empty: Database) -> None:
    with empty.engine.begin() as connection:
        command.upgrade(configuration(connection), "0001_initial")
    with empty.transaction() as session:
        for statement in CONVERSATION:
            session.execute(text(statement))
    assert migrate(empty)
    with empty.transaction() as session:
        assert session.execute(text("SELECT key, state FROM turns")).all() == [("T1:D1:1.1", "done")]
        session.execute(
            text("INSERT INTO turn_traces (turn_key, trace, created_at) VALUES ('T1:D1:1.1', '{}', '2026-03-02')")
        )
    empty.close()


def test_migrations_go_back_to_an_empty_database(empty: Database) -> None:
    migrate(empty)
    with empty.engine.begin() as connection:
        command.downgrade(configuration(connection), "base")
    assert revision_of(empty) is None
    empty.close()


def test_a_database_of_a_newer_version_is_left_alone(empty: Database) -> None:
    migrate(empty)
    with empty.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    with pytest.raises(NewerDatabase, match="from_the_future"):
        migrate(empty)
    empty.close()


def test_the_current_schema_is_told_without_alembic_and_is_what_alembic_says() -> None:
    assert current_revision() == ScriptDirectory.from_config(configuration()).get_current_head()
