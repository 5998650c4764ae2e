"""Security keys, the requests to register them, and their challenges"""

import sqlalchemy as sa
from alembic import op

revision = '0009_webauthn_credentials'
down_revision = '0008_routine_requests'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('webauthn_credentials',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account', sa.String(length=128), nullable=False),
    sa.Column('directory_id', sa.String(length=64), nullable=False),
    sa.Column('credential_id', sa.String(length=1400), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('sign_count', sa.BigInteger(), nullable=False),
    sa.Column('transports', sa.JSON(), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('request', sa.String(length=32), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_webauthn_credentials')),
    sa.UniqueConstraint('credential_id', name=op.f('uq_webauthn_credentials_credential_id')),
    sa.UniqueConstraint('request', name=op.f('uq_webauthn_credentials_request'))
    )
    with op.batch_alter_table('webauthn_credentials') as batch_op:
        batch_op.create_index(op.f('ix_webauthn_credentials_account'), ['account'], unique=False)
    op.create_table('webauthn_challenges',
    sa.Column('request', sa.String(length=32), nullable=False),
    sa.Column('answered', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('request', name=op.f('pk_webauthn_challenges'))
    )
    op.create_table('key_requests',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('key', sa.String(length=160), nullable=False),
    sa.Column('team', sa.String(length=32), nullable=False),
    sa.Column('slack_user', sa.String(length=32), nullable=False),
    sa.Column('account', sa.String(length=128), nullable=True),
    sa.Column('directory_id', sa.String(length=64), nullable=True),
    sa.Column('channel', sa.String(length=32), nullable=False),
    sa.Column('thread_ts', sa.String(length=32), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('refusal', sa.String(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('name', sa.String(length=64), nullable=True),
    sa.Column('repudiated_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('incident', sa.String(length=16), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_key_requests')),
    sa.UniqueConstraint('key', name=op.f('uq_key_requests_key'))
    )
    with op.batch_alter_table('key_requests') as batch_op:
        batch_op.create_index('ix_key_requests_account', ['account', 'state'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('key_requests') as batch_op:
        batch_op.drop_index('ix_key_requests_account')
    op.drop_table('key_requests')
    op.drop_table('webauthn_challenges')
    with op.batch_alter_table('webauthn_credentials') as batch_op:
        batch_op.drop_index(op.f('ix_webauthn_credentials_account'))
    op.drop_table('webauthn_credentials')
