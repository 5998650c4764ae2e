"""Handed-over tickets that no conversation led to"""

import sqlalchemy as sa
from alembic import op

revision = '0007_handoffs_alone'
down_revision = '0006_groups_and_locks'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('handoffs') as batch_op:
        batch_op.alter_column('conversation_id', existing_type=sa.Integer(), nullable=True)


def downgrade() -> None:
    op.execute('DELETE FROM handoffs WHERE conversation_id IS NULL')
    with op.batch_alter_table('handoffs') as batch_op:
        batch_op.alter_column('conversation_id', existing_type=sa.Integer(), nullable=False)
