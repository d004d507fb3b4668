"""The frames that travel between collecting, scoring and publishing: their columns, named in one place.

**Subjects frame** (from ``app.rules.collecting``), one row a subject, in order of ``subject_id``:

==================== ============ =======================================================================
``subject_id``       Int64        id of the subject's row
``code``             String       its stable code
``organization_id``  Int64        the organization it belongs to (itself, for organizations)
``member_id``        Int64        the member it belongs to (itself, for members); null for other subjects
``parent_id``        Int64        organizations only: for roll-up
``s.<path>``         by kind      a column of the subject that an expression, parameter or peers names
``m.<metric>``       Float64      an aggregate metric; Date for dates, String for codes, Boolean for ``exists``
``f.<n>``            Boolean      the n-th filter of the rule (``filters_of``), true where it holds
``present``          String       the present light or level (state), null if there is none
``held.<key>``       Date         since when a ``days_held`` condition has been true (state), null while false
==================== ============ =======================================================================

**Results frame** (from ``app.rules.scoring``), one row a subject to which the rule applies or that has scored
children: ``subject_id``, ``score`` Float64, ``order_key`` Int64 (score × 10⁹ rounded: ranks compare it), ``light``,
``grade`` (position in the rule's grades), ``rank``, ``peer_rank``, ``peers`` (values joined by ``|``), ``own`` (before
roll-up), ``base`` (the tree on the scale), ``bonus``, ``penalty``, ``coverage``, ``cap``; with a roll-up ``rolled``
(after it, before vetoes and rounding) and ``roll_weight``; for each node ``<code>.value`` (of its own kind; null for
nodes with children), ``<code>.score``, ``<code>.weight`` (its share of the root, after re-scaling; 0 if left out),
``<code>.lost`` (points of the scale), ``<code>.reason`` (``Reason``, Int8), ``<code>.target`` (of shapes that are a
target); for each bonus and penalty ``<code>.points``, for each veto ``<code>.held``. Warnings: ``subject_id``,
``value`` Float64 (null if it is no number), ``level`` (null: none), ``held.<key>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

from app.entity.filters import All, AnyOf, Filter, NoneOf, Test

from .expressions import Call, Expression, walk, written
from .model import Formula, Index, Metric, Node, Range, Rule, Target, Warning

SUBJECT_ID, CODE, ORGANIZATION_ID, MEMBER_ID = "subject_id", "code", "organization_id", "member_id"
PARENT_ID, PRESENT = "parent_id", "present"


class Reason(IntEnum):
    """Why a node's score is what it is."""

    SCORED = 0
    NOT_APPLICABLE = 1
    MISSING_SKIPPED = 2
    MISSING_ZERO = 3
    MISSING_PEER_AVERAGE = 4
    MISSING_FAILED = 5
    NO_CHILD_LEFT = 6


def column_of_subject(path: str) -> str:
    return f"s.{path}"


def column_of_metric(name: str) -> str:
    return f"m.{name}"


def column_of_filter(position: int) -> str:
    return f"f.{position}"


def column_of_held(condition: Expression) -> str:
    return f"held.{written(condition)}"


def is_filter(condition: object) -> bool:
    return isinstance(condition, Test | All | AnyOf | NoneOf)


def filters_of(rule: Rule) -> list[Filter]:
    """Every filter over the subject's columns that the rule holds, each once, in order: the n-th is column ``f.n``."""
    found: list[Filter] = []
    conditions = list(rule.applies_to)
    if isinstance(rule, Index):
        conditions += [condition for node in rule.root.walk() for condition in node.applies_to]
    for condition in conditions:
        if is_filter(condition) and condition not in found:
            found.append(condition)
    return found


def expressions_of_node(node: Node) -> Iterator[Expression]:
    """The expressions of one node: its conditions, its value, its shape."""
    yield from (condition for condition in node.applies_to if not is_filter(condition))
    if node.value is not None:
        yield node.value
    match node.shape:
        case Target(value=value) | Formula(expression=value):
            yield value
        case Range(low=low, high=high):
            yield low
            yield high


def expressions_of(rule: Rule) -> Iterator[Expression]:
    """Every expression of a rule, those of aggregate metrics (which speak of rows, not of the subject) left out."""
    yield from (condition for condition in rule.applies_to if not is_filter(condition))
    for metric in rule.metrics:
        if not isinstance(metric, Metric):
            yield metric.expression
    if isinstance(rule, Index):
        for node in rule.root.walk():
            yield from expressions_of_node(node)
        yield from (item.value for item in (*rule.bonus, *rule.penalty))
        yield from (veto.when for veto in rule.veto)
    if isinstance(rule, Warning) and rule.value is not None:
        yield rule.value
    lights = rule.lights if isinstance(rule, Index) else rule.levels if isinstance(rule, Warning) else ()
    for light in lights:
        yield from (part for part in (light.operand, light.condition) if part is not None)


def held_conditions(rule: Rule) -> list[Expression]:
    """The conditions of every ``days_held``, each once: the keys of the rule's held state."""
    found: dict[str, Expression] = {}
    for expression in expressions_of(rule):
        for part in walk(expression):
            if isinstance(part, Call) and part.function == "days_held":
                found.setdefault(written(part.arguments[0]), part.arguments[0])
    return list(found.values())
