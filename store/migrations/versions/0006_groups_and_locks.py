"""Groups and locks of the demo directory"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = '0006_groups_and_locks'
down_revision = '0005_title_vectors'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('demo_groups',
    sa.Column('group_id', sa.String(length=36), nullable=False),
    sa.Column('name', sa.String(length=128), nullable=False),
    sa.Column('folded', sa.String(length=128), nullable=False),
    sa.Column('description', sa.String(length=512), nullable=False),
    sa.Column('owners', sa.JSON(), nullable=False),
    sa.PrimaryKeyConstraint('group_id', name=op.f('pk_demo_groups')),
    sa.UniqueConstraint('folded', name=op.f('uq_demo_groups_folded'))
    )
    with op.batch_alter_table('demo_accounts') as batch_op:
        batch_op.add_column(sa.Column('given_groups', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('locked', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('sessions_ended_at', sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table('demo_accounts') as batch_op:
        batch_op.alter_column('given_groups', server_default=None)
        batch_op.alter_column('locked', server_default=None)
    keep_what_there_is(op.get_bind())


def keep_what_there_is(connection: sa.Connection) -> None:
    """The groups that accounts are in become groups; a feed that says the same as before changes nothing."""
    accounts = sa.table('demo_accounts', sa.column('directory_id'), sa.column('groups', sa.JSON), sa.column('given_groups', sa.JSON))
    groups = sa.table('demo_groups', *map(sa.column, ('group_id', 'name', 'folded', 'description')), sa.column('owners', sa.JSON))
    known = {}
    for directory_id, names in connection.execute(sa.select(accounts.c.directory_id, accounts.c.groups)).all():
        known |= {name.casefold(): known.get(name.casefold(), name) for name in names}
        connection.execute(accounts.update().where(accounts.c.directory_id == directory_id).values(given_groups=names))
    for folded, name in known.items():
        connection.execute(groups.insert().values(group_id=str(uuid.uuid4()), name=name, folded=folded, description='', owners=[]))


def downgrade() -> None:
    with op.batch_alter_table('demo_accounts') as batch_op:
        batch_op.drop_column('sessions_ended_at')
        batch_op.drop_column('locked')
        batch_op.drop_column('given_groups')
    op.drop_table('demo_groups')
