"""“Freeze this case”: a test from a real result, with names removed, that a rule must go on satisfying.

A case holds the figures of one subject and what its columns say that the rule asks for, under a code of its own: no
name, no code, no record of anybody. What depends on others (percentiles, observed ranges, peers' means) is left out of
what is expected, because a case stands alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import polars as pl
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.entity.filters import All, AnyOf, Filter, NoneOf, Test
from app.entity.labels import UserError
from app.entity.registry import Registry, registry
from app.rules.editing.writing import block_lines, entry_lines
from app.rules.frames import SUBJECT_ID, column_of_metric, filters_of
from app.rules.library import RuleLibrary
from app.rules.model import Index, Metric, Missing, Node, Rule
from app.rules.rule_order import indices_read
from app.rules.shapes import depends_on_others
from app.rules.subject_rows import columns_used

from .dry_run import scored
from .kept_figures import KeptFigures, figures_for, kept_figures

SUBJECT = "CASE"
DECIMALS = 4


def frozen_case(
    session: Session,
    engine: Engine,
    library: RuleLibrary,
    code: str,
    period: str,
    subject_id: int,
    *,
    name: str = "",
    entities: Registry = registry,
) -> str:
    """The case as YAML: one item of a list of cases. The session reads the subject, in its actor's scope.

    Raises UserError for a subject without a result, or whose score is made of those below it.
    """
    rule = library.rule(code)
    kept = kept_figures(engine, library, code, period, entities)
    subject = session.get(entities[rule.subject].model, subject_id)
    if kept is None or subject is None:
        raise UserError("没有可以固定的结果", "There is no result to freeze")
    figures = figures_for(rule, kept, engine, library, entities)
    results = scored(rule, figures).filter(pl.col(SUBJECT_ID) == subject_id).to_dicts()
    own = figures.frame.filter(pl.col(SUBJECT_ID) == subject_id).to_dicts()
    if not results or not own:
        raise UserError("这条规则没有评定这个对象", "The rule has no result for this subject")
    result = results[0]
    if isinstance(rule, Index) and rule.roll_up and result["rolled"] != result["own"]:
        raise UserError(
            "这个得分是由下级汇总的，不能单独固定成用例",
            "This score is made of those below: it cannot be frozen by itself",
        )
    given = _rows(rule, subject, kept, entities)
    given["figures"] = {
        metric.name: _plain(own[0][column_of_metric(metric.name)])
        for metric in rule.metrics
        if isinstance(metric, Metric)
    }
    read = sorted(indices_read(rule))
    if read:
        given["index"] = {each: [] for each in read}
    given["warning"] = []
    case: dict[str, Any] = {"name": name} if name else {}
    case |= {"given": given, "index" if isinstance(rule, Index) else "warning": code}
    case |= {"as_of": figures.context.as_of} | ({"period": period} if period else {})
    case["expect"] = _expected(rule, result)
    return "\n".join(_lines(case)) + "\n"


def _lines(case: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for key, value in case.items():
        lines += (
            [f"{key}:", *(f"  {line}" for line in block_lines(value))]
            if key == "given"
            else entry_lines(key, value, block=False)
        )
    return [f"- {lines[0]}", *(f"  {line}" for line in lines[1:])]


def _rows(rule: Rule, subject: Any, kept: KeptFigures, entities: Registry) -> dict[str, Any]:
    """The subject, and the rows it leads to, with the columns that the rule asks for."""
    entity = entities[rule.subject]
    paths = {*columns_used(rule, entity, entities)}
    for filter_ in filters_of(rule):
        paths.update(_paths(filter_))
    own: dict[str, Any] = {"code": SUBJECT}
    others: dict[str, dict[str, Any]] = {}
    for path in sorted(paths - {"code"}):
        head, _, rest = path.partition(".")
        if not rest:
            if head in entity.fields:
                own[head] = _plain(getattr(subject, head))
            continue
        relation = entity.relations.get(head)
        target = getattr(subject, head, None)
        if relation is None or target is None or "." in rest or relation.target == rule.subject:
            continue
        others.setdefault(relation.target, {"code": f"{SUBJECT}-{head}"})[rest] = _plain(getattr(target, rest))
        own[head] = f"{SUBJECT}-{head}"
    return {rule.subject: own, **others}


def _paths(filter_: Filter) -> Iterator[str]:
    match filter_:
        case Test(path=path):
            yield path
        case NoneOf(part=part):
            yield from _paths(part)
        case All(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from _paths(part)


def _expected(rule: Rule, result: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(rule, Index):
        return {"level": _plain(result["level"])} | ({"value": _plain(result["value"])} if rule.value else {})
    alone = {node.code: _stands_alone(node) for node in rule.root.walk()}
    expected: dict[str, Any] = {}
    if alone[rule.root.code]:
        expected = {"score": _plain(result["score"])}
    for node in rule.root.walk():
        if node is not rule.root and alone[node.code]:
            expected[node.code] = _plain(result[f"{node.code}.score"])
    return expected


def _stands_alone(node: Node) -> bool:
    """Whether a node's score depends on its own subject alone."""
    if node.missing is Missing.PEER_AVERAGE or depends_on_others(node):
        return False
    return all(_stands_alone(child) for child in node.children if child.enabled)


def _plain(value: Any) -> Any:
    """As YAML writes it; numbers at the decimals that a case compares."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool | date | datetime) or value is None:
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        rounded = round(float(value), DECIMALS)
        return int(rounded) if rounded.is_integer() else rounded
    return str(value)
