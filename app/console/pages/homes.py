"""Homes: of a branch secretary (what is wrong in my branch, and what do I do about it), and of a member."""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from flask import url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.access.masking import masked
from app.access.references import organization_names
from app.database.clock import now, today
from app.entity.labels import Label
from app.entity.periods import Period
from app.entity.registry import registry
from app.evaluation import results
from app.evaluation.breakdowns import read_breakdowns
from app.evaluation.models import Score, WarningState
from app.rules.explaining import explain, metrics_of
from app.rules.model import Index, Warning

from ..display import add_url, edit_url, list_url, show_url
from ..permissions import may
from .adjusted import standing_of
from .context import indices, library, scorecard_url
from .next_steps import NextStep, next_step
from .records import figure_url
from .scorecards import next_light
from .warnings import by_rule

TODOS = 10
ENTRIES = (
    ("meeting", "fa-calendar-check"),
    ("study_record", "fa-book"),
    ("fee_payment", "fa-yen-sign"),
    ("member", "fa-user-plus"),
)
WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")


def greeting(name: str) -> Label:
    """“演示·支部书记，上午好”."""
    hour = now().hour
    word = (
        Label("早上好", "good morning")
        if hour < 9
        else Label("上午好", "good morning")
        if hour < 12
        else Label("下午好", "good afternoon")
        if hour < 18
        else Label("晚上好", "good evening")
    )
    return Label(f"{name}，{word.zh}", f"{name}, {word.en}")


def day_words(day: date) -> Label:
    return Label(f"{day.month}月{day.day}日 星期{WEEKDAYS[day.weekday()]}", f"{day:%A} {day.day} {day:%B}")


def home_of_branch(session: Session, actor: Actor, name: str) -> dict[str, Any]:
    """The context of ``beacon/home.html``."""
    branch = organization_names(session, [actor.organization_id]).get(actor.organization_id or 0)
    index = next(iter(indices("organization")), None)
    model: Any = registry["organization"].model
    subject = session.scalars(select(model).where(model.id == actor.organization_id)).one_or_none()
    verdict, points = _verdict(session, index, subject)
    standing = WarningState.organization_id == actor.organization_id
    todos = _both(_warning_todos(session, standing, subject), points)
    words = day_words(today())
    place = branch.name if branch else ""
    return {
        "title": greeting(name),
        "context_line": Label(f"{place} · {words.zh}", f"{place} · {words.en}"),
        "verdict": _with_gain(verdict, todos),
        "todos": todos,
        "entries": [
            {"icon": icon, "label": registry[code].label, "url": add_url(code)}
            for code, icon in ENTRIES
            if code in registry and may("add", registry[code])
        ],
        "meetings": _meetings(session),
        "movements": _movements(session, index, actor.organization_id),
    }


def home_of_member(session: Session, actor: Actor, name: str) -> dict[str, Any]:
    """The context of ``beacon/member.html``: nobody else's data."""
    model: Any = registry["member"].model
    member = session.scalars(select(model).where(model.id == actor.member_id)).one_or_none()
    branch = organization_names(session, [actor.organization_id]).get(actor.organization_id or 0)
    index = next(iter(indices("member")), None)
    verdict, points = _verdict(session, index, member)
    return {
        "title": greeting(name),
        "context_line": Label(branch.name, branch.name) if branch else Label("", ""),
        "verdict": verdict,
        "figures": _figures(session, actor),
        "todos": _both(_warning_todos(session, WarningState.member_id == actor.member_id, None), points),
        "facts": _facts(member),
        "facts_url": show_url("member", member.id) if member else None,
    }


def _verdict(session: Session, index: Index | None, subject: Any) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The light and score of a branch or member, and its greatest losses as to-dos."""
    if index is None or subject is None:
        return None, []
    period = str(Period.containing(today(), index.period)) if index.period else ""
    score = results.score_of(session, index.code, period, subject.id)
    if score is None:
        return None, []
    standing = standing_of(index, score, today())
    row = read_breakdowns(session, standing.breakdown, period, [subject.id]).get(subject.id)
    index = replace(standing.index, code=index.code)
    todos = []
    if row is not None:
        values = {node.code: node.value for node in index.root.walk() if node.value is not None}
        leaves = [leaf for node in explain(index, row, registry) for leaf in node.leaves() if leaf.lost >= 0.05]
        for leaf in sorted(leaves, key=lambda leaf: -leaf.lost):
            used = metrics_of(index, values[leaf.code])
            todos.append(
                {
                    "light": None,
                    "say": leaf.sentence,
                    "why": leaf.basis or index.label,
                    "url": figure_url(index, used[0], subject, period) if used else None,
                    "step": next_step(index, values[leaf.code], subject, period),
                    "due": Period.parse(period).end if period else None,
                    "points": leaf.lost,
                }
            )
    verdict = {
        "index_label": index.label,
        "light": score.light,
        "score": score.score,
        "scorecard_url": scorecard_url(index.code, subject.code, period),
        "next_light": next_light(index, score.score, score.light),
        "gain": None,
    }
    return verdict, todos


def _with_gain(verdict: dict[str, Any] | None, todos: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The verdict with what the to-dos on the page would win together."""
    gain = sum(todo["points"] or 0.0 for todo in todos)
    return {**verdict, "gain": gain or None} if verdict else None


def _both(warnings: list[dict[str, Any]], points: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Warnings first, gravest on top, but never so many that what wins points is not seen."""
    kept = warnings[: max(TODOS // 2, TODOS - len(points))]
    return kept + points[: TODOS - len(kept)]


def _warning_todos(session: Session, condition: Any, branch: Any) -> list[dict[str, Any]]:
    """The standing warnings, one line a rule: the gravest, and how many there are of it. ``branch``: the secretary's;
    None for a member, who has no page of warnings and is led to the records themselves."""
    todos = []
    for rule, first, count, say, by in by_rule(session, condition):
        todos.append(
            {
                "light": first.light,
                "say": say,
                "why": by,
                **_way_out(rule, first, count, branch),
                "due": None,
                "points": None,
            }
        )
    return todos


def _way_out(code: str, state: WarningState, count: int, branch: Any) -> dict[str, Any]:
    """The link of a warning, and the step that ends it."""
    if branch is None:
        one = show_url(state.subject_entity, state.subject_id)
        return {"url": one if count == 1 else list_url(state.subject_entity), "step": None}
    url = url_for("WarningsPage.show", rule=code)
    rule = library().rules().get(code)
    if not isinstance(rule, Warning) or state.subject_entity != "organization":
        return {"url": url, "step": NextStep(Label("看名单", "See the list"), url)}
    return {"url": url, "step": next_step(rule, rule.value, branch, "")}


def _meetings(session: Session) -> dict[str, Any]:
    """This month's meetings, those planned and not yet held included."""
    month = today().replace(day=1)
    end = month.replace(day=calendar.monthrange(month.year, month.month)[1])
    label = Label(f"{month.month}月", f"{month:%B}")
    if "meeting" not in registry:
        return {"label": label, "rows": [], "url": None}
    model: Any = registry["meeting"].model
    placed = func.coalesce(model.held_on, func.date(model.planned_at))
    statement = select(model).where(placed >= month, placed <= end).order_by(placed).limit(10)
    rows = []
    for meeting in session.scalars(statement):
        held = str(meeting.status) in ("held", "reviewed")
        day = meeting.held_on or meeting.planned_at.date()
        turnout = f"{meeting.attended or 0}/{meeting.expected or 0}"
        rows.append(
            {
                "say": meeting.kind.label,
                "detail": Label(
                    f"{day.month}月{day.day}日" + (f"，到会 {turnout}" if held else "，待召开"),
                    f"{day:%d %b}" + (f", attended {turnout}" if held else ", ahead"),
                ),
                "held": held,
                "url": edit_url("meeting", meeting.id),
            }
        )
    return {"label": label, "rows": rows, "url": list_url("meeting")}


def _movements(session: Session, index: Index | None, organization_id: int | None) -> list[dict[str, Any]]:
    """The latest changes of the score, from the versions that runs have left."""
    if index is None or organization_id is None:
        return []
    period = str(Period.containing(today(), index.period)) if index.period else ""
    statement = (
        select(Score.run_id, Score.score)
        .where(Score.rule_code == index.code, Score.period_code == period, Score.subject_id == organization_id)
        .order_by(Score.run_id.desc())
        .limit(6)
    )
    versions = session.execute(statement).all()
    run_days = results.run_days(session, [run for run, _score in versions])
    movements = []
    for (run, score), (_earlier, before) in pairwise(versions):
        if score is not None and before is not None and abs(score - before) >= 0.05:
            word = Label("得分上升", "The score rose") if score > before else Label("得分下降", "The score fell")
            movements.append({"on": run_days[run], "say": word, "points": score - before})
    return movements


def _figures(session: Session, actor: Actor) -> list[dict[str, Any]]:
    """This year's study hours, fees and meetings of a member."""
    start = today().replace(month=1, day=1)
    figures = []
    if "study_record" in registry:
        model: Any = registry["study_record"].model
        hours = session.scalar(
            select(func.sum(model.hours)).where(model.member_id == actor.member_id, model.completed_on >= start)
        )
        figures.append(
            {
                "label": Label("今年学时", "Study hours this year"),
                "value": f"{float(hours or 0):g}",
                "note": Label("目标 32 学时", "32 due"),
                "url": list_url("study_record"),
                "part": float(hours or 0),
                "whole": 32,
            }
        )
    if "fee_payment" in registry:
        model = registry["fee_payment"].model
        due = model.member_id == actor.member_id, model.pay_by >= start, model.pay_by <= today()
        total = session.scalar(select(func.count(model.id)).where(*due)) or 0
        paid = session.scalar(select(func.count(model.id)).where(*due, model.paid_on.is_not(None))) or 0
        figures.append(
            {
                "label": Label("今年党费", "Fees this year"),
                "value": f"{paid}",
                "note": Label(f"应交 {total} 个月", f"{total} months due"),
                "url": list_url("fee_payment"),
                "part": paid,
                "whole": total or 1,
            }
        )
    if "attendance" in registry:
        model = registry["attendance"].model
        called = model.member_id == actor.member_id, model.held_on >= start, model.held_on <= today()
        total = session.scalar(select(func.count(model.id)).where(*called)) or 0
        came = session.scalar(select(func.count(model.id)).where(*called, model.status == "present")) or 0
        figures.append(
            {
                "label": Label("今年到会", "Meetings attended this year"),
                "value": f"{came}",
                "note": Label(f"应到 {total} 次", f"{total} expected"),
                "url": list_url("attendance"),
                "part": came,
                "whole": total or 1,
            }
        )
    return figures


def _facts(member: Any) -> list[tuple[Label, str]]:
    """What is kept about a member, personal values masked."""
    if member is None:
        return []
    facts = []
    fields = registry["member"].fields
    for name in ("name", "member_type", "joined_on", "education", "mobile", "id_no"):
        value = getattr(member, name)
        label = getattr(value, "label", None)
        shown = label or (masked(fields[name], value) if fields[name].options.personal else value) or "—"
        facts.append((fields[name].label, shown))
    return facts
