"""Development and transfers, wishes with their points, volunteering.

Revision 20261126_06, after 20261126_05.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261126_06"
down_revision = "20261126_05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bc_wish",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("circle_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("beneficiary_kind", sa.String(length=40), nullable=False),
        sa.Column("public_name", sa.String(length=20), nullable=False),
        sa.Column("beneficiary", sa.String(length=255), nullable=True),
        sa.Column("contact", sa.String(length=255), nullable=True),
        sa.Column("contact_hash", sa.String(length=64), nullable=True),
        sa.Column("is_minor", sa.Boolean(), nullable=False),
        sa.Column("guardian_consent", sa.Boolean(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("estimated_value", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("amount_cap", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("expected_by", sa.Date(), nullable=True),
        sa.Column(
            "description",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("submitted_on", sa.Date(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("claimed_on", sa.Date(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("realised_on", sa.Date(), nullable=True),
        sa.Column("satisfaction", sa.Integer(), nullable=True),
        sa.Column("feedback", sa.String(length=200), nullable=True),
        sa.Column("has_complaint", sa.Boolean(), nullable=False),
        sa.Column("closed_reason", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("status <> 'realised' OR realised_on IS NOT NULL", name="ck_wish_realised"),
        sa.CheckConstraint("estimated_value >= 0 AND amount_cap >= 0", name="ck_wish_amounts"),
        sa.CheckConstraint("quantity >= 1 AND points >= 0", name="ck_wish_quantity"),
        sa.CheckConstraint("realised_on IS NULL OR realised_on >= published_on", name="ck_wish_dates"),
        sa.CheckConstraint("satisfaction >= 1 AND satisfaction <= 5", name="ck_wish_satisfaction"),
        sa.ForeignKeyConstraint(["circle_id"], ["bc_organization.id"], name=op.f("fk_wish_circle_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_wish_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_id")),
        sa.UniqueConstraint("code", name=op.f("uq_wish_code")),
    )
    with op.batch_alter_table("bc_wish", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wish_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_circle_id"), ["circle_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_contact_hash"), ["contact_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_expected_by"), ["expected_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_published_on"), ["published_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_status"), ["status"], unique=False)

    op.create_table(
        "bc_activity",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.Column("enrol_by", sa.DateTime(), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("minimum_age", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("radius_m", sa.Integer(), nullable=False),
        sa.Column("by_location", sa.Boolean(), nullable=False),
        sa.Column("by_code", sa.Boolean(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("leader_id", sa.Integer(), nullable=True),
        sa.Column(
            "description",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("capacity >= 1", name="ck_activity_capacity"),
        sa.CheckConstraint("ends_at > starts_at", name="ck_activity_times"),
        sa.CheckConstraint("enrol_by IS NULL OR enrol_by <= ends_at", name="ck_activity_enrol_by"),
        sa.CheckConstraint("points >= 0 AND minimum_age >= 0 AND radius_m >= 0", name="ck_activity_numbers"),
        sa.ForeignKeyConstraint(["leader_id"], ["bc_member.id"], name=op.f("fk_activity_leader_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_activity_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_id")),
        sa.UniqueConstraint("code", name=op.f("uq_activity_code")),
    )
    with op.batch_alter_table("bc_activity", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_activity_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_leader_id"), ["leader_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_starts_at"), ["starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_status"), ["status"], unique=False)

    op.create_table(
        "bc_development_case",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("stage_since", sa.Date(), nullable=True),
        sa.Column("id_no", sa.String(length=255), nullable=True),
        sa.Column("id_no_hash", sa.String(length=64), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("job", sa.String(length=120), nullable=True),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("talked_on", sa.Date(), nullable=True),
        sa.Column("activist_on", sa.Date(), nullable=True),
        sa.Column("activist_filed_on", sa.Date(), nullable=True),
        sa.Column("contact_one_id", sa.Integer(), nullable=True),
        sa.Column("contact_two_id", sa.Integer(), nullable=True),
        sa.Column("publicity_from", sa.Date(), nullable=True),
        sa.Column("publicity_to", sa.Date(), nullable=True),
        sa.Column("prospect_on", sa.Date(), nullable=True),
        sa.Column("background_checked_on", sa.Date(), nullable=True),
        sa.Column("training_ended_on", sa.Date(), nullable=True),
        sa.Column("training_days", sa.Double(), nullable=True),
        sa.Column("training_hours", sa.Double(), nullable=True),
        sa.Column("prereview_on", sa.Date(), nullable=True),
        sa.Column("introducer_one_id", sa.Integer(), nullable=True),
        sa.Column("introducer_two_id", sa.Integer(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("accepted_entitled", sa.Integer(), nullable=True),
        sa.Column("accepted_present", sa.Integer(), nullable=True),
        sa.Column("accepted_in_favour", sa.Integer(), nullable=True),
        sa.Column("approval_extended", sa.Boolean(), nullable=False),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("oath_on", sa.Date(), nullable=True),
        sa.Column("probation_extended_to", sa.Date(), nullable=True),
        sa.Column("regular_applied_on", sa.Date(), nullable=True),
        sa.Column("regular_voted_on", sa.Date(), nullable=True),
        sa.Column("regular_entitled", sa.Integer(), nullable=True),
        sa.Column("regular_present", sa.Integer(), nullable=True),
        sa.Column("regular_in_favour", sa.Integer(), nullable=True),
        sa.Column("regularized_on", sa.Date(), nullable=True),
        sa.Column("archived_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(length=200), nullable=True),
        sa.Column(
            "remark",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("accepted_on IS NULL OR accepted_on >= prereview_on", name="ck_development_accepted"),
        sa.CheckConstraint("activist_on IS NULL OR activist_on >= talked_on", name="ck_development_activist"),
        sa.CheckConstraint("approved_on IS NULL OR approved_on >= accepted_on", name="ck_development_approved"),
        sa.CheckConstraint("prospect_on IS NULL OR prospect_on > activist_on", name="ck_development_prospect"),
        sa.CheckConstraint("publicity_to IS NULL OR publicity_to >= publicity_from", name="ck_development_publicity"),
        sa.CheckConstraint(
            "regularized_on IS NULL OR regularized_on >= regular_voted_on", name="ck_development_regular"
        ),
        sa.CheckConstraint("talked_on IS NULL OR talked_on >= applied_on", name="ck_development_talk"),
        sa.CheckConstraint("training_days >= 0 AND training_hours >= 0", name="ck_development_training"),
        sa.ForeignKeyConstraint(["contact_one_id"], ["bc_member.id"], name=op.f("fk_development_case_con_c24fb8")),
        sa.ForeignKeyConstraint(["contact_two_id"], ["bc_member.id"], name=op.f("fk_development_case_con_e71500")),
        sa.ForeignKeyConstraint(["introducer_one_id"], ["bc_member.id"], name=op.f("fk_development_case_int_a49b96")),
        sa.ForeignKeyConstraint(["introducer_two_id"], ["bc_member.id"], name=op.f("fk_development_case_int_cd03e8")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_development_case_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_development_case_org_0a69a1")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_development_case_id")),
        sa.UniqueConstraint("code", name=op.f("uq_development_case_code")),
    )
    with op.batch_alter_table("bc_development_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_development_case_acc_6158e9"), ["accepted_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_applied_on"), ["applied_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_con_55841e"), ["contact_two_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_con_95620b"), ["contact_one_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_id_no_hash"), ["id_no_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_int_1e9335"), ["introducer_one_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_int_6fb1f0"), ["introducer_two_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_org_bd6890"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_case_stage"), ["stage"], unique=False)

    op.create_table(
        "bc_membership_transfer",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("from_organization_id", sa.Integer(), nullable=True),
        sa.Column("to_organization_id", sa.Integer(), nullable=True),
        sa.Column("outside", sa.String(length=120), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("letter_no", sa.String(length=60), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("fee_paid_until", sa.Date(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=True),
        sa.Column("closed_reason", sa.String(length=200), nullable=True),
        sa.Column("open_member_id", sa.Integer(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("status <> 'received' OR received_on IS NOT NULL", name="ck_transfer_status"),
        sa.CheckConstraint(
            "from_organization_id IS NOT NULL OR to_organization_id IS NOT NULL", name="ck_transfer_parties"
        ),
        sa.CheckConstraint("received_on IS NULL OR received_on >= issued_on", name="ck_transfer_received"),
        sa.CheckConstraint("valid_until IS NULL OR valid_until >= issued_on", name="ck_transfer_validity"),
        sa.ForeignKeyConstraint(
            ["from_organization_id"], ["bc_organization.id"], name=op.f("fk_membership_transfer__96af89")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_membership_transfer__9c0c93")),
        sa.ForeignKeyConstraint(
            ["to_organization_id"], ["bc_organization.id"], name=op.f("fk_membership_transfer__21398d")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership_transfer_id")),
        sa.UniqueConstraint("code", name=op.f("uq_membership_transfer_code")),
        sa.UniqueConstraint("open_member_id", name=op.f("uq_membership_transfer__3d5f44")),
    )
    with op.batch_alter_table("bc_membership_transfer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_transfer__2e2987"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_transfer__900911"), ["from_organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_transfer__952dd4"), ["issued_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_transfer__caed61"), ["to_organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_transfer_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_transfer_status"), ["status"], unique=False)

    op.create_table(
        "bc_volunteer",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("id_no", sa.String(length=255), nullable=True),
        sa.Column("id_no_hash", sa.String(length=64), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("mobile", sa.String(length=255), nullable=True),
        sa.Column("mobile_hash", sa.String(length=64), nullable=True),
        sa.Column("guardian_consent", sa.Boolean(), nullable=False),
        sa.Column("skills", sa.String(length=200), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("hours_before", sa.Double(), nullable=False),
        sa.Column("hours_total", sa.Double(), nullable=False),
        sa.Column("star", sa.String(length=40), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("hours_before >= 0 AND hours_total >= 0", name="ck_volunteer_hours"),
        sa.CheckConstraint("left_on IS NULL OR left_on >= registered_on", name="ck_volunteer_left"),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_volunteer_member_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_volunteer_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volunteer_id")),
        sa.UniqueConstraint("code", name=op.f("uq_volunteer_code")),
        sa.UniqueConstraint("id_no_hash", name=op.f("uq_volunteer_id_no_hash")),
        sa.UniqueConstraint("member_id", name=op.f("uq_volunteer_member_id")),
    )
    with op.batch_alter_table("bc_volunteer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_volunteer_mobile_hash"), ["mobile_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_volunteer_name"), ["name"], unique=False)
        batch_op.create_index(batch_op.f("ix_volunteer_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_volunteer_registered_on"), ["registered_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_volunteer_star"), ["star"], unique=False)
        batch_op.create_index(batch_op.f("ix_volunteer_status"), ["status"], unique=False)

    op.create_table(
        "bc_wish_claim",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("claimant", sa.String(length=60), nullable=False),
        sa.Column("claimant_kind", sa.String(length=40), nullable=False),
        sa.Column("wish_id", sa.Integer(), nullable=False),
        sa.Column("claimer_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("held_wish_id", sa.Integer(), nullable=True),
        sa.Column("claimed_on", sa.Date(), nullable=False),
        sa.Column("contacted_on", sa.Date(), nullable=True),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("realised_on", sa.Date(), nullable=True),
        sa.Column("claim_result", sa.String(length=500), nullable=True),
        sa.Column("satisfaction", sa.Integer(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("status <> 'realised' OR realised_on IS NOT NULL", name="ck_claim_realised"),
        sa.CheckConstraint("contacted_on IS NULL OR contacted_on >= claimed_on", name="ck_claim_contacted"),
        sa.CheckConstraint("realised_on IS NULL OR realised_on >= claimed_on", name="ck_claim_dates"),
        sa.CheckConstraint("satisfaction >= 1 AND satisfaction <= 5", name="ck_claim_satisfaction"),
        sa.ForeignKeyConstraint(["claimer_id"], ["bc_organization.id"], name=op.f("fk_wish_claim_claimer_id")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_wish_claim_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_wish_claim_organization_id")
        ),
        sa.ForeignKeyConstraint(["wish_id"], ["bc_wish.id"], name=op.f("fk_wish_claim_wish_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wish_claim_id")),
        sa.UniqueConstraint("code", name=op.f("uq_wish_claim_code")),
        sa.UniqueConstraint("held_wish_id", name=op.f("uq_wish_claim_held_wish_id")),
    )
    with op.batch_alter_table("bc_wish_claim", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wish_claim_claimant_kind"), ["claimant_kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_claim_claimed_on"), ["claimed_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_claim_claimer_id"), ["claimer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_claim_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_claim_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_claim_realised_on"), ["realised_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_claim_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_wish_claim_wish_id"), ["wish_id"], unique=False)

    op.create_table(
        "bc_development_review",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("reviewed_on", sa.Date(), nullable=False),
        sa.Column("review_result", sa.String(length=40), nullable=False),
        sa.Column("reviewer", sa.String(length=60), nullable=True),
        sa.Column(
            "opinion",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["bc_development_case.id"], name=op.f("fk_development_review_case_id")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_development_review_m_4c1723")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_development_review_o_ca65d9")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_development_review_id")),
        sa.UniqueConstraint("code", name=op.f("uq_development_review_code")),
    )
    with op.batch_alter_table("bc_development_review", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_development_review_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_review_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_review_m_8401bd"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_review_o_2f3094"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_review_r_31d445"), ["review_result"], unique=False)
        batch_op.create_index(batch_op.f("ix_development_review_r_60850d"), ["reviewed_on"], unique=False)

    op.create_table(
        "bc_enrolment",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("organizer_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("service_role", sa.String(length=40), nullable=False),
        sa.Column("enrolled_at", sa.DateTime(), nullable=False),
        sa.Column("is_proxy", sa.Boolean(), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("status <> 'cancelled' OR cancelled_at IS NOT NULL", name="ck_enrolment_cancelled"),
        sa.ForeignKeyConstraint(["activity_id"], ["bc_activity.id"], name=op.f("fk_enrolment_activity_id")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_enrolment_member_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_enrolment_organization_id")),
        sa.ForeignKeyConstraint(["organizer_id"], ["bc_organization.id"], name=op.f("fk_enrolment_organizer_id")),
        sa.ForeignKeyConstraint(["volunteer_id"], ["bc_volunteer.id"], name=op.f("fk_enrolment_volunteer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_id")),
        sa.UniqueConstraint("activity_id", "volunteer_id", name=op.f("uq_enrolment_activity_i_f98c95")),
        sa.UniqueConstraint("code", name=op.f("uq_enrolment_code")),
    )
    with op.batch_alter_table("bc_enrolment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_enrolment_activity_id"), ["activity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_enrolled_at"), ["enrolled_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_held_on"), ["held_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_organizer_id"), ["organizer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_enrolment_volunteer_id"), ["volunteer_id"], unique=False)

    op.create_table(
        "bc_point_entry",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=120), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("volunteer_id", sa.Integer(), nullable=True),
        sa.Column("account_key", sa.String(length=40), nullable=False),
        sa.Column("serial_no", sa.Integer(), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=False),
        sa.Column("earned_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(), nullable=False),
        sa.Column("refers_to", sa.String(length=60), nullable=True),
        sa.Column("idempotency_key", sa.String(length=80), nullable=False),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("balance >= 0", name="ck_point_entry_balance"),
        sa.CheckConstraint("serial_no >= 1 AND delta <> 0", name="ck_point_entry_delta"),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_point_entry_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_point_entry_organization_id")
        ),
        sa.ForeignKeyConstraint(["volunteer_id"], ["bc_volunteer.id"], name=op.f("fk_point_entry_volunteer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_entry_id")),
        sa.UniqueConstraint("account_key", "serial_no", name="uq_point_entry_serial"),
        sa.UniqueConstraint("code", name=op.f("uq_point_entry_code")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_point_entry_idempotency_key")),
    )
    with op.batch_alter_table("bc_point_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_point_entry_earned_on"), ["earned_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_entry_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_entry_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_entry_reason_code"), ["reason_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_point_entry_volunteer_id"), ["volunteer_id"], unique=False)

    op.create_table(
        "bc_check_in",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("activity_id", sa.Integer(), nullable=False),
        sa.Column("volunteer_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("organizer_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("sign_in_mode", sa.String(length=40), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(), nullable=False),
        sa.Column("signed_out_at", sa.DateTime(), nullable=True),
        sa.Column("distance_m", sa.Integer(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("device_hash", sa.String(length=64), nullable=True),
        sa.Column("sign_in_result", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Double(), nullable=False),
        sa.Column("confirmed_on", sa.Date(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=60), nullable=True),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.CheckConstraint("hours = 0 OR status = 'confirmed'", name="ck_check_in_confirmed"),
        sa.CheckConstraint("hours >= 0 AND minutes >= 0", name="ck_check_in_hours"),
        sa.CheckConstraint("signed_out_at IS NULL OR signed_out_at >= signed_in_at", name="ck_check_in_times"),
        sa.ForeignKeyConstraint(["activity_id"], ["bc_activity.id"], name=op.f("fk_check_in_activity_id")),
        sa.ForeignKeyConstraint(["enrolment_id"], ["bc_enrolment.id"], name=op.f("fk_check_in_enrolment_id")),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_check_in_member_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_check_in_organization_id")),
        sa.ForeignKeyConstraint(["organizer_id"], ["bc_organization.id"], name=op.f("fk_check_in_organizer_id")),
        sa.ForeignKeyConstraint(["volunteer_id"], ["bc_volunteer.id"], name=op.f("fk_check_in_volunteer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in_id")),
        sa.UniqueConstraint("code", name=op.f("uq_check_in_code")),
        sa.UniqueConstraint("enrolment_id", name=op.f("uq_check_in_enrolment_id")),
    )
    with op.batch_alter_table("bc_check_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_in_activity_id"), ["activity_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_device_hash"), ["device_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_held_on"), ["held_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_organizer_id"), ["organizer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_sign_in_mode"), ["sign_in_mode"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_sign_in_result"), ["sign_in_result"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_check_in_volunteer_id"), ["volunteer_id"], unique=False)


def downgrade() -> None:
    op.drop_table("bc_check_in")
    op.drop_table("bc_point_entry")
    op.drop_table("bc_enrolment")
    op.drop_table("bc_development_review")
    op.drop_table("bc_wish_claim")
    op.drop_table("bc_volunteer")
    op.drop_table("bc_membership_transfer")
    op.drop_table("bc_development_case")
    op.drop_table("bc_activity")
    op.drop_table("bc_wish")
