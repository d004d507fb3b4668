"""Performance targets: what adds up, what goals attain, the surveys they follow, and the filled form."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from openpyxl import load_workbook
from sqlalchemy import Engine

from app.access.errors import OutOfScope
from app.access.operations import NotOffered
from app.database.clock import today
from app.database.session import Session
from app.domains.performance.checks import attainment, cost_amount
from app.domains.performance.code_lists import DIMENSIONS, GoalDimension
from app.domains.performance.form_workbook import FormRows, filled_form, in_order
from app.entity.labels import UserError
from tests import factories as make
from tests.domains.doing import do, staff
from tests.domains.test_party_life import TOMORROW, faults


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        (lambda: make.performance_target(), set()),
        (lambda: make.performance_target(period="2026-03"), {"period"}),
        (lambda: make.performance_target(period="2028"), {"period"}),
        (lambda: make.performance_target(ended_on=date(2025, 12, 31)), {"ended_on", "period"}),
        (lambda: make.performance_target(year_budget=Decimal("100000.01")), {"year_budget"}),
        (lambda: make.performance_target(spent=Decimal("-1")), {"spent"}),
        (lambda: make.performance_funding(amount=Decimal("-1")), {"amount"}),
        (lambda: make.performance_goal(), set()),
        (lambda: make.performance_goal(dimension="satisfaction"), {"dimension"}),
        (lambda: make.performance_goal(target_value=0.0), {"target_value"}),
        (lambda: make.performance_goal(actual_value=90.0), {"measured_on"}),
        (lambda: make.performance_goal(actual_value=90.0, measured_on=TOMORROW), {"measured_on"}),
        (lambda: make.performance_goal(value_source="survey"), {"survey_id", "value_source"}),
        (lambda: make.performance_cost(unit_price=Decimal("-1")), {"unit_price"}),
        (lambda: make.performance_cost(quantity=0.0), {"quantity"}),
        (lambda: make.performance_safeguard(), set()),
        (lambda: make.performance_safeguard(at_planning=False), {"at_planning"}),
    ],
)
def test_what_is_refused(session: Session, row, wrong: set[str]):
    assert faults(session, row()) == wrong


def test_every_dimension_belongs_to_one_kind_of_goal():
    listed = [dimension for dimensions in DIMENSIONS.values() for dimension in dimensions]
    assert sorted(listed) == sorted(GoalDimension)


def test_attainment():
    assert attainment("at_least", 85, 68) == 80.0
    assert attainment("at_least", 3, 4) == 133.33
    assert attainment("at_most", 10, 8) == 100.0
    assert attainment("at_most", 10, 12.5) == 80.0
    assert attainment("at_most", 10, 0) == 100.0
    assert attainment("at_least", 85, None) is None


def test_amounts_are_unit_price_times_quantity(session: Session):
    assert cost_amount(Decimal("0.15"), 0.1) == Decimal("0.02")
    cost = make.performance_cost(unit_price=Decimal("19.99"), quantity=3.0)
    session.add(cost)
    session.commit()
    assert cost.amount == Decimal("59.97")
    assert cost.organization_id == cost.target.organization_id


def complete_target(session: Session, **values):
    target = make.performance_target(**values)
    rows = [
        target,
        make.performance_funding(target=target, source="own", amount=Decimal("60000")),
        make.performance_funding(target=target, source="superior", amount=Decimal("40000")),
        make.performance_cost(target=target, content_item="系统开发", detail="开发", quantity=300.0),
        make.performance_cost(target=target, content_item="培训", detail="师资", quantity=60.0),
        make.performance_cost(target=target, content_item="系统开发", detail="测试", quantity=40.0),
        make.performance_goal(target=target, title="建设计划完成率"),
        make.performance_goal(target=target, title="验收合格率", dimension="quality", actual_value=100.0,
                              measured_on=date(2026, 3, 1)),
        make.performance_goal(target=target, title="平台完善率", kind="effect", dimension="social"),
        make.performance_goal(target=target, title="=公众满意度", kind="influence", dimension="satisfaction",
                              target_value=85.0),
        make.performance_safeguard(target=target, document_name="项目管理办法", at_completion=True),
        make.performance_safeguard(target=target, document_name="财务制度", area="finance"),
    ]  # fmt: skip
    session.add_all(rows)
    session.commit()
    return target, rows


def test_submitted_only_if_complete_and_adding_up(engine: Engine, session: Session):
    target, rows = complete_target(session)
    rows[1].amount = Decimal("59999.99")
    session.commit()
    with pytest.raises(UserError, match=r"资金来源合计 99999\.99 元"):
        do(engine, target, "submit")
    rows[1].amount, rows[3].quantity = Decimal("60000"), 299.0
    session.commit()
    with pytest.raises(UserError, match="项目构成明细合计"):
        do(engine, target, "submit")
    rows[3].quantity = 300.0
    session.delete(rows[8])
    session.commit()
    with pytest.raises(UserError, match="还缺少效果目标"):
        do(engine, target, "submit")
    assert target.status == "draft"


def test_submitted_returned_approved_and_closed(engine: Engine, session: Session):
    tree = make.tree()
    session.add_all(tree.values())
    session.commit()
    target, rows = complete_target(session, organization=tree["branch_a1"])
    own, above = staff(tree["branch_a1"]), staff(tree["street_a"])
    # Somebody of the territory sees it, and it is not theirs to approve.
    tree["branch_a1"].territory_id = tree["street_b"].id
    session.commit()
    sideways = staff(tree["street_b"])
    with pytest.raises(NotOffered):
        do(engine, target, "approve", above)
    do(engine, target, "submit", own)
    with pytest.raises(OutOfScope):
        do(engine, target, "approve", sideways)
    do(engine, target, "send_back", above, reason="目标不明确")
    assert (target.status, target.opinion) == ("returned", "目标不明确")
    do(engine, target, "submit", own)
    do(engine, target, "approve", above, opinion="同意")
    with pytest.raises(UserError, match="没有实际值"):
        do(engine, target, "close", above)
    for goal in rows[6:10]:
        goal.actual_value, goal.measured_on = goal.target_value, today()
    session.commit()
    do(engine, target, "close", above)
    assert (target.status, target.closed_on) == ("closed", today())


def test_satisfaction_follows_the_survey(engine: Engine, session: Session):
    survey = make.survey(opens_on=today() - timedelta(days=2), closes_on=TOMORROW, is_anonymous=False)
    goal = make.performance_goal(title="公众满意度", kind="influence", dimension="satisfaction", target_value=85.0,
                                 value_source="survey", survey=survey)  # fmt: skip
    session.add_all([survey, goal])
    session.commit()
    assert (goal.actual_value, goal.attainment) == (None, None)
    do(engine, survey, "enter_paper", rating="4")
    assert (goal.actual_value, goal.measured_on, goal.attainment) == (80.0, today(), 94.12)
    do(engine, survey, "enter_paper", rating="5")
    assert (goal.actual_value, goal.attainment) == (90.0, 105.88)
    late = make.performance_goal(target=goal.target, title="成员满意度", kind="influence", dimension="satisfaction",
                                 target_value=90.0, value_source="survey", survey=survey)  # fmt: skip
    session.add(late)
    session.commit()
    assert late.attainment == 100.0, "a survey that has answers already counts at once"


def test_the_filled_form(session: Session):
    target, rows = complete_target(session, overview="一\n二", necessity="=SUM(A1)")
    session.expire_all()
    form = filled_form(FormRows(target, "测试党支部", rows[1:3], rows[6:10], in_order(rows[3:6]), rows[10:12]))
    sheet = load_workbook(io.BytesIO(form)).active
    cells = {cell.value: cell for row in sheet.iter_rows() for cell in row if cell.value is not None}
    merged = {str(area) for area in sheet.merged_cells.ranges}
    assert sheet["A1"].value == "财政项目支出绩效目标申报表"
    assert "A1:H1" in merged
    assert sheet["A2"].value == "（2026年度）"
    assert cells["系统开发"].column == 1
    first = cells["系统开发"].row
    assert f"A{first}:A{first + 1}" in merged, "one content over its two lines"
    assert cells["合计"].row == cells["培训"].row + 1
    assert sheet.cell(cells["合计"].row, 7).value == 100000
    output = cells["产出目标"].row
    assert f"A{output}:A{output + 1}" in merged, "two goals of output"
    assert {"效果目标", "影响力目标", "数量", "质量", "社会效益", "满意度", "✓", "×"} <= set(cells)
    assert sheet.cell(cells["验收合格率"].row, 7).value == "100%"
    for text in ("=SUM(A1)", "=公众满意度"):
        assert cells[text].data_type == "s", "no formula"
    funding = cells["当年预算资金来源"].row
    assert f"A{funding}:A{funding + 3}" in merged
    assert [sheet.cell(funding + n, 5).value for n in range(4)] == [40000, 60000, 0, 0]
