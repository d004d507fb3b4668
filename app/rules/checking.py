"""Whether a parsed rule makes sense: names and types of expressions, ties, weights, thresholds; and hints.

Faults keep a rule from coming into force, hints do not. Cycles between rules are found where rules come together
(``app.rules.library``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from app.entity.filters import UnknownColumn, resolve_column
from app.entity.labels import Label
from app.entity.registry import Registry

from .adjustable import edges_of, parameters_of, targets_of, weights_of
from .expression_types import DATE, NUMBER, SHARE, Kind, Scope, Type, compatible, infer, require_truth, type_of_column
from .expressions import Name, names
from .frames import expressions_of, expressions_of_node
from .ground import NO_PERIOD, Ground
from .metric_checks import check_metric, wholes_of
from .metric_parsing import DATE_NAMES, PERIOD_NAMES
from .model import Index, LightRule, Metric, Parameter, Rule, Warning
from .node_checks import check_nodes
from .problems import PathSteps, Problem
from .reading import Report
from .result_columns import Catalogue
from .source import Part
from .threshold_checks import Finding, check_lights


def check_rule(rule: Rule, root: Part, *, catalogue: Catalogue, entities: Registry) -> list[Problem]:
    """The problems and hints of a rule that was parsed from ``root``."""
    report = Report(rule.file, root)
    ground = Ground(entities[rule.subject], entities, catalogue, report, rule.period is not None)
    scope = _scope(rule, ground)
    ground.conditions(rule.applies_to, ("applies_to",), scope)
    if isinstance(rule, Index):
        _check_index(rule, scope, ground)
    elif isinstance(rule, Warning):
        _check_warning(rule, scope, ground)
    _hint_unused(rule, ground)
    return report.problems


def _scope(rule: Rule, ground: Ground) -> Scope:
    """The names of the rule's expressions. Checks parameters and metrics on the way."""
    dates = {name: DATE for name in DATE_NAMES if ground.has_period or name not in PERIOD_NAMES}
    known: dict[str, Type] = {**dates, **({"elapsed": SHARE} if ground.has_period else {})}
    for parameter in rule.parameters:
        _check_parameter(parameter, ground)
        known[parameter.name] = NUMBER
    unavailable = {name: NO_PERIOD for name in PERIOD_NAMES if not ground.has_period}
    below = {
        metric.name: Label(
            f"指标“{metric.name}”写在下面；只能用上面的指标",
            f"the metric “{metric.name}” stands below; only those above can be used",
        )
        for metric in rule.metrics
    }
    scope = Scope(
        known,
        ground.subject,
        ground.entities,
        unavailable | below,
        has_period=ground.has_period,
        may_hold=isinstance(rule, Warning),
        wholes=wholes_of(rule.metrics),
    )
    for metric in rule.metrics:
        if isinstance(metric, Metric):
            found = check_metric(metric, ground)
        else:
            found = infer(metric.expression, scope, ground.tell_at("metrics", metric.name))
        scope = scope.with_names(**{metric.name: found})
    return scope


def _check_parameter(parameter: Parameter, ground: Ground) -> None:
    if parameter.by is None:
        return
    place: PathSteps = ("parameters", parameter.name)
    try:
        column = resolve_column(ground.subject, parameter.by, ground.entities)
    except UnknownColumn as error:
        ground.report.add((*place, "by"), error.label)
        return
    found = type_of_column(column)
    if found.kind in (Kind.ENCRYPTED, Kind.DATE):
        ground.fault(
            (*place, "by"),
            f"by 不能用{found.kind.label.zh}",
            f"by does not take {found.kind.label.en}",
        )
    ground.codes(parameter.values, found, (*place, "values"))


def _check_index(index: Index, scope: Scope, ground: Ground) -> None:
    check_nodes(index, scope, ground, _constants(index))
    for key, items in (("bonus", index.bonus), ("penalty", index.penalty)):
        for position, item in enumerate(items):
            ground.number(item.value, (key, position, "value"), scope)
    low, high = index.bounds or index.scale
    for position, veto in enumerate(index.veto):
        require_truth(veto.when, scope, ground.tell_at("veto", position, "when"))
        if veto.cap >= high:
            ground.hint(
                ("veto", position, "cap"),
                f"上限 {veto.cap:g} 改变不了任何得分",
                f"a cap of {veto.cap:g} changes no score",
            )
    for path in index.peers:
        _check_peers(path, ground)
    _check_roll_up(index, scope, ground)
    for light in index.lights:
        _check_light(light, ("lights",), NUMBER, scope, ground)
    if index.lights:
        _tell("lights", _findings(index, index.lights, (low, high), index.decimals), ground)
    else:
        ground.hint((), "没有写 lights，得分不对应任何颜色", "there are no lights, so no score lights anything")
    _check_adjustable(index, ground)
    ground.ascending([start for start, _ in index.grades], ("grades",))
    for position, (start, _) in enumerate(index.grades):
        if start > high:
            ground.hint(("grades", position), f"没有得分能达到 {start:g}", f"no score reaches {start:g}")


def _check_adjustable(index: Index, ground: Ground) -> None:
    """What may be adjusted has to be there, as a plain number."""
    weights, targets, parameters = weights_of(index), targets_of(index), parameters_of(index)
    kinds = (
        ("weight", index.adjustable.weight, weights, Label("带权重的指标", "indicator with a weight")),
        ("target", index.adjustable.target, targets, Label("以数写明目标的指标", "indicator with a number as target")),
        ("parameters", index.adjustable.parameters, parameters, Label("单值的参数", "parameter of one number")),
    )
    for key, bounds, found, kind in kinds:
        if isinstance(bounds, Mapping):
            for code in bounds:
                if code not in found:
                    ground.fault(("adjustable", key, code), f"没有{kind.zh}“{code}”", f"there is no {kind.en} “{code}”")
        elif bounds is not None and not found:
            ground.fault(("adjustable", key), f"没有{kind.zh}", f"there is no {kind.en}")
    if index.adjustable.lights is not None and not edges_of(index):
        ground.fault(
            ("adjustable", "lights"),
            '没有以数写明分界的灯（如 "< 60"）',
            'there is no light with a number as its edge (such as "< 60")',
        )


def _check_peers(path: str, ground: Ground) -> None:
    try:
        column = resolve_column(ground.subject, path, ground.entities)
    except UnknownColumn as error:
        ground.report.add(("peers",), error.label)
        return
    if type_of_column(column).kind is Kind.ENCRYPTED:
        ground.fault(("peers",), f"“{path}”是加密字段，不能分组", f"“{path}” is encrypted and cannot group")


def _check_roll_up(index: Index, scope: Scope, ground: Ground) -> None:
    if index.roll_up is None:
        return
    if ground.subject.code != "organization":
        ground.fault(("roll_up",), "roll_up 只用于党组织", "roll_up is for organizations as subjects only")
    elif index.roll_up.weight is not None:
        ground.number(Name(index.roll_up.weight), ("roll_up", "weight"), scope)


def _check_light(light: LightRule, place: PathSteps, value: Type | None, scope: Scope, ground: Ground) -> None:
    steps = (*place, str(light.light))
    if light.condition is not None:
        require_truth(light.condition, scope, ground.tell_at(*steps))
    if light.operand is None:
        return
    found = infer(light.operand, scope, ground.tell_at(*steps))
    if value is None:
        ground.fault(
            steps,
            "以比较符开头的写法要有 value 才能比较；请写成完整的条件",
            "text that begins with an operator needs a value to compare; write a whole condition",
        )
    elif not compatible(value, found):
        ground.fault(
            steps,
            f"{value.kind.label.zh}不能和{found.kind.label.zh}比较",
            f"{value.kind.label.en} cannot be compared with {found.kind.label.en}",
        )
    elif value.kind is Kind.TEXT and light.operator not in ("==", "!="):
        ground.fault(steps, "文字只能用 == 和 != 比较", "texts are compared by == and != only")


def _constants(rule: Rule) -> dict[str, float]:
    """The parameters that have one value for all subjects."""
    return {
        parameter.name: parameter.default
        for parameter in rule.parameters
        if parameter.by is None and parameter.default is not None
    }


def _findings(
    rule: Rule, lights: Sequence[LightRule], reach: tuple[float, float], decimals: int | None
) -> list[Finding]:
    return check_lights(lights, _constants(rule), reach, decimals, must_light=isinstance(rule, Index))


def _tell(key: str, findings: Sequence[Finding], ground: Ground, *, is_hint: bool = False) -> None:
    for finding in findings:
        steps = (key, str(finding.light)) if finding.light else (key,)
        ground.report.add(steps, finding.label, is_hint=is_hint)


def _check_warning(warning: Warning, scope: Scope, ground: Ground) -> None:
    value = None
    if warning.value is not None:
        value = infer(warning.value, scope, ground.tell_at("value"))
        scope = scope.with_names(value=value)
    for level in warning.levels:
        _check_light(level, ("levels",), value, scope, ground)
    if value is not None and value.is_numeric:
        findings = _findings(warning, warning.levels, (-math.inf, math.inf), None)
        _tell("levels", findings, ground)
        if value.is_share and not findings:
            _tell("levels", _findings(warning, warning.levels, (0.0, 1.0), None), ground, is_hint=True)
    levels = {level.light for level in warning.levels}
    for key, given in (("handle_within", warning.handle_within), ("notify", warning.notify)):
        for light in given:
            if light not in levels:
                ground.fault((key, str(light)), f"levels 里没有 {light}", f"there is no {light} among the levels")


def _hint_unused(rule: Rule, ground: Ground) -> None:
    used = set().union(*(names(expression) for expression in expressions_of(rule)))
    if isinstance(rule, Index):
        # What only disabled nodes use is wanted again when they are enabled.
        for node in rule.root.walk(disabled=True):
            used = used.union(*map(names, expressions_of_node(node)))
        if rule.roll_up and rule.roll_up.weight:
            used.add(rule.roll_up.weight)
    for key, given in (("metrics", rule.metrics), ("parameters", rule.parameters)):
        for item in given:
            if item.name not in used:
                ground.hint((key, item.name), f"“{item.name}”没有用到", f"“{item.name}” is never used")
