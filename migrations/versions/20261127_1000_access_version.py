"""What tells every process that accounts, roles or keys have changed; what an API key may do; answers of requests
that may come twice.

Revision 20261127_10, after 20261127_09.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_10"
down_revision = "20261127_09"
branch_labels = None
depends_on = None


def upgrade() -> None:
    versions = op.create_table(
        "bc_access_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_version_id")),
    )
    op.bulk_insert(versions, [{"id": 1, "version": 0}])
    op.create_table(
        "bc_idempotent_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column(
            "answer",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ab_user.id"], name=op.f("fk_idempotent_answer_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotent_answer_id")),
        sa.UniqueConstraint("user_id", "key_hash", name=op.f("uq_idempotent_answer_us_166b82")),
    )
    with op.batch_alter_table("bc_idempotent_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotent_answer_cr_8f70bb"), ["created_at"], unique=False)
    with op.batch_alter_table("ab_api_key", schema=None) as batch_op:
        batch_op.add_column(sa.Column("role_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("organization_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key("fk_api_key_role", "ab_role", ["role_id"], ["id"], ondelete="CASCADE")
        batch_op.create_foreign_key(
            "fk_api_key_organization", "bc_organization", ["organization_id"], ["id"], ondelete="CASCADE"
        )
        batch_op.create_index("ix_api_key_role", ["role_id"])
        batch_op.create_index("ix_api_key_organization", ["organization_id"])


def downgrade() -> None:
    with op.batch_alter_table("ab_api_key", schema=None) as batch_op:
        batch_op.drop_constraint("fk_api_key_organization", type_="foreignkey")
        batch_op.drop_constraint("fk_api_key_role", type_="foreignkey")
        batch_op.drop_index("ix_api_key_organization")
        batch_op.drop_index("ix_api_key_role")
        batch_op.drop_column("organization_id")
        batch_op.drop_column("role_id")
    op.drop_table("bc_idempotent_answer")
    op.drop_table("bc_access_version")
