"""The history of records and its chain, keys of persons, the trash; audit events join the chain.

Revision 20261127_09, after 20261127_04.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_09"
down_revision = "20261127_04"
branch_labels = None
depends_on = None

LONG_TEXT = sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql")


def upgrade() -> None:
    op.create_table(
        "bc_history_batch",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("chain_no", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", sa.DateTime(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=128), nullable=False),
        sa.Column("door", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=False),
        sa.Column("change_count", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("previous_seal", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_batch_id")),
        sa.UniqueConstraint("chain_no", name=op.f("uq_history_batch_chain_no")),
    )
    for column in ("actor_name", "door", "happened_at", "user_id"):
        op.create_index(op.f(f"ix_history_batch_{column}"), "bc_history_batch", [column])
    op.create_table(
        "bc_history",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=20), nullable=False),
        sa.Column("changes", LONG_TEXT, nullable=False),
        sa.Column("personal", LONG_TEXT, nullable=True),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column("row_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("batch_id", "place", name=op.f("pk_history_batch_id_place")),
    )
    op.create_index("ix_history_row", "bc_history", ["entity", "row_id", "batch_id"])
    op.create_index(op.f("ix_history_key_id"), "bc_history", ["key_id"])
    head = op.create_table(
        "bc_history_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("chain_no", sa.BigInteger(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("first_event_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_head_id")),
    )
    op.create_table(
        "bc_person_key",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_key_id")),
    )
    op.create_index("ix_person_key_row", "bc_person_key", ["entity", "row_id"])
    op.create_table(
        "bc_trash",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kept", LONG_TEXT, nullable=False),
        sa.Column("personal", LONG_TEXT, nullable=True),
        sa.Column("key_id", sa.BigInteger(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("actor_name", sa.String(length=128), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trash_id")),
    )
    for column in ("deleted_at", "member_id", "organization_id"):
        op.create_index(op.f(f"ix_trash_{column}"), "bc_trash", [column])
    op.create_index("ix_trash_row", "bc_trash", ["entity", "row_id"])
    with op.batch_alter_table("bc_audit_event") as batch_op:
        batch_op.drop_constraint("fk_audit_event_user_id", type_="foreignkey")
        batch_op.add_column(sa.Column("batch_id", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("place", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("row_hash", sa.String(length=64), nullable=True))
        batch_op.create_index("ix_audit_event_batch", ["batch_id", "place"])
    # Events from before are older than the chain.
    events = sa.table("bc_audit_event", sa.column("id"))
    last = sa.select(sa.func.coalesce(sa.func.max(events.c.id), 0)).scalar_subquery()
    op.execute(sa.insert(head).values(id=1, chain_no=0, seal="0" * 64, first_event_id=last))


def downgrade() -> None:
    with op.batch_alter_table("bc_audit_event") as batch_op:
        batch_op.drop_index("ix_audit_event_batch")
        batch_op.drop_column("row_hash")
        batch_op.drop_column("place")
        batch_op.drop_column("batch_id")
        batch_op.create_foreign_key("fk_audit_event_user_id", "ab_user", ["user_id"], ["id"], ondelete="SET NULL")
    for table in ("bc_trash", "bc_person_key", "bc_history_head", "bc_history", "bc_history_batch"):
        op.drop_table(table)
