"""Evaluations: start one, watch it, stop it; faults of the rules folder; what was evaluated before."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select, update
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from app.access.permissions import DASHBOARD, EVALUATE
from app.database.clock import now
from app.entity.labels import Label, UserError
from app.entity.periods import Period
from app.evaluation import results
from app.evaluation.models import Evaluation, PeriodRecord, PeriodState, RunState
from app.evaluation.periods import LONGEST_REASON, PeriodClosed, checked_reason
from app.evaluation.progress import request_evaluation
from app.jobs.queue import enqueue

from ..presentation import period_name, text
from .context import Page, indices, library, link, rule_label

RECENT = 20

STATES = {
    RunState.QUEUED: Label("排队中", "Queued"),
    RunState.RUNNING: Label("评定中", "Running"),
    RunState.PUBLISHED: Label("已公布", "Published"),
    RunState.FAILED: Label("没有完成", "Failed"),
    RunState.STOPPED: Label("已停止", "Stopped"),
}
CAUSES = {
    "console": Label("人工发起", "Asked for"),
    "schedule": Label("定时", "Scheduled"),
    "command": Label("命令行", "Command line"),
    "change": Label("记录改动", "Change of records"),
}
ALL = Label("全部指数和预警", "All indices and warnings")
WAIT = Label("已经有一次评定在进行，完成后再发起", "An evaluation is under way; start another afterwards")
QUEUE_AWAY = Label(
    "任务队列暂时连不上；恢复后会自动开始，不需要重新发起",
    "The queue cannot be reached; the evaluation starts by itself when it is back",
)
UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)


class EvaluationsPage(Page):
    """评定."""

    route_base = "/evaluations"
    default_view = "show"
    class_permission_name = "Evaluation"
    method_permission_name = {"show": "list", "progress": "list", "start": "run", "stop": "run"}

    @expose("/")
    @has_access
    def show(self) -> str:
        self.update_redirect()
        chosen = request.args.get("run", type=int)
        latest = self.session.get(Evaluation, chosen) if chosen else self._latest()
        return self._page(latest)

    def _page(self, latest: Evaluation | None, **form: Any) -> str:
        """``form``: what had been filled in when it was refused, and why (``refused``)."""
        may_start = self._may_evaluate()
        known = self._periods() if may_start else []
        return self.render_template(
            "beacon/run.html",
            title=Label("评定", "Evaluations"),
            evaluate_url=url_for("EvaluationsPage.start") if may_start else None,
            choices=[(index.code, index.label) for index in indices()] if may_start else [],
            periods=known,
            form={"rule": "", "period": "", "reason": "", "refused": None, **form},
            longest_reason=LONGEST_REASON,
            faults=_faults() if may_start else [],
            recent=self._recent(),
            **self._progress(latest),
        )

    @expose("/<int:evaluation_id>/progress")
    @has_access
    def progress(self, evaluation_id: int) -> str:
        evaluation = self.session.get(Evaluation, evaluation_id)
        if evaluation is None:
            raise NotFound
        return self.render_template("beacon/run_progress.html", **self._progress(evaluation))

    @expose("/start", methods=["POST"])
    @has_access
    def start(self) -> Response | tuple[str, int]:
        rule, period = request.form.get("rule") or None, request.form.get("period") or None
        written = request.form.get("reason", "")
        known = {index.code for index in indices()}
        if rule is not None and rule not in known:
            raise NotFound
        rules = (rule,) if rule else None
        waiting = results.running_evaluation(self.session)
        if waiting is not None:
            flash(text(WAIT))
            return redirect(url_for("EvaluationsPage.show", run=waiting.id))
        try:
            reason = checked_reason(written)
            asked = Period.parse(period) if period is not None else None
            if asked and not reason and results.period_state(self.session, str(asked)) == PeriodState.CLOSED:
                raise PeriodClosed.of(asked)
        except UserError as refusal:
            form = {"rule": rule or "", "period": period or "", "reason": written, "refused": refusal.label}
            return self._page(self._latest(), **form), 422
        # The row is committed before its job can start, on a connection of its own.
        self.session.rollback()
        evaluation = request_evaluation(
            self.session.get_bind(),
            cause="console",
            rules=rules,
            period=period,
            correction_reason=reason,
            requested_by=self.actor.user_id,
        )
        if enqueue("evaluate", evaluation_id=evaluation) is None:
            flash(text(QUEUE_AWAY))
        return redirect(url_for("EvaluationsPage.show", run=evaluation))

    @expose("/<int:evaluation_id>/stop", methods=["POST"])
    @has_access
    def stop(self, evaluation_id: int) -> Response:
        statement = (
            update(Evaluation)
            .where(Evaluation.id == evaluation_id, Evaluation.state.in_(UNDER_WAY))
            .values(state=RunState.STOPPED, finished_at=now())
        )
        self.session.execute(statement)
        self.session.commit()
        return redirect(url_for("EvaluationsPage.show", run=evaluation_id))

    def _may_evaluate(self) -> bool:
        return self.may(EVALUATE)

    def _latest(self) -> Evaluation | None:
        statement = select(Evaluation).where(Evaluation.cause != "change").order_by(Evaluation.id.desc())
        return self.session.scalars(statement.limit(1)).first()

    def _progress(self, evaluation: Evaluation | None) -> dict[str, Any]:
        if evaluation is None:
            return {"run": None, "poll_url": None, "stop_url": None, "result_url": None}
        under_way = evaluation.state in UNDER_WAY
        problem = Label(evaluation.problem_zh, evaluation.problem_en or "") if evaluation.problem_zh else None
        return {
            "run": {
                "state": evaluation.state,
                "label": _label(evaluation),
                "cause": CAUSES.get(evaluation.cause, Label(evaluation.cause, evaluation.cause)),
                "by": self._by(evaluation),
                "created_at": evaluation.created_at,
                "started_at": evaluation.started_at,
                "finished_at": evaluation.finished_at,
                "rules_done": evaluation.rules_done,
                "rules_total": evaluation.rules_total,
                "subjects_done": evaluation.subjects_done,
                "current": rule_label(evaluation.current_rule) if evaluation.current_rule else None,
                "reason": evaluation.correction_reason,
                "problem": problem,
            },
            "poll_url": url_for("EvaluationsPage.progress", evaluation_id=evaluation.id),
            "stop_url": url_for("EvaluationsPage.stop", evaluation_id=evaluation.id)
            if under_way and self._may_evaluate()
            else None,
            "result_url": url_for("DashboardPage.show") if self.may(DASHBOARD) else None,
        }

    def _by(self, evaluation: Evaluation) -> str:
        if evaluation.requested_by is None:
            return text(Label("系统", "System"))
        user = self.appbuilder.sm.get_user_by_id(evaluation.requested_by)
        return user.get_full_name() if user else "—"

    def _periods(self) -> list[tuple[str, str, bool]]:
        """(code, name, whether it is closed), newest first."""
        known = {period for index in indices() for period in results.periods_of(self.session, index.code) if period}
        closed = select(PeriodRecord.period_code).where(PeriodRecord.state == PeriodState.CLOSED)
        are_closed = set(self.session.scalars(closed))
        return [
            ("", text(Label("当前周期", "Present period")), False),
            *((code, period_name(code), code in are_closed) for code in sorted(known)[::-1]),
        ]

    def _recent(self) -> list[dict[str, Any]]:
        statement = select(Evaluation).where(Evaluation.cause != "change").order_by(Evaluation.id.desc()).limit(RECENT)
        rows = []
        for evaluation in self.session.scalars(statement):
            ended, began = evaluation.finished_at, evaluation.started_at
            rows.append(
                {
                    "label": _label(evaluation),
                    "reason": evaluation.correction_reason,
                    "state": evaluation.state,
                    "at": evaluation.created_at,
                    "by": self._by(evaluation),
                    "seconds": (ended - began).total_seconds() if ended and began else None,
                    "subjects": evaluation.subjects_done,
                    "url": link(run=evaluation.id),
                }
            )
        return rows


def _label(evaluation: Evaluation) -> Label:
    codes = (evaluation.requested_rules or "").split()
    label = rule_label(codes[0]) if codes else ALL
    if evaluation.requested_period:
        period = evaluation.requested_period
        return Label(f"{label.zh}，{period_name(period)}", f"{label.en}, {period_name(period)}")
    return label


def _faults() -> list[dict[str, Any]]:
    """What is wrong in the rules folder, and what stays in force meanwhile."""
    in_force = library().rules()
    faults = []
    for problem in library().problems():
        if problem.is_hint:
            continue
        code = problem.file.rsplit("/", 1)[-1].removesuffix(".yaml")
        kept = in_force.get(code)
        faults.append(
            {
                "file": problem.file,
                "line": problem.line,
                "node": problem.path,
                "message": problem.label,
                "in_force": Label(
                    f"“{kept.label.zh}”的上一个版本仍然有效", f"the last version of “{kept.label.en}” stays in force"
                )
                if kept
                else Label("这条规则没有生效", "this rule is not in force"),
            }
        )
    return faults
