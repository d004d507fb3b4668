"""The core entities: organizations, members, Party life, observations, the calendar.

Revision 20261124_02, after 20261124_01.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261124_02"
down_revision = "20261124_01"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bc_holiday",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("calendar_day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holiday_id")),
        sa.UniqueConstraint("calendar_day", name=op.f("uq_holiday_calendar_day")),
        sa.UniqueConstraint("code", name=op.f("uq_holiday_code")),
    )
    with op.batch_alter_table("bc_holiday", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_holiday_kind"), ["kind"], unique=False)

    op.create_table(
        "bc_organization",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("short_name", sa.String(length=60), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column("territory_id", sa.Integer(), nullable=True),
        sa.Column(
            "path",
            sa.String(length=255)
            .with_variant(sa.String(length=255, collation="ascii_bin"), "mariadb")
            .with_variant(sa.String(length=255, collation="ascii_bin"), "mysql")
            .with_variant(sa.String(length=255, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("tier", sa.String(length=40), nullable=False),
        sa.Column("org_type", sa.String(length=40), nullable=True),
        sa.Column("unit_type", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("status_since", sa.Date(), nullable=True),
        sa.Column("division_code", sa.String(length=12), nullable=True),
        sa.Column("external_code", sa.String(length=60), nullable=True),
        sa.Column("unit_name", sa.String(length=120), nullable=True),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("founded_on", sa.Date(), nullable=True),
        sa.Column("approval_no", sa.String(length=60), nullable=True),
        sa.Column("term_no", sa.Integer(), nullable=True),
        sa.Column("term_years", sa.Integer(), nullable=True),
        sa.Column("elected_on", sa.Date(), nullable=True),
        sa.Column("term_ends_on", sa.Date(), nullable=True),
        sa.Column("extension_approval", sa.String(length=60), nullable=True),
        sa.Column("extended_to", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("rectify_by", sa.Date(), nullable=True),
        sa.Column("phone", sa.String(length=30), nullable=True),
        sa.Column("address", sa.String(length=200), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("dissolved_on", sa.Date(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "dissolved_on IS NULL OR founded_on IS NULL OR dissolved_on >= founded_on", name="ck_organization_dates"
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["bc_organization.id"], name=op.f("fk_organization_parent_id")),
        sa.ForeignKeyConstraint(["territory_id"], ["bc_organization.id"], name=op.f("fk_organization_territory_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_id")),
        sa.UniqueConstraint("code", name=op.f("uq_organization_code")),
    )
    with op.batch_alter_table("bc_organization", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organization_division_code"), ["division_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_org_type"), ["org_type"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_path"), ["path"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_term_ends_on"), ["term_ends_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_territory_id"), ["territory_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_tier"), ["tier"], unique=False)
        batch_op.create_index(batch_op.f("ix_organization_unit_type"), ["unit_type"], unique=False)

    op.create_table(
        "bc_course",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=True),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("hours", sa.Double(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column(
            "summary",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("status <> 'published' OR published_on IS NOT NULL", name="ck_course_published"),
        sa.CheckConstraint("due_on IS NULL OR published_on IS NULL OR due_on >= published_on", name="ck_course_dates"),
        sa.CheckConstraint("hours >= 0", name="ck_course_hours"),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_course_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_id")),
        sa.UniqueConstraint("code", name=op.f("uq_course_code")),
    )
    with op.batch_alter_table("bc_course", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_course_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_course_is_required"), ["is_required"], unique=False)
        batch_op.create_index(batch_op.f("ix_course_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_course_published_on"), ["published_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_course_status"), ["status"], unique=False)

    op.create_table(
        "bc_meeting",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("planned_at", sa.DateTime(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("held_at", sa.String(length=5), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("host", sa.String(length=60), nullable=True),
        sa.Column("recorder", sa.String(length=60), nullable=True),
        sa.Column("lecturer", sa.String(length=60), nullable=True),
        sa.Column("lecturer_post", sa.String(length=40), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("attended", sa.Integer(), nullable=True),
        sa.Column("on_leave", sa.Integer(), nullable=True),
        sa.Column("absent_count", sa.Integer(), nullable=True),
        sa.Column("is_double", sa.Boolean(), nullable=False),
        sa.Column(
            "minutes",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "resolution",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("status <> 'held' OR held_on IS NOT NULL", name="ck_meeting_held"),
        sa.CheckConstraint("expected >= 0 AND attended >= 0", name="ck_meeting_expected"),
        sa.CheckConstraint(
            "expected IS NULL OR COALESCE(attended, 0) + COALESCE(on_leave, 0) + COALESCE(absent_count, 0) <= expected",
            name="ck_meeting_counts",
        ),
        sa.CheckConstraint("on_leave >= 0 AND absent_count >= 0", name="ck_meeting_absent"),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_meeting_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_id")),
        sa.UniqueConstraint("code", name=op.f("uq_meeting_code")),
    )
    with op.batch_alter_table("bc_meeting", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meeting_held_on"), ["held_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_meeting_status"), ["status"], unique=False)

    op.create_table(
        "bc_member",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("gender", sa.String(length=40), nullable=True),
        sa.Column("ethnicity", sa.String(length=20), nullable=True),
        sa.Column("id_no", sa.String(length=255), nullable=True),
        sa.Column("id_no_hash", sa.String(length=64), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("education", sa.String(length=40), nullable=True),
        sa.Column("degree", sa.String(length=30), nullable=True),
        sa.Column("member_type", sa.String(length=40), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("regularized_on", sa.Date(), nullable=True),
        sa.Column("membership_status", sa.String(length=40), nullable=False),
        sa.Column("status_since", sa.Date(), nullable=True),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("party_post", sa.String(length=40), nullable=False),
        sa.Column("mobile", sa.String(length=255), nullable=True),
        sa.Column("mobile_hash", sa.String(length=64), nullable=True),
        sa.Column("employer", sa.String(length=120), nullable=True),
        sa.Column("job", sa.String(length=60), nullable=True),
        sa.Column("job_title", sa.String(length=60), nullable=True),
        sa.Column("is_employed", sa.Boolean(), nullable=False),
        sa.Column("is_floating", sa.Boolean(), nullable=False),
        sa.Column("flow_destination", sa.String(length=120), nullable=True),
        sa.Column("flow_out_on", sa.Date(), nullable=True),
        sa.Column("flow_in_on", sa.Date(), nullable=True),
        sa.Column("is_lost", sa.Boolean(), nullable=False),
        sa.Column("lost_on", sa.Date(), nullable=True),
        sa.Column("community_id", sa.Integer(), nullable=True),
        sa.Column("checked_in_on", sa.Date(), nullable=True),
        sa.Column("is_hardship", sa.Boolean(), nullable=False),
        sa.Column("needs_check", sa.Boolean(), nullable=False),
        sa.Column("fee_base", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("fee_base_set_on", sa.Date(), nullable=True),
        sa.Column("fee_monthly", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("left_on IS NULL OR joined_on IS NULL OR left_on >= joined_on", name="ck_member_left"),
        sa.CheckConstraint(
            "regularized_on IS NULL OR joined_on IS NULL OR regularized_on > joined_on", name="ck_member_regularized"
        ),
        sa.ForeignKeyConstraint(["community_id"], ["bc_organization.id"], name=op.f("fk_member_community_id")),
        sa.ForeignKeyConstraint(["group_id"], ["bc_organization.id"], name=op.f("fk_member_group_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_member_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_id")),
        sa.UniqueConstraint("code", name=op.f("uq_member_code")),
        sa.UniqueConstraint("id_no_hash", name=op.f("uq_member_id_no_hash")),
    )
    with op.batch_alter_table("bc_member", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_member_community_id"), ["community_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_joined_on"), ["joined_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_group_id"), ["group_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_is_floating"), ["is_floating"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_member_type"), ["member_type"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_membership_status"), ["membership_status"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_mobile_hash"), ["mobile_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_member_party_post"), ["party_post"], unique=False)

    op.create_table(
        "bc_appraisal",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("appraisal_year", sa.String(length=7), nullable=False),
        sa.Column("appraised_on", sa.Date(), nullable=False),
        sa.Column("self_score", sa.Double(), nullable=True),
        sa.Column("votes_excellent", sa.Integer(), nullable=True),
        sa.Column("votes_qualified", sa.Integer(), nullable=True),
        sa.Column("votes_basically", sa.Integer(), nullable=True),
        sa.Column("votes_unqualified", sa.Integer(), nullable=True),
        sa.Column("grade", sa.String(length=40), nullable=True),
        sa.Column(
            "opinion",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "measure",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("self_score >= 0 AND self_score <= 100", name="ck_appraisal_self_score"),
        sa.CheckConstraint(
            "votes_excellent >= 0 AND votes_qualified >= 0 AND votes_basically >= 0 AND votes_unqualified >= 0",
            name="ck_appraisal_votes",
        ),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_appraisal_member_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_appraisal_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appraisal_id")),
        sa.UniqueConstraint("code", name=op.f("uq_appraisal_code")),
        sa.UniqueConstraint("member_id", "appraisal_year", name=op.f("uq_appraisal_member_id__4e8769")),
    )
    with op.batch_alter_table("bc_appraisal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appraisal_appraisal_year"), ["appraisal_year"], unique=False)
        batch_op.create_index(batch_op.f("ix_appraisal_appraised_on"), ["appraised_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_appraisal_grade"), ["grade"], unique=False)
        batch_op.create_index(batch_op.f("ix_appraisal_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_appraisal_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_appraisal_status"), ["status"], unique=False)

    op.create_table(
        "bc_attendance",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("is_double", sa.Boolean(), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["meeting_id"], ["bc_meeting.id"], name=op.f("fk_attendance_meeting_id")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_attendance_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_attendance_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_id")),
        sa.UniqueConstraint("code", name=op.f("uq_attendance_code")),
        sa.UniqueConstraint("meeting_id", "member_id", name=op.f("uq_attendance_meeting_i_97b4b7")),
    )
    with op.batch_alter_table("bc_attendance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attendance_held_on"), ["held_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_attendance_meeting_id"), ["meeting_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attendance_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_attendance_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "bc_commendation",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("holder_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.String(length=40), nullable=True),
        sa.Column("grade", sa.String(length=40), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("doc_no", sa.String(length=60), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column(
            "remark",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("grade IS NULL OR kind = 'punishment'", name="ck_commendation_grade"),
        sa.CheckConstraint(
            "(organization_id IS NULL AND member_id IS NOT NULL) OR (organization_id IS NOT NULL AND member_id IS NULL)",
            name="ck_commendation_subject",
        ),
        sa.CheckConstraint(
            "expires_on IS NULL OR effective_on IS NULL OR expires_on >= effective_on", name="ck_commendation_dates"
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["bc_organization.id"], name=op.f("fk_commendation_holder_id")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_commendation_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_commendation_organiz_ae90f1")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commendation_id")),
        sa.UniqueConstraint("code", name=op.f("uq_commendation_code")),
    )
    with op.batch_alter_table("bc_commendation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_commendation_holder_id"), ["holder_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commendation_issued_on"), ["issued_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_commendation_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_commendation_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commendation_organiz_f21ade"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commendation_tier"), ["tier"], unique=False)

    op.create_table(
        "bc_fee_payment",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("fee_month", sa.String(length=7), nullable=False),
        sa.Column("base", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("rate", sa.Numeric(precision=6, scale=4), nullable=True),
        sa.Column("due", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("paid", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("pay_by", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("channel", sa.String(length=40), nullable=True),
        sa.Column("exempt_reason", sa.String(length=40), nullable=True),
        sa.Column("receipt_no", sa.String(length=60), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("COALESCE(paid, 0) = 0 OR paid_on IS NOT NULL", name="ck_fee_payment_paid"),
        sa.CheckConstraint("due >= 0 AND paid >= 0 AND base >= 0", name="ck_fee_payment_amounts"),
        sa.CheckConstraint("rate >= 0 AND rate <= 1", name="ck_fee_payment_rate"),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_fee_payment_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_fee_payment_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fee_payment_id")),
        sa.UniqueConstraint("code", name=op.f("uq_fee_payment_code")),
        sa.UniqueConstraint("member_id", "fee_month", name=op.f("uq_fee_payment_member_i_83bfbb")),
    )
    with op.batch_alter_table("bc_fee_payment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fee_payment_fee_month"), ["fee_month"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_payment_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_payment_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fee_payment_paid_on"), ["paid_on"], unique=False)

    op.create_table(
        "bc_observation",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("holder_id", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(length=60), nullable=False),
        sa.Column("period_code", sa.String(length=7), nullable=False),
        sa.Column("metric_value", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=True),
        sa.Column(
            "evidence",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(organization_id IS NULL AND member_id IS NOT NULL) OR (organization_id IS NOT NULL AND member_id IS NULL)",
            name="ck_observation_subject",
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["bc_organization.id"], name=op.f("fk_observation_holder_id")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_observation_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_observation_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_observation_id")),
        sa.UniqueConstraint("code", name=op.f("uq_observation_code")),
        sa.UniqueConstraint("member_id", "metric", "period_code", name="uq_observation_member"),
        sa.UniqueConstraint("organization_id", "metric", "period_code", name="uq_observation_organization"),
    )
    with op.batch_alter_table("bc_observation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_observation_holder_id"), ["holder_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_observation_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_observation_metric"), ["metric"], unique=False)
        batch_op.create_index(batch_op.f("ix_observation_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_observation_period_code"), ["period_code"], unique=False)

    op.create_table(
        "bc_post",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("post", sa.String(length=40), nullable=False),
        sa.Column("accession", sa.String(length=40), nullable=True),
        sa.Column("is_concurrent", sa.Boolean(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("ended_on IS NULL OR ended_on >= started_on", name="ck_post_dates"),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_post_member_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_post_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_id")),
        sa.UniqueConstraint("code", name=op.f("uq_post_code")),
    )
    with op.batch_alter_table("bc_post", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_post_ended_on"), ["ended_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_post"), ["post"], unique=False)
        batch_op.create_index(batch_op.f("ix_post_started_on"), ["started_on"], unique=False)

    op.create_table(
        "bc_study_record",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("hours", sa.Double(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("verified_by", sa.String(length=60), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("hours >= 0", name="ck_study_record_hours"),
        sa.ForeignKeyConstraint(["course_id"], ["bc_course.id"], name=op.f("fk_study_record_course_id")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_study_record_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_study_record_organiz_3153b0")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_record_id")),
        sa.UniqueConstraint("code", name=op.f("uq_study_record_code")),
        sa.UniqueConstraint("member_id", "course_id", name=op.f("uq_study_record_member__e0d6d3")),
    )
    with op.batch_alter_table("bc_study_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_study_record_completed_on"), ["completed_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_study_record_course_id"), ["course_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_study_record_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_study_record_organiz_e8a8d3"), ["organization_id"], unique=False)


def downgrade() -> None:
    # A table takes its indexes along; MariaDB would not give them up before.
    op.drop_table("bc_study_record")
    op.drop_table("bc_post")
    op.drop_table("bc_observation")
    op.drop_table("bc_fee_payment")
    op.drop_table("bc_commendation")
    op.drop_table("bc_attendance")
    op.drop_table("bc_appraisal")
    op.drop_table("bc_member")
    op.drop_table("bc_meeting")
    op.drop_table("bc_course")
    op.drop_table("bc_organization")
    op.drop_table("bc_holiday")
