"""Partnership, visits and tasks and assessments, articles and surveys, performance targets.

Revision 20261127_04, after 20261127_03.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "20261127_04"
down_revision = "20261127_03"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bc_article",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("summary", sa.String(length=300), nullable=True),
        sa.Column(
            "article_text",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=False,
        ),
        sa.Column("author", sa.String(length=60), nullable=True),
        sa.Column("origin", sa.String(length=100), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_reason", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status <> 'published' OR published_on IS NOT NULL", name="ck_article_published"),
        sa.CheckConstraint(
            "published_on IS NULL OR expires_on IS NULL OR expires_on >= published_on", name="ck_article_dates"
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_article_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_id")),
        sa.UniqueConstraint("code", name=op.f("uq_article_code")),
    )
    with op.batch_alter_table("bc_article", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_article_is_pinned"), ["is_pinned"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_published_on"), ["published_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_article_status"), ["status"], unique=False)

    op.create_table(
        "bc_assessment",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("scheme", sa.String(length=100), nullable=False),
        sa.Column("period_code", sa.String(length=7), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("assessor_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("report_by", sa.Date(), nullable=True),
        sa.Column("reported_on", sa.Date(), nullable=True),
        sa.Column(
            "self_report",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("self_score", sa.Double(), nullable=True),
        sa.Column("peer_score", sa.Double(), nullable=True),
        sa.Column("superior_score", sa.Double(), nullable=True),
        sa.Column("self_weight", sa.Integer(), nullable=False),
        sa.Column("peer_weight", sa.Integer(), nullable=False),
        sa.Column("superior_weight", sa.Integer(), nullable=False),
        sa.Column("final_score", sa.Double(), nullable=True),
        sa.Column("final_rank", sa.Integer(), nullable=True),
        sa.Column("objection_from", sa.Date(), nullable=True),
        sa.Column("objection_until", sa.Date(), nullable=True),
        sa.Column(
            "objection",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "objection_reply",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status <> 'final' OR decided_on IS NOT NULL", name="ck_assessment_final"),
        sa.CheckConstraint("objection_until >= objection_from", name="ck_assessment_objection"),
        sa.CheckConstraint("peer_score >= 0 AND peer_score <= 100", name="ck_assessment_peer"),
        sa.CheckConstraint("self_score >= 0 AND self_score <= 100", name="ck_assessment_self"),
        sa.CheckConstraint("self_weight + peer_weight + superior_weight = 100", name="ck_assessment_weights"),
        sa.CheckConstraint(
            "self_weight >= 0 AND peer_weight >= 0 AND superior_weight >= 0", name="ck_assessment_weight"
        ),
        sa.CheckConstraint("superior_score >= 0 AND superior_score <= 100", name="ck_assessment_superior"),
        sa.ForeignKeyConstraint(["assessor_id"], ["bc_organization.id"], name=op.f("fk_assessment_assessor_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_assessment_organization_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment_id")),
        sa.UniqueConstraint("code", name=op.f("uq_assessment_code")),
        sa.UniqueConstraint("organization_id", "scheme", "period_code", name=op.f("uq_assessment_organizat_376d63")),
    )
    with op.batch_alter_table("bc_assessment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assessment_assessor_id"), ["assessor_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_final_score"), ["final_score"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_period_code"), ["period_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_report_by"), ["report_by"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_scheme"), ["scheme"], unique=False)
        batch_op.create_index(batch_op.f("ix_assessment_status"), ["status"], unique=False)

    op.create_table(
        "bc_demand",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("audience", sa.String(length=40), nullable=False),
        sa.Column("tags", sa.String(length=200), nullable=True),
        sa.Column(
            "description",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("quantity", sa.Double(), nullable=True),
        sa.Column("unit_of_measure", sa.String(length=20), nullable=True),
        sa.Column("people", sa.Integer(), nullable=True),
        sa.Column("needed_from", sa.Date(), nullable=True),
        sa.Column("needed_until", sa.Date(), nullable=True),
        sa.Column("weekdays", sa.String(length=7), nullable=True),
        sa.Column("venue", sa.String(length=200), nullable=True),
        sa.Column("division_code", sa.String(length=12), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("matched_on", sa.Date(), nullable=True),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status <> 'met' OR met_on IS NOT NULL", name="ck_demand_met"),
        sa.CheckConstraint("status <> 'open' OR published_on IS NOT NULL", name="ck_demand_open"),
        sa.CheckConstraint(
            "needed_from IS NULL OR needed_until IS NULL OR needed_until >= needed_from", name="ck_demand_dates"
        ),
        sa.CheckConstraint("quantity > 0 AND people > 0", name="ck_demand_quantity"),
        sa.ForeignKeyConstraint(["area_id"], ["bc_organization.id"], name=op.f("fk_demand_area_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_demand_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand_id")),
        sa.UniqueConstraint("code", name=op.f("uq_demand_code")),
    )
    with op.batch_alter_table("bc_demand", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_demand_area_id"), ["area_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_demand_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_demand_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_demand_published_on"), ["published_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_demand_status"), ["status"], unique=False)

    op.create_table(
        "bc_performance_target",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("budget_year", sa.String(length=7), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=False),
        sa.Column("total_budget", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("year_budget", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("spent", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("department", sa.String(length=100), nullable=True),
        sa.Column("manager_post", sa.String(length=60), nullable=True),
        sa.Column(
            "overview",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "grounds",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "necessity",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "overall_goal",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "year_goal",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "schedule",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("submitted_on", sa.Date(), nullable=True),
        sa.Column("approved_on", sa.Date(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("opinion", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status <> 'approved' OR approved_on IS NOT NULL", name="ck_target_approved"),
        sa.CheckConstraint("status <> 'closed' OR closed_on IS NOT NULL", name="ck_target_closed"),
        sa.CheckConstraint("ended_on >= started_on", name="ck_target_dates"),
        sa.CheckConstraint("total_budget >= 0 AND year_budget >= 0 AND spent >= 0", name="ck_target_budget"),
        sa.CheckConstraint("year_budget <= total_budget", name="ck_target_year_budget"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_performance_target_o_ebf151")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance_target_id")),
        sa.UniqueConstraint("code", name=op.f("uq_performance_target_code")),
        sa.UniqueConstraint("organization_id", "title", "budget_year", name=op.f("uq_performance_target_o_e76a65")),
    )
    with op.batch_alter_table("bc_performance_target", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_performance_target_b_3d2735"), ["budget_year"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_target_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_target_o_1482a0"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_target_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_target_title"), ["title"], unique=False)

    op.create_table(
        "bc_resource",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("unit_name", sa.String(length=100), nullable=True),
        sa.Column("area_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("audience", sa.String(length=40), nullable=False),
        sa.Column("tags", sa.String(length=200), nullable=True),
        sa.Column(
            "description",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("quantity", sa.Double(), nullable=True),
        sa.Column("unit_of_measure", sa.String(length=20), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("available_from", sa.Date(), nullable=True),
        sa.Column("available_until", sa.Date(), nullable=True),
        sa.Column("weekdays", sa.String(length=7), nullable=True),
        sa.Column("venue", sa.String(length=200), nullable=True),
        sa.Column("division_code", sa.String(length=12), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status <> 'open' OR published_on IS NOT NULL", name="ck_resource_open"),
        sa.CheckConstraint(
            "available_from IS NULL OR available_until IS NULL OR available_until >= available_from",
            name="ck_resource_dates",
        ),
        sa.CheckConstraint("quantity > 0 AND capacity > 0", name="ck_resource_quantity"),
        sa.ForeignKeyConstraint(["area_id"], ["bc_organization.id"], name=op.f("fk_resource_area_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_resource_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_id")),
        sa.UniqueConstraint("code", name=op.f("uq_resource_code")),
    )
    with op.batch_alter_table("bc_resource", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_resource_area_id"), ["area_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resource_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_resource_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_resource_published_on"), ["published_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_resource_status"), ["status"], unique=False)

    op.create_table(
        "bc_survey",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column(
            "question",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=False,
        ),
        sa.Column(
            "further_question",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("is_anonymous", sa.Boolean(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("expected", sa.Integer(), nullable=True),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("satisfaction", sa.Double(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status = 'draft' OR published_on IS NOT NULL", name="ck_survey_published"),
        sa.CheckConstraint("answers >= 0 AND expected >= 0", name="ck_survey_answers"),
        sa.CheckConstraint("closes_on >= opens_on", name="ck_survey_dates"),
        sa.CheckConstraint("satisfaction >= 0 AND satisfaction <= 100", name="ck_survey_satisfaction"),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_survey_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_id")),
        sa.UniqueConstraint("code", name=op.f("uq_survey_code")),
    )
    with op.batch_alter_table("bc_survey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_survey_closes_on"), ["closes_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_opens_on"), ["opens_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_status"), ["status"], unique=False)

    op.create_table(
        "bc_task",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("tier", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column(
            "requirements",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("targets", sa.String(length=40), nullable=False),
        sa.Column("unit_type", sa.String(length=40), nullable=True),
        sa.Column("target_id", sa.Integer(), nullable=True),
        sa.Column("needs_feedback", sa.Boolean(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("sign_by", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("reports_due", sa.Integer(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status NOT IN ('issued', 'closed') OR issued_on IS NOT NULL", name="ck_task_issued"),
        sa.CheckConstraint("issued_on IS NULL OR closed_on IS NULL OR closed_on >= issued_on", name="ck_task_dates"),
        sa.CheckConstraint("issued_on IS NULL OR due_on >= issued_on", name="ck_task_due"),
        sa.CheckConstraint("sign_by IS NULL OR due_on >= sign_by", name="ck_task_sign"),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_task_organization_id")),
        sa.ForeignKeyConstraint(["target_id"], ["bc_organization.id"], name=op.f("fk_task_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_id")),
        sa.UniqueConstraint("code", name=op.f("uq_task_code")),
    )
    with op.batch_alter_table("bc_task", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_issued_on"), ["issued_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_target_id"), ["target_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_tier"), ["tier"], unique=False)

    op.create_table(
        "bc_match",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("demand_id", sa.Integer(), nullable=False),
        sa.Column("resource_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("by_category", sa.Double(), nullable=False),
        sa.Column("by_text", sa.Double(), nullable=False),
        sa.Column("by_distance", sa.Double(), nullable=False),
        sa.Column("by_time", sa.Double(), nullable=False),
        sa.Column("by_capacity", sa.Double(), nullable=False),
        sa.Column("suggested_on", sa.Date(), nullable=False),
        sa.Column("demander_agreed_on", sa.Date(), nullable=True),
        sa.Column("provider_agreed_on", sa.Date(), nullable=True),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("refused_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("state <> 'refused' OR refused_on IS NOT NULL", name="ck_match_refused"),
        sa.CheckConstraint(
            "state NOT IN ('agreed', 'project') OR (demander_agreed_on IS NOT NULL AND provider_agreed_on IS NOT NULL AND agreed_on IS NOT NULL)",
            name="ck_match_agreed",
        ),
        sa.CheckConstraint("score >= 0 AND score <= 100", name="ck_match_score"),
        sa.ForeignKeyConstraint(["demand_id"], ["bc_demand.id"], name=op.f("fk_match_demand_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_match_organization_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["bc_organization.id"], name=op.f("fk_match_provider_id")),
        sa.ForeignKeyConstraint(["resource_id"], ["bc_resource.id"], name=op.f("fk_match_resource_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_id")),
        sa.UniqueConstraint("code", name=op.f("uq_match_code")),
        sa.UniqueConstraint("resource_id", "demand_id", name=op.f("uq_match_resource_id_demand_id")),
    )
    with op.batch_alter_table("bc_match", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_match_agreed_on"), ["agreed_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_demand_id"), ["demand_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_provider_id"), ["provider_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_resource_id"), ["resource_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_score"), ["score"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_match_suggested_on"), ["suggested_on"], unique=False)

    op.create_table(
        "bc_performance_cost",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("content_item", sa.String(length=120), nullable=False),
        sa.Column("detail", sa.String(length=120), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("quantity", sa.Double(), nullable=False),
        sa.Column("unit_of_measure", sa.String(length=20), nullable=True),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("basis", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("unit_price >= 0 AND quantity > 0 AND amount >= 0", name="ck_cost_amount"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_performance_cost_org_57a6d0")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["bc_performance_target.id"], name=op.f("fk_performance_cost_target_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance_cost_id")),
        sa.UniqueConstraint("code", name=op.f("uq_performance_cost_code")),
        sa.UniqueConstraint("target_id", "content_item", "detail", name=op.f("uq_performance_cost_tar_b9b247")),
    )
    with op.batch_alter_table("bc_performance_cost", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_performance_cost_org_ee6a85"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_cost_target_id"), ["target_id"], unique=False)

    op.create_table(
        "bc_performance_funding",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("amount >= 0", name="ck_funding_amount"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_performance_funding__eaedb4")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["bc_performance_target.id"], name=op.f("fk_performance_funding__68ec86")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance_funding_id")),
        sa.UniqueConstraint("code", name=op.f("uq_performance_funding_code")),
        sa.UniqueConstraint("target_id", "source", name=op.f("uq_performance_funding__ad9024")),
    )
    with op.batch_alter_table("bc_performance_funding", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_performance_funding__c139cc"), ["target_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_funding__c9364d"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_funding_source"), ["source"], unique=False)

    op.create_table(
        "bc_performance_goal",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("dimension", sa.String(length=40), nullable=False),
        sa.Column("direction", sa.String(length=40), nullable=False),
        sa.Column("target_value", sa.Double(), nullable=False),
        sa.Column("unit_of_measure", sa.String(length=20), nullable=False),
        sa.Column("actual_value", sa.Double(), nullable=True),
        sa.Column("measured_on", sa.Date(), nullable=True),
        sa.Column("value_source", sa.String(length=40), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=True),
        sa.Column("attainment", sa.Double(), nullable=True),
        sa.Column("remark", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("actual_value >= 0", name="ck_goal_actual"),
        sa.CheckConstraint("actual_value IS NULL OR measured_on IS NOT NULL", name="ck_goal_measured"),
        sa.CheckConstraint("target_value > 0", name="ck_goal_target"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_performance_goal_org_c62a6e")
        ),
        sa.ForeignKeyConstraint(["survey_id"], ["bc_survey.id"], name=op.f("fk_performance_goal_survey_id")),
        sa.ForeignKeyConstraint(
            ["target_id"], ["bc_performance_target.id"], name=op.f("fk_performance_goal_target_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance_goal_id")),
        sa.UniqueConstraint("code", name=op.f("uq_performance_goal_code")),
        sa.UniqueConstraint("target_id", "dimension", "title", name=op.f("uq_performance_goal_tar_d7ce8f")),
    )
    with op.batch_alter_table("bc_performance_goal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_performance_goal_dimension"), ["dimension"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_goal_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_goal_mea_b68650"), ["measured_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_goal_org_00c931"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_goal_survey_id"), ["survey_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_goal_target_id"), ["target_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_goal_val_fe3f11"), ["value_source"], unique=False)

    op.create_table(
        "bc_performance_safeguard",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("document_name", sa.String(length=200), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column(
            "measure_taken",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("at_planning", sa.Boolean(), nullable=False),
        sa.Column("at_implementation", sa.Boolean(), nullable=False),
        sa.Column("at_completion", sa.Boolean(), nullable=False),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_performance_safeguar_5a94e2")
        ),
        sa.ForeignKeyConstraint(
            ["target_id"], ["bc_performance_target.id"], name=op.f("fk_performance_safeguar_79059c")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_performance_safeguard_id")),
        sa.UniqueConstraint("code", name=op.f("uq_performance_safeguard_code")),
        sa.UniqueConstraint("target_id", "area", "document_name", name=op.f("uq_performance_safeguar_08a967")),
    )
    with op.batch_alter_table("bc_performance_safeguard", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_performance_safeguar_b59cd7"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_safeguar_f7fe86"), ["target_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_performance_safeguard_area"), ["area"], unique=False)

    op.create_table(
        "bc_project",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("partner_id", sa.Integer(), nullable=True),
        sa.Column("other_partners", sa.String(length=300), nullable=True),
        sa.Column("resource_id", sa.Integer(), nullable=True),
        sa.Column("demand_id", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column(
            "summary",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column(
            "milestones",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("budget", sa.Numeric(precision=12, scale=2), nullable=True),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column(
            "evaluation",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("satisfaction", sa.Integer(), nullable=True),
        sa.Column("is_highlight", sa.Boolean(), nullable=False),
        sa.Column("highlight_tier", sa.String(length=40), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(length=200), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status NOT IN ('done', 'stopped') OR ended_on IS NOT NULL", name="ck_project_ended"),
        sa.CheckConstraint("budget >= 0", name="ck_project_budget"),
        sa.CheckConstraint("satisfaction >= 1 AND satisfaction <= 5", name="ck_project_satisfaction"),
        sa.CheckConstraint("started_on IS NULL OR due_on >= started_on", name="ck_project_dates"),
        sa.CheckConstraint("started_on IS NULL OR ended_on IS NULL OR ended_on >= started_on", name="ck_project_end"),
        sa.ForeignKeyConstraint(["demand_id"], ["bc_demand.id"], name=op.f("fk_project_demand_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_project_organization_id")),
        sa.ForeignKeyConstraint(["partner_id"], ["bc_organization.id"], name=op.f("fk_project_partner_id")),
        sa.ForeignKeyConstraint(["resource_id"], ["bc_resource.id"], name=op.f("fk_project_resource_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_id")),
        sa.UniqueConstraint("code", name=op.f("uq_project_code")),
    )
    with op.batch_alter_table("bc_project", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_project_demand_id"), ["demand_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_ended_on"), ["ended_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_is_highlight"), ["is_highlight"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_partner_id"), ["partner_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_resource_id"), ["resource_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_project_status"), ["status"], unique=False)

    op.create_table(
        "bc_survey_answer",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("survey_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("rating", sa.String(length=40), nullable=False),
        sa.Column(
            "opinion",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("once_key", sa.String(length=64), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_survey_answer_member_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_survey_answer_organi_02d54e")
        ),
        sa.ForeignKeyConstraint(["survey_id"], ["bc_survey.id"], name=op.f("fk_survey_answer_survey_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_survey_answer_id")),
        sa.UniqueConstraint("code", name=op.f("uq_survey_answer_code")),
        sa.UniqueConstraint("once_key", name=op.f("uq_survey_answer_once_key")),
    )
    with op.batch_alter_table("bc_survey_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_survey_answer_answered_on"), ["answered_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answer_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answer_organi_d8043b"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answer_rating"), ["rating"], unique=False)
        batch_op.create_index(batch_op.f("ix_survey_answer_survey_id"), ["survey_id"], unique=False)

    op.create_table(
        "bc_task_report",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("issuer_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("sign_by", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("signed_by", sa.String(length=60), nullable=True),
        sa.Column("reported_on", sa.Date(), nullable=True),
        sa.Column(
            "report",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("reviewed_on", sa.Date(), nullable=True),
        sa.Column("opinion", sa.String(length=200), nullable=True),
        sa.Column("return_count", sa.Integer(), nullable=False),
        sa.Column("overdue_on", sa.Date(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status <> 'done' OR reviewed_on IS NOT NULL", name="ck_report_done"),
        sa.CheckConstraint("due_on >= sign_by AND sign_by >= issued_on", name="ck_report_due"),
        sa.CheckConstraint("reported_on IS NULL OR reported_on >= signed_on", name="ck_report_reported"),
        sa.CheckConstraint("return_count >= 0", name="ck_report_returns"),
        sa.CheckConstraint("signed_on IS NULL OR signed_on >= issued_on", name="ck_report_signed"),
        sa.ForeignKeyConstraint(["issuer_id"], ["bc_organization.id"], name=op.f("fk_task_report_issuer_id")),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["bc_organization.id"], name=op.f("fk_task_report_organization_id")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["bc_task.id"], name=op.f("fk_task_report_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_report_id")),
        sa.UniqueConstraint("code", name=op.f("uq_task_report_code")),
        sa.UniqueConstraint("task_id", "organization_id", name=op.f("uq_task_report_task_id__cbfa21")),
    )
    with op.batch_alter_table("bc_task_report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_task_report_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_report_issued_on"), ["issued_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_report_issuer_id"), ["issuer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_report_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_report_overdue_on"), ["overdue_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_report_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_task_report_task_id"), ["task_id"], unique=False)

    op.create_table(
        "bc_visit",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("household", sa.String(length=60), nullable=False),
        sa.Column("organization_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("visitor", sa.String(length=60), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("visit_mode", sa.String(length=40), nullable=False),
        sa.Column(
            "issue",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("category", sa.String(length=40), nullable=True),
        sa.Column("urgency", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("handled_by", sa.String(length=60), nullable=True),
        sa.Column("handled_on", sa.Date(), nullable=True),
        sa.Column(
            "outcome",
            sa.Text().with_variant(mysql.LONGTEXT(), "mariadb").with_variant(mysql.LONGTEXT(), "mysql"),
            nullable=True,
        ),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("satisfaction", sa.Integer(), nullable=True),
        sa.Column("is_demonstration", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status <> 'closed' OR closed_on IS NOT NULL", name="ck_visit_closed"),
        sa.CheckConstraint("closed_on IS NULL OR closed_on >= visited_on", name="ck_visit_dates"),
        sa.CheckConstraint("due_on IS NULL OR due_on >= visited_on", name="ck_visit_due"),
        sa.CheckConstraint("handled_on IS NULL OR handled_on >= visited_on", name="ck_visit_handled"),
        sa.CheckConstraint("satisfaction >= 1 AND satisfaction <= 5", name="ck_visit_satisfaction"),
        sa.ForeignKeyConstraint(["member_id"], ["bc_member.id"], name=op.f("fk_visit_member_id")),
        sa.ForeignKeyConstraint(["organization_id"], ["bc_organization.id"], name=op.f("fk_visit_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit_id")),
        sa.UniqueConstraint("code", name=op.f("uq_visit_code")),
    )
    with op.batch_alter_table("bc_visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_category"), ["category"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_closed_on"), ["closed_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_due_on"), ["due_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_household"), ["household"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_member_id"), ["member_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_status"), ["status"], unique=False)
        batch_op.create_index(batch_op.f("ix_visit_visited_on"), ["visited_on"], unique=False)


def downgrade() -> None:
    op.drop_table("bc_visit")
    op.drop_table("bc_task_report")
    op.drop_table("bc_survey_answer")
    op.drop_table("bc_project")
    op.drop_table("bc_performance_safeguard")
    op.drop_table("bc_performance_goal")
    op.drop_table("bc_performance_funding")
    op.drop_table("bc_performance_cost")
    op.drop_table("bc_match")
    op.drop_table("bc_task")
    op.drop_table("bc_survey")
    op.drop_table("bc_resource")
    op.drop_table("bc_performance_target")
    op.drop_table("bc_demand")
    op.drop_table("bc_assessment")
    op.drop_table("bc_article")
