"""Imports and exports that people asked for, and attachments of records.

Revision 20261127_03, after 20261126_08.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_03"
down_revision = "20261126_08"
branch_labels = None
depends_on = None

LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "bc_attachment",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("record_entity", sa.String(length=40), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("uploaded_by", sa.String(length=128), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_attachment_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_attachment_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment_id")),
        sa.UniqueConstraint("code", name=op.f("uq_attachment_code")),
    )
    with op.batch_alter_table("bc_attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_content_hash"), ["content_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index("ix_attachment_record", ["record_entity", "record_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attachment_uploaded_at"), ["uploaded_at"], unique=False)

    op.create_table(
        "bc_export",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("conditions", LONG_TEXT, nullable=False),
        sa.Column("columns", LONG_TEXT, nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("reader_language", sa.String(length=5), nullable=False),
        sa.Column("scope_mark", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("job_id", sa.String(length=80), nullable=True),
        sa.Column("row_count", sa.Integer(), nullable=True),
        sa.Column("byte_count", sa.Integer(), nullable=True),
        sa.Column("problem_zh", sa.Text(), nullable=True),
        sa.Column("problem_en", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("ready_at", sa.DateTime(), nullable=True),
        sa.Column("expires_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_export_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_id")),
        sa.UniqueConstraint("token", name=op.f("uq_export_token")),
    )
    with op.batch_alter_table("bc_export", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_export_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_export_user_id"), ["user_id"], unique=False)

    op.create_table(
        "bc_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("folder", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("heading_key", sa.String(length=32), nullable=False),
        sa.Column("chosen", LONG_TEXT, nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("new_count", sa.Integer(), nullable=False),
        sa.Column("changed_count", sa.Integer(), nullable=False),
        sa.Column("unchanged_count", sa.Integer(), nullable=False),
        sa.Column("faulty_count", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(length=80), nullable=True),
        sa.Column("problem_zh", sa.Text(), nullable=True),
        sa.Column("problem_en", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=True),
        sa.Column("saved_at", sa.DateTime(), nullable=True),
        sa.Column("undone_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_import_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_id")),
        sa.UniqueConstraint("folder", name=op.f("uq_import_folder")),
    )
    with op.batch_alter_table("bc_import", schema=None) as batch_op:
        batch_op.create_index("ix_import_choice", ["entity", "heading_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_user_id"), ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_table("bc_import")
    op.drop_table("bc_export")
    op.drop_table("bc_attachment")
