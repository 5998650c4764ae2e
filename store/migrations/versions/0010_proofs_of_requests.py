"""Whether who asked for something has proven themselves, and whether they say that it wasn't them"""

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


def downgrade() -> None:
    with op.batch_alter_table('routine_requests', schema=None) as batch_op:
        batch_op.drop_column('incident')
        batch_op.drop_column('repudiated_at')
        batch_op.drop_column('proven_at')
