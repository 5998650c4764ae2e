"""What people do for requests, codes that are handed out, and second factors that were lost"""

import sqlalchemy as sa
from alembic import op

revision = '0011_tasks_and_codes'
down_revision = '0010_proofs_of_requests'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'request_tasks',
        sa.Column('request', sa.String(length=32), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('text', sa.String(), nullable=False),
        sa.Column('due', sa.Date(), nullable=True),
        sa.Column('proof', sa.Boolean(), nullable=False),
        sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('done_by', sa.String(length=32), nullable=True),
        sa.Column('done_account', sa.String(length=128), nullable=True),
        sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['request'], ['routine_requests.id'], name=op.f('fk_request_tasks_request_routine_requests')
        ),
        sa.PrimaryKeyConstraint('request', 'number', name=op.f('pk_request_tasks')),
    )
    op.create_table(
        'codes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('offer', sa.String(length=75), nullable=False),
        sa.Column('code', sa.String(length=200), nullable=False),
        sa.Column('request', sa.String(length=32), nullable=True),
        sa.Column('directory_id', sa.String(length=64), nullable=True),
        sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_codes')),
        sa.UniqueConstraint('offer', 'code', name=op.f('uq_codes_offer_code')),
        sa.UniqueConstraint('request', name=op.f('uq_codes_request')),
    )
    with op.batch_alter_table('codes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_codes_offer'), ['offer'], unique=False)
    with op.batch_alter_table('people', schema=None) as batch_op:
        batch_op.add_column(sa.Column('lost_seed', sa.String(length=512), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('people', schema=None) as batch_op:
        batch_op.drop_column('lost_seed')
    with op.batch_alter_table('codes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_codes_offer'))
    op.drop_table('codes')
    op.drop_table('request_tasks')
