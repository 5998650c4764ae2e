"""Proofs of who asks for something, “this wasn't me”, and what approvers ask back"""

import sqlalchemy as sa
from alembic import op

revision = '0010_proofs_of_requests'
down_revision = '0009_webauthn_credentials'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('routine_requests', schema=None) as batch_op:
        batch_op.add_column(sa.Column('proven_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('repudiated_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('incident', sa.String(length=16), nullable=True))
    with op.batch_alter_table('approvals', schema=None) as batch_op:
        batch_op.add_column(sa.Column('talk', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    with op.batch_alter_table('approvals', schema=None) as batch_op:
        batch_op.drop_column('talk')
    with op.batch_alter_table('routine_requests', schema=None) as batch_op:
        batch_op.drop_column('incident')
        batch_op.drop_column('repudiated_at')
        batch_op.drop_column('proven_at')
