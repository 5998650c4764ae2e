"""Why each turn ended as it did"""

import sqlalchemy as sa
from alembic import op

revision = '0002_turn_traces'
down_revision = '0001_initial'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('turn_traces',
    sa.Column('turn_key', sa.String(length=128), nullable=False),
    sa.Column('trace', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['turn_key'], ['turns.key'], name=op.f('fk_turn_traces_turn_key_turns')),
    sa.PrimaryKeyConstraint('turn_key', name=op.f('pk_turn_traces'))
    )
    with op.batch_alter_table('turn_traces', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_turn_traces_created_at'), ['created_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('turn_traces', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_turn_traces_created_at'))

    op.drop_table('turn_traces')
