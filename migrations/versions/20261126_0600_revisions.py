"""Every entity counts the changes of its rows, so that nobody writes over a change that they have not seen.

Revision 20261126_06, after 20261126_05.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261126_06"
down_revision = "20261126_05"
branch_labels = None
depends_on = None

TABLES = (
    "bc_appraisal",
    "bc_attendance",
    "bc_commendation",
    "bc_course",
    "bc_fee_payment",
    "bc_holiday",
    "bc_meeting",
    "bc_member",
    "bc_observation",
    "bc_organization",
    "bc_post",
    "bc_study_record",
)


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("revision", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("revision")
