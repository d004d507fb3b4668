"""The rule workshop: drafts, who works on them, and who answers for a version of a rule.

Revision 20261126_05, after 20261126_01.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261126_05"
down_revision = "20261126_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bc_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=True),
        sa.Column("rule_kind", sa.String(length=10), nullable=False),
        sa.Column("rule_code", sa.String(length=60), nullable=False),
        sa.Column("base_version", sa.String(length=64), nullable=True),
        sa.Column(
            "source_text",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=False,
        ),
        sa.Column(
            "tests_text",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=False,
        ),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("restores", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("changed_by_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.Column("submitted_at", sa.DateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("override_reason", sa.Text(), nullable=True),
        sa.Column("publish_on", sa.Date(), nullable=True),
        sa.Column("published_version", sa.String(length=64), nullable=True),
        sa.Column("published_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["ab_user.id"], name=op.f("fk_draft_author_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["changed_by_id"], ["ab_user.id"], name=op.f("fk_draft_changed_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["ab_user.id"], name=op.f("fk_draft_decided_by_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"], ["ab_user.id"], name=op.f("fk_draft_submitted_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_id")),
    )
    with op.batch_alter_table("bc_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_changed_by_id"), ["changed_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_decided_by_id"), ["decided_by_id"], unique=False)
        batch_op.create_index("ix_draft_rule", ["rule_code", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_rule_code"), ["rule_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_draft_submitted_by_id"), ["submitted_by_id"], unique=False)

    op.create_table(
        "bc_draft_presence",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["bc_draft.id"], name=op.f("fk_draft_presence_draft_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ab_user.id"], name=op.f("fk_draft_presence_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("draft_id", "user_id", name=op.f("pk_draft_presence_draft_8cc870")),
    )
    with op.batch_alter_table("bc_draft_presence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_presence_user_id"), ["user_id"], unique=False)

    op.create_table(
        "bc_draft_share",
        sa.Column("draft_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("shared_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["draft_id"], ["bc_draft.id"], name=op.f("fk_draft_share_draft_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_draft_share_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("draft_id", "user_id", name=op.f("pk_draft_share_draft_id_105b90")),
    )
    with op.batch_alter_table("bc_draft_share", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_draft_share_user_id"), ["user_id"], unique=False)

    with op.batch_alter_table("bc_rule_version", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cause", sa.String(length=10), server_default="file", nullable=False))
        batch_op.add_column(sa.Column("previous", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("author_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("approver_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("override_reason", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("words_zh", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("words_en", sa.Text(), nullable=True))
        batch_op.create_index(batch_op.f("ix_rule_version_approver_id"), ["approver_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rule_version_author_id"), ["author_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_rule_version_author_id"), "ab_user", ["author_id"], ["id"], ondelete="SET NULL"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_rule_version_approver_id"), "ab_user", ["approver_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    with op.batch_alter_table("bc_rule_version", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_rule_version_approver_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_rule_version_author_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_rule_version_author_id"))
        batch_op.drop_index(batch_op.f("ix_rule_version_approver_id"))
        batch_op.drop_column("words_en")
        batch_op.drop_column("words_zh")
        batch_op.drop_column("override_reason")
        batch_op.drop_column("reason")
        batch_op.drop_column("approver_id")
        batch_op.drop_column("author_id")
        batch_op.drop_column("previous")
        batch_op.drop_column("cause")

    # A table takes its indexes along; MariaDB would not give them up before.
    op.drop_table("bc_draft_share")
    op.drop_table("bc_draft_presence")
    op.drop_table("bc_draft")
