"""Which rules read from which, the order in which they are evaluated, and cycles that admit none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from app.entity.filters import All, Filter, Operator, Test

from .expressions import Name
from .model import Metric, Rule, Warning
from .result_columns import INDEX_SOURCE, WARNING_SOURCE


def indices_read(rule: Rule) -> set[str]:
    """The codes of the indices that a rule's metrics read, earlier results included."""
    return {
        metric.of.path.partition(".")[0]
        for metric in rule.metrics
        if isinstance(metric, Metric) and metric.entity == INDEX_SOURCE and isinstance(metric.of, Name)
    }


def reads_of(rule: Rule, warnings: Mapping[str, str]) -> set[str]:
    """The codes of the rules whose results have to be there first. What is read with ``back`` was published before.

    ``warnings`` are the subjects of all warnings by code: a metric over ``warning`` reads those its filter lets pass.
    """
    found: set[str] = set()
    for metric in rule.metrics:
        if not isinstance(metric, Metric) or metric.window.back:
            continue
        if metric.entity == INDEX_SOURCE and isinstance(metric.of, Name):
            found.add(metric.of.path.partition(".")[0])
        elif metric.entity == WARNING_SOURCE:
            codes = _possible(metric.where, "warning", warnings)
            subjects = _possible(metric.where, "entity", set(warnings.values()))
            found |= {code for code in codes if warnings[code] in subjects}
    return found


def _possible(condition: Filter | None, column: str, values: Collection[str]) -> set[str]:
    """The values of a column that a filter can let pass, as far as its plain tests tell."""
    match condition:
        case Test(path=path, operator=Operator.EQ, operand=str(value)) if path == column:
            return {value} & set(values)
        case Test(path=path, operator=Operator.IN, operand=tuple(allowed)) if path == column:
            return set(values).intersection(map(str, allowed))
        case Test(path=path, operator=Operator.NE, operand=str(value)) if path == column:
            return set(values) - {value}
        case Test(path=path, operator=Operator.NOT_IN, operand=tuple(refused)) if path == column:
            return set(values).difference(map(str, refused))
        case All(parts=parts):
            possible = set(values)
            for part in parts:
                possible &= _possible(part, column, values)
            return possible
    return set(values)


def _graph(rules: Iterable[Rule]) -> dict[str, set[str]]:
    known = {rule.code: rule for rule in rules}
    warnings = {code: rule.subject for code, rule in known.items() if isinstance(rule, Warning)}
    return {code: reads_of(rule, warnings) & set(known) for code, rule in known.items()}


def in_order(rules: Iterable[Rule], wanted: Collection[str] | None = None, without: Collection[str] = ()) -> list[Rule]:
    """The rules, each after those it reads from, else by code. ``wanted``: only these and what they read from.

    Those ``without`` are left out, with what only they read from. There must be no cycle (``cycles``).
    """
    rules = [rule for rule in rules if rule.code not in without]
    known, graph = {rule.code: rule for rule in rules}, _graph(rules)
    ordered: dict[str, None] = {}

    def place(code: str) -> None:
        if code not in ordered:
            for read in sorted(graph[code]):
                place(read)
            ordered[code] = None

    for code in sorted(known if wanted is None else set(wanted) & set(known)):
        place(code)
    return [known[code] for code in ordered]


def cycles(rules: Iterable[Rule]) -> list[tuple[str, ...]]:
    """Groups of rules that read from one another, each sorted; a rule that reads from itself is a group of one."""
    graph = _graph(rules)
    reachable = {code: _reachable(graph, code) for code in graph}
    groups = {
        tuple(sorted({other for other in reachable[code] if code in reachable[other]} | {code}))
        for code in graph
        if code in reachable[code]
    }
    return sorted(groups)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        code = waiting.pop()
        if code not in found:
            found.add(code)
            waiting += graph[code]
    return found
