"""What evaluation writes: runs, scores, breakdowns, warnings, leases.

Revision 20261124_03, after 20261124_02.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261124_03"
down_revision = "20261124_02"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bc_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=True),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("marked_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_id")),
    )
    op.create_table(
        "bc_held",
        sa.Column("rule_code", sa.String(length=60), nullable=False),
        sa.Column("condition_key", sa.String(length=32), nullable=False),
        sa.Column("subject_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint(
            "rule_code", "condition_key", "subject_id", name=op.f("pk_held_rule_code_condi_094ff0")
        ),
    )
    op.create_table(
        "bc_lease",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("holder", sa.String(length=80), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease_name")),
    )
    op.create_table(
        "bc_period",
        sa.Column("period_code", sa.String(length=7), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("provisional_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("period_code", name=op.f("pk_period_period_code")),
    )
    op.create_table(
        "bc_rule_version",
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("rule_code", sa.String(length=60), nullable=False),
        sa.Column("version_no", sa.Integer(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(), nullable=False),
        sa.Column(
            "source_text",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_rule_version_version")),
    )
    with op.batch_alter_table("bc_rule_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rule_version_rule_code"), ["rule_code"], unique=False)

    op.create_table(
        "bc_evaluation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.Integer(), nullable=True),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("requested_rules", sa.Text(), nullable=True),
        sa.Column("requested_period", sa.String(length=7), nullable=True),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("rules_total", sa.Integer(), nullable=False),
        sa.Column("rules_done", sa.Integer(), nullable=False),
        sa.Column("subjects_total", sa.Integer(), nullable=False),
        sa.Column("subjects_done", sa.Integer(), nullable=False),
        sa.Column("current_rule", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(), nullable=True),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("problem_zh", sa.Text(), nullable=True),
        sa.Column("problem_en", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["ab_user.id"], name=op.f("fk_evaluation_requested_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation_id")),
    )
    with op.batch_alter_table("bc_evaluation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evaluation_requested_by"), ["requested_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_evaluation_state"), ["state"], unique=False)

    op.create_table(
        "bc_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=True),
        sa.Column("rule_code", sa.String(length=60), nullable=False),
        sa.Column("rule_kind", sa.String(length=10), nullable=False),
        sa.Column("rule_version", sa.String(length=64), nullable=False),
        sa.Column("period_code", sa.String(length=7), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("extent", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column(
            "peer_statistics",
            sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mariadb").with_variant(mysql.LONGBLOB(), "mysql"),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["bc_evaluation.id"], name=op.f("fk_run_evaluation_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_id")),
    )
    with op.batch_alter_table("bc_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_run_evaluation_id"), ["evaluation_id"], unique=False)
        batch_op.create_index("ix_run_rule", ["rule_code", "period_code", "state", "id"], unique=False)

    op.create_table(
        "bc_breakdown",
        sa.Column("rule_code", sa.String(length=60), nullable=False),
        sa.Column("period_code", sa.String(length=7), nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column(
            "content",
            sa.LargeBinary().with_variant(mysql.LONGBLOB(), "mariadb").with_variant(mysql.LONGBLOB(), "mysql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["run_id"], ["bc_run.id"], name=op.f("fk_breakdown_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(
            "rule_code", "period_code", "bucket", "run_id", name=op.f("pk_breakdown_rule_code__dd8c12")
        ),
    )
    with op.batch_alter_table("bc_breakdown", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_breakdown_run_id"), ["run_id"], unique=False)

    op.create_table(
        "bc_score",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule_code", sa.String(length=60), nullable=False),
        sa.Column("period_code", sa.String(length=7), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("until_run_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column(
            "path",
            sa.String(length=255)
            .with_variant(sa.String(length=255, collation="ascii_bin"), "mariadb")
            .with_variant(sa.String(length=255, collation="ascii_bin"), "mysql")
            .with_variant(sa.String(length=255, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("tier", sa.String(length=20), nullable=True),
        sa.Column("peers", sa.String(length=120), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("order_key", sa.BigInteger(), nullable=True),
        sa.Column("light", sa.String(length=10), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("coverage", sa.Double(), nullable=True),
        sa.Column("light_before", sa.String(length=10), nullable=True),
        sa.Column("light_since", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["bc_run.id"], name=op.f("fk_score_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score_id")),
        sa.UniqueConstraint("rule_code", "period_code", "subject_id", "until_run_id", name="uq_score_subject"),
    )
    with op.batch_alter_table("bc_score", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_score_member_id"), ["member_id"], unique=False)
        batch_op.create_index("ix_score_order", ["rule_code", "period_code", "until_run_id", "order_key"], unique=False)
        batch_op.create_index("ix_score_organization", ["organization_id", "rule_code", "until_run_id"], unique=False)
        batch_op.create_index("ix_score_path", ["rule_code", "period_code", "until_run_id", "path"], unique=False)
        batch_op.create_index("ix_score_run", ["run_id"], unique=False)
        batch_op.create_index("ix_score_until", ["until_run_id"], unique=False)

    op.create_table(
        "bc_warning_state",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rule_code", sa.String(length=60), nullable=False),
        sa.Column("period_code", sa.String(length=7), nullable=False),
        sa.Column("subject_entity", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("until_run_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column(
            "path",
            sa.String(length=255)
            .with_variant(sa.String(length=255, collation="ascii_bin"), "mariadb")
            .with_variant(sa.String(length=255, collation="ascii_bin"), "mysql")
            .with_variant(sa.String(length=255, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("light", sa.String(length=10), nullable=False),
        sa.Column("figure", sa.Double(), nullable=True),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["bc_run.id"], name=op.f("fk_warning_state_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warning_state_id")),
        sa.UniqueConstraint("rule_code", "subject_id", "until_run_id", name="uq_warning_state_subject"),
    )
    with op.batch_alter_table("bc_warning_state", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_warning_state_member_id"), ["member_id"], unique=False)
        batch_op.create_index("ix_warning_state_org", ["organization_id", "until_run_id"], unique=False)
        batch_op.create_index("ix_warning_state_path", ["until_run_id", "light", "path"], unique=False)
        batch_op.create_index(batch_op.f("ix_warning_state_run_id"), ["run_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_warning_state_until_run_id"), ["until_run_id"], unique=False)


def downgrade() -> None:
    # A table takes its indexes along; MariaDB would not give them up before.
    op.drop_table("bc_warning_state")
    op.drop_table("bc_score")
    op.drop_table("bc_breakdown")
    op.drop_table("bc_run")
    op.drop_table("bc_evaluation")
    op.drop_table("bc_rule_version")
    op.drop_table("bc_period")
    op.drop_table("bc_lease")
    op.drop_table("bc_held")
    op.drop_table("bc_change")
