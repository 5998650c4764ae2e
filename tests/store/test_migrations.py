import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from deskmate.models import all_tables
from store import Database
from store.migrating import NewerDatabase, configuration, current_revision, migrate, revision_of


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
