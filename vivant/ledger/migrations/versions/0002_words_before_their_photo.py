"""Words before their photo.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "early_words",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("chat", sa.Text(), nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("owner", "bot", "chat", "thread", name=op.f("pk_early_words")),
        sqlite_strict=True,
    )
    with op.batch_alter_table("early_words", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_early_words_at"), ["at"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_table("early_words")
