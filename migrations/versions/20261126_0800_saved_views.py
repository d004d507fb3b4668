"""Saved views of lists.

Revision 20261126_08, after 20261126_065.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261126_08"
down_revision = "20261126_065"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bc_saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("shared_with", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("opens_first", sa.Boolean(), nullable=False),
        sa.Column("saved_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_saved_view_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view_id")),
        sa.UniqueConstraint("user_id", "entity", "name", name=op.f("uq_saved_view_user_id_e_d331dd")),
    )
    with op.batch_alter_table("bc_saved_view", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_view_shared_with"), ["shared_with"], unique=False)
        batch_op.create_index(batch_op.f("ix_saved_view_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_table("bc_saved_view")
