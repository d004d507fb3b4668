"""The reason of a correction on the request for it; a count that nothing filled is gone.

Revision 20261126_01, after 20261124_04.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261126_01"
down_revision = "20261124_04"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("bc_evaluation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("correction_reason", sa.Text(), nullable=True))
        batch_op.drop_column("subjects_total")


def downgrade() -> None:
    with op.batch_alter_table("bc_evaluation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subjects_total", sa.Integer(), server_default="0", nullable=False))
        batch_op.drop_column("correction_reason")
