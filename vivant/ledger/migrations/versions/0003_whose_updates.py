"""Whose updates.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.add_column("inbox", sa.Column("sender", sa.Text(), nullable=True))
    op.add_column("inbox", sa.Column("album", sa.Text(), nullable=True))


def downgrade() -> None:
    """Back."""
    op.drop_column("inbox", "album")
    op.drop_column("inbox", "sender")
