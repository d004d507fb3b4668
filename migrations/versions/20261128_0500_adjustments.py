"""What districts and streets adjust of an index: by which adjustments a score was made, and what the base rule says.

Revision 20261128_05, after 20261127_10.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261128_05"
down_revision = "20261127_10"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("bc_score", schema=None) as batch_op:
        batch_op.add_column(sa.Column("adjusted_by", sa.String(length=255), nullable=True))
        batch_op.add_column(sa.Column("base_order_key", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("base_light", sa.String(length=10), nullable=True))
    with op.batch_alter_table("bc_run", schema=None) as batch_op:
        batch_op.add_column(sa.Column("adjustments", sa.String(length=64), nullable=True))
    with op.batch_alter_table("bc_draft", schema=None) as batch_op:
        batch_op.add_column(sa.Column("organization_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_draft_organization_id"), "bc_organization", ["organization_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_index(batch_op.f("ix_draft_organization_id"), ["organization_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("bc_draft", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_draft_organization_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_draft_organization_id"))
        batch_op.drop_column("organization_id")
    with op.batch_alter_table("bc_run", schema=None) as batch_op:
        batch_op.drop_column("adjustments")
    with op.batch_alter_table("bc_score", schema=None) as batch_op:
        batch_op.drop_column("base_light")
        batch_op.drop_column("base_order_key")
        batch_op.drop_column("adjusted_by")
