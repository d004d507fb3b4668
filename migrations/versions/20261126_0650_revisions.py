"""Every entity counts the changes of its rows, so that nobody writes over a change that they have not seen.

Revision 20261126_065, after 20261126_06.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261126_065"
down_revision = "20261126_06"
branch_labels = None
depends_on = None

TABLES = (
    "bc_activity",
    "bc_appraisal",
    "bc_attendance",
    "bc_check_in",
    "bc_commendation",
    "bc_course",
    "bc_development_case",
    "bc_development_review",
    "bc_enrolment",
    "bc_fee_payment",
    "bc_holiday",
    "bc_meeting",
    "bc_member",
    "bc_membership_transfer",
    "bc_observation",
    "bc_organization",
    "bc_point_entry",
    "bc_post",
    "bc_study_record",
    "bc_volunteer",
    "bc_wish",
    "bc_wish_claim",
)


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("revision", sa.Integer(), server_default="1", nullable=False))


def downgrade() -> None:
    for table in TABLES:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("revision")
