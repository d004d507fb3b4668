"""The page of evaluations: who may start one, what is asked for, and how a closed period is corrected."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import delete, insert, select

from app.database.clock import now, today
from app.database.engine import for_writing
from app.evaluation.models import (
    Breakdown,
    Evaluation,
    Extent,
    Held,
    PeriodRecord,
    PeriodState,
    Run,
    RunState,
    Score,
    WarningState,
)
from app.jobs import tasks
from app.rules.library import RuleLibrary
from tests.access.world import World
from tests.console.conftest import Peopled
from tests.console.site import Site, Visitor

CLOSED = f"{today().year - 1}"
REASON = "补录四次党课，报区委组织部同意"
_evaluations, _runs, _periods = Evaluation.__table__, Run.__table__, PeriodRecord.__table__


@pytest.fixture(scope="module", autouse=True)
def account(peopled: Peopled) -> None:
    peopled.site.add_account("rules", "rule_administrator", peopled.world.organizations["district"].id)


@pytest.fixture
def rules(site: Site) -> Iterator[Visitor]:
    """The rule administrator. Last year is closed; nothing is under way."""
    index = "member_vanguard"
    with for_writing(site.engine).begin() as connection:
        period = {"period_code": CLOSED, "state": PeriodState.CLOSED, "ends_on": date(int(CLOSED), 12, 31)}
        connection.execute(insert(_periods).values(period))
        run = {"rule_code": index, "rule_kind": "index", "rule_version": "x", "period_code": CLOSED}
        state = {"as_of": date(int(CLOSED), 12, 31), "extent": Extent.FULL, "state": RunState.PUBLISHED}
        connection.execute(insert(_runs).values({**run, **state, "started_at": now(), "finished_at": now()}))
    yield site.visitor("rules")
    with for_writing(site.engine).begin() as connection:
        for model in (Score, WarningState, Breakdown, Held, Run, Evaluation, PeriodRecord):
            connection.execute(delete(model.__table__))


def wanted(site: Site) -> list:
    with site.engine.connect() as connection:
        return list(connection.execute(select(_evaluations).order_by(_evaluations.c.id)))


def start(visitor: Visitor, **form: str):
    visitor.get("/evaluations/")
    return visitor.post("/evaluations/start", {"rule": "member_vanguard", "period": "", "reason": "", **form})


def said(page: str) -> str:
    found = re.search(r'id="reason-help">([^<]*)<', page)
    assert found, page
    return found[1]


def test_the_form_says_which_periods_are_closed(rules: Visitor) -> None:
    page = rules.get("/evaluations/").text
    assert f"{CLOSED} 年（已封账）</option>" in page
    assert said(page) == "只有更正已封账的周期才需要填写"


def test_a_closed_period_is_not_evaluated_without_a_reason(site: Site, rules: Visitor) -> None:
    answer = start(rules, period=CLOSED)
    assert answer.status_code == 422
    assert f"{CLOSED} 已经封账" in said(answer.text)
    assert "更正原因" in said(answer.text)
    assert 'aria-invalid="true"' in answer.text
    assert f'<option value="{CLOSED}" selected>' in answer.text
    assert '<option value="member_vanguard" selected>' in answer.text
    assert wanted(site) == []


@pytest.mark.parametrize("reason", ["改", "长" * 201])
def test_a_reason_that_says_nothing_is_refused_and_stays_in_the_form(site: Site, rules: Visitor, reason: str) -> None:
    answer = start(rules, period=CLOSED, reason=reason)
    assert answer.status_code == 422
    assert said(answer.text) == "请用 4 到 200 个字写明更正原因"
    assert f'value="{reason}"' in answer.text
    assert wanted(site) == []


def test_the_reason_goes_with_the_job_to_the_run_and_is_shown(
    site: Site, world: World, rules: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = start(rules, period=CLOSED, reason=f"  {REASON} ")
    assert answer.status_code == 302
    [request] = wanted(site)
    assert (request.requested_period, request.correction_reason) == (CLOSED, REASON)
    monkeypatch.setattr(tasks, "_engine", lambda: site.engine)
    monkeypatch.setattr(tasks, "_library", lambda: RuleLibrary(site.settings.rules_dir, site.settings.data_dir))
    tasks.evaluate(request.id)
    with site.engine.connect() as connection:
        kept = connection.execute(select(_runs).where(_runs.c.evaluation_id == request.id)).all()
    assert {(run.rule_code, run.correction_reason) for run in kept if run.period_code == CLOSED} == {
        ("member_vanguard", REASON)
    }
    page = rules.get(answer.headers["Location"]).text
    assert f"<dt>更正原因</dt><dd>{REASON}</dd>" in page
    assert f"更正：{REASON}" in page
    card = f"/scorecard/member_vanguard/{world.members['branch_a1'].code}?period={CLOSED}"
    assert f"封账后于 {today()} 更正：{REASON}" in site.visitor().get(card).text
    english = site.visitor(language="en").get(card).text
    assert f"corrected on {today()}, after closing: {REASON}" in english


def test_a_reason_is_not_kept_where_nothing_is_corrected(
    site: Site, rules: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start(rules, reason=REASON).status_code == 302
    monkeypatch.setattr(tasks, "_engine", lambda: site.engine)
    monkeypatch.setattr(tasks, "_library", lambda: RuleLibrary(site.settings.rules_dir, site.settings.data_dir))
    tasks.evaluate(wanted(site)[0].id)
    with site.engine.connect() as connection:
        reasons = set(connection.execute(select(_runs.c.correction_reason)).scalars())
    assert reasons == {None}


@pytest.mark.parametrize("name", ["street", "secretary", "it", "auditor", "member"])
def test_others_neither_start_nor_correct(site: Site, rules: Visitor, name: str) -> None:
    visitor = site.visitor(name)
    answer = visitor.post("/evaluations/start", {"rule": "", "period": CLOSED, "reason": REASON})
    assert answer.status_code == 403
    assert wanted(site) == []


@pytest.mark.parametrize("period", ["2026Q9", "gestern", "20", "'; --"])
def test_a_period_that_is_none_is_refused_in_words(site: Site, rules: Visitor, period: str) -> None:
    answer = start(rules, period=period)
    assert answer.status_code == 422
    assert period not in ("", said(answer.text))
    assert wanted(site) == []
