"""The rule language in plain Python: one subject at a time, read off the contract, slow and without cleverness.

It shares nothing with the engine but the rule model and the names of result columns. A frame is a list of dicts with
the columns of ``app.rules.frames``; a missing value is None.
"""

from __future__ import annotations

import calendar
import math
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

from app.rules.context import Context
from app.rules.expressions import Arithmetic, Call, Comparison, Literal, Logical, Name, Negation, Not, written
from app.rules.frames import Reason, filters_of, held_conditions, is_filter
from app.rules.model import (
    SEVERITY,
    Bands,
    Categories,
    Combine,
    Curve,
    Figure,
    Formula,
    Metric,
    Missing,
    ObservedRange,
    Percentile,
    Range,
    Target,
    ZScore,
)

Row = dict[str, Any]


class Rounding:
    """Halves away from zero, of the number's first twelve digits: 2.675 is 2.67499999999999982 inside."""

    @staticmethod
    def to(number: float, digits: int) -> float:
        return float(Decimal(f"{number:.12g}").quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP))


def real(number: float) -> float | None:
    return number if math.isfinite(number) else None


def numeric(value: Any) -> float | None:
    return None if value is None else float(value)


# Dates ------------------------------------------------------------------------------------------------------


def make_date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except (ValueError, OverflowError):
        return None


def months_later(day: date, months: int) -> date | None:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def days_later(day: date, days: float) -> date | None:
    try:
        return day + timedelta(days=int(days))
    except OverflowError:
        return None


def whole_months(day: date, today: date) -> int:
    """Counted up or down month by month, so that it is right by construction."""
    months = 12 * (today.year - day.year) + 13
    while (later := months_later(day, months)) is None or later > today:
        months -= 1
    return months


def working_days(after: date, until: date, context: Context) -> int:
    if until < after:
        return -working_days(until, after, context)
    found, day = 0, after
    while day < until:
        day += timedelta(days=1)
        works = day.weekday() < 5 and day not in context.calendar.holidays
        found += works or day in context.calendar.working_days
    return found


def periods_begun(day: date, context: Context) -> int:
    found = 0
    period = type(context.period).containing(context.as_of, context.period.kind)
    while period.start > day:
        found += 1
        period = period.shifted(-1)
    return found


# Expressions ------------------------------------------------------------------------------------------------


class Evaluator:
    """Values of expressions for one subject."""

    def __init__(self, row: Row, context: Context, names: dict[str, Any], *, unheld_is_zero: bool = False) -> None:
        self.row, self.context, self.names, self.unheld_is_zero = row, context, names, unheld_is_zero

    def number(self, expression: Any) -> float | None:
        return numeric(self.value(expression))

    def truth(self, expression: Any) -> bool | None:
        value = self.value(expression)
        return None if value is None else bool(value)

    def holds(self, expression: Any) -> bool:
        return self.truth(expression) is True

    def value(self, expression: Any) -> Any:
        match expression:
            case Literal(value=value):
                return value
            case Name(path=path):
                return self.names[path]
            case Negation(operand=operand):
                number = self.number(operand)
                return None if number is None else -number
            case Arithmetic(operator=sign, left=left, right=right):
                return self.arithmetic(sign, self.number(left), self.number(right))
            case Comparison(operator=sign, left=left, right=right):
                return compare(sign, self.value(left), self.value(right))
            case Logical(operator=word, operands=operands):
                truths = [self.truth(operand) for operand in operands]
                decisive = word == "or"
                if decisive in truths:
                    return decisive
                return None if None in truths else not decisive
            case Not(operand=operand):
                truth = self.truth(operand)
                return None if truth is None else not truth
            case Call(function=function, arguments=arguments):
                return self.call(function, arguments)
        raise TypeError(expression)

    def arithmetic(self, sign: str, left: float | None, right: float | None) -> float | None:
        if left is None or right is None or (sign == "/" and right == 0):
            return None
        return real({"+": left.__add__, "-": left.__sub__, "*": left.__mul__, "/": left.__truediv__}[sign](right))

    def call(self, function: str, arguments: tuple[Any, ...]) -> Any:
        if function == "if":
            question, yes, no = arguments
            return self.value(yes if self.holds(question) else no)
        if function == "days_held":
            since = self.held_since(arguments[0])
            if since is None and self.unheld_is_zero and self.truth(arguments[0]) is False:
                return 0.0
            return None if since is None else float((self.context.as_of - since).days)
        values = [self.value(argument) for argument in arguments]
        if function == "coalesce":
            return next((value for value in values if value is not None), None)
        if function == "filled":
            return sum(value is not None for value in values) / len(values)
        if None in values:
            return None
        return getattr(self, f"call_{function}")(*values)

    def held_since(self, condition: Any) -> date | None:
        if not self.holds(condition):
            return None
        since = self.row.get(f"held.{written(condition)}")
        return min(since or self.context.as_of, self.context.as_of)

    def call_min(self, *values: Any) -> Any:
        return min(values)

    def call_max(self, *values: Any) -> Any:
        return max(values)

    def call_abs(self, value: float) -> float:
        return abs(float(value))

    def call_round(self, value: float, digits: float) -> float:
        return Rounding.to(float(value), int(digits))

    def call_log(self, value: float) -> float | None:
        return math.log(value) if value > 0 else None

    def call_days_until(self, day: date) -> float:
        return float((day - self.context.as_of).days)

    def call_days_since(self, day: date) -> float:
        return float((self.context.as_of - day).days)

    def call_months_since(self, day: date) -> float:
        return float(whole_months(day, self.context.as_of))

    def call_periods_since(self, day: date) -> float:
        return float(periods_begun(day, self.context))

    def call_days_between(self, start: date, end: date) -> float:
        return float((end - start).days)

    def call_workdays_between(self, start: date, end: date) -> float:
        return float(working_days(start, end, self.context))

    def call_add_days(self, day: date, number: float) -> date | None:
        return days_later(day, number)

    def call_add_months(self, day: date, number: float) -> date | None:
        return months_later(day, int(number))

    def call_date(self, year: float, month: float, day: float) -> date | None:
        return make_date(int(year), int(month), int(day))

    def call_year(self, day: date) -> float:
        return float(day.year)

    def call_month(self, day: date) -> float:
        return float(day.month)

    def call_day(self, day: date) -> float:
        return float(day.day)


def compare(sign: str, left: Any, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    return {
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }[sign]


# What indices and warnings share ----------------------------------------------------------------------------


def by_code(value: Any, numbers: dict[str, float]) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool):
        value = "true" if value else "false"
    if isinstance(value, float):
        return next((number for code, number in numbers.items() if float(code) == value), None)
    return numbers.get(str(value))


def evaluator(rule: Any, row: Row, context: Context, **options: Any) -> Evaluator:
    """With all that the rule's expressions may name."""
    names = {key[2:]: value for key, value in row.items() if key.startswith("s.")}
    names |= {"as_of": context.as_of}
    names |= {"year_start": date(context.as_of.year, 1, 1), "year_end": date(context.as_of.year, 12, 31)}
    if context.period:
        start, end = context.period.start, context.period.end
        gone = ((context.as_of - start).days + 1) / ((end - start).days + 1)
        names |= {"period_start": start, "period_end": end, "elapsed": min(1.0, max(0.0, gone))}
    for parameter in rule.parameters:
        number = by_code(names[parameter.by], parameter.values) if parameter.by else None
        names[parameter.name] = parameter.default if number is None else number
    found = Evaluator(row, context, names, **options)
    for metric in rule.metrics:
        if isinstance(metric, Metric):
            names[metric.name] = row[f"m.{metric.name}"]
    for metric in rule.metrics:
        if isinstance(metric, Figure):
            names[metric.name] = found.value(metric.expression)
    return found


def applies(rule: Any, conditions: Any, found: Evaluator) -> bool:
    filters = filters_of(rule)
    return all(
        found.row[f"f.{filters.index(condition)}"] is True if is_filter(condition) else found.holds(condition)
        for condition in conditions
    )


def light_holds(rule: Any, value: Any, found: Evaluator) -> bool | None:
    if rule.condition is not None:
        return found.truth(rule.condition)
    return compare(rule.operator, value, found.value(rule.operand))


def worst(lights: list[str | None]) -> str | None:
    return min((light for light in lights if light), key=[str(light) for light in SEVERITY].index, default=None)


def better(one: str | None, other: str | None) -> str | None:
    """No light at all is the best."""
    if one is None or other is None:
        return None
    order = [str(light) for light in SEVERITY]
    return max(one, other, key=order.index)


def lit(rules: Any, hold: Any) -> str | None:
    return worst([str(rule.light) for rule in rules if hold(rule) is True])


# Indices ----------------------------------------------------------------------------------------------------


class IndexReference:
    """Scores all subjects of an index, as a list of result rows by subject."""

    def __init__(self, index: Any, rows: list[Row], context: Context) -> None:
        self.index, self.rows, self.context = index, rows, context
        self.found = {row["subject_id"]: evaluator(index, row, context) for row in rows}
        self.ids = list(self.found)
        self.rule_applies = {i: applies(index, index.applies_to, self.found[i]) for i in self.ids}
        self.peers = {row["subject_id"]: "|".join(text(row[f"s.{path}"]) for path in index.peers) for row in rows}
        self.node_applies: dict[tuple[str, int], bool] = {}
        self.values: dict[tuple[str, int], Any] = {}
        self.own: dict[tuple[str, int], float | None] = {}
        self.counted: dict[tuple[str, int], float | None] = {}
        self.failed: dict[tuple[str, int], bool] = {}
        self.results: dict[int, Row] = {i: {"subject_id": i} for i in self.ids}

    def run(self) -> dict[int, Row]:
        self.visit(self.index.root, self.rule_applies)
        for i in self.ids:
            self.finish_tree(i)
        self.roll_up()
        kept = [i for i in self.ids if self.rule_applies[i] or self.results[i]["rolled"] is not None]
        for i in kept:
            self.light(i)
        for i in kept:
            self.rank(i, kept)
        return {i: self.results[i] for i in kept}

    # The tree

    def visit(self, node: Any, above: dict[int, bool]) -> None:
        here = {i: above[i] and applies(self.index, node.applies_to, self.found[i]) for i in self.ids}
        children = [child for child in node.children if child.enabled]
        for child in children:
            self.visit(child, here)
        for i in self.ids:
            self.node_applies[node.code, i] = here[i]
        if node.children:
            for i in self.ids:
                failed = any(self.failed[child.code, i] for child in children)
                self.failed[node.code, i] = failed
                self.own[node.code, i] = None if failed else self.combine(node, children, i)
        else:
            for i in self.ids:
                self.failed[node.code, i] = False
                self.values[node.code, i] = self.found[i].value(node.value) if here[i] else None
            for i in self.ids:
                self.own[node.code, i] = self.leaf_score(node, i) if here[i] else None
        for i in self.ids:
            self.settle(node, i, here[i])

    def combine(self, node: Any, children: list[Any], i: int) -> float | None:
        pairs = [(self.counted[child.code, i], 1.0 if child.weight is None else child.weight) for child in children]
        pairs = [(score, weight) for score, weight in pairs if score is not None]
        if node.combine is Combine.MINIMUM:
            return min((score for score, _ in pairs), default=None)
        pairs = [(score, weight) for score, weight in pairs if weight > 0]
        if not pairs:
            return None
        total = sum(weight for _, weight in pairs)
        if node.combine is Combine.GEOMETRIC:
            return math.prod(score ** (weight / total) for score, weight in pairs)
        return sum(score * weight for score, weight in pairs) / total

    def settle(self, node: Any, i: int, here: bool) -> None:
        own = self.own[node.code, i]
        self.counted[node.code, i] = own
        if own is not None or not here or self.failed[node.code, i]:
            return
        if node.missing is Missing.ZERO:
            self.counted[node.code, i] = 0.0
        elif node.missing is Missing.FAIL:
            self.failed[node.code, i] = True
        elif node.missing is Missing.PEER_AVERAGE:
            theirs = [self.own[node.code, j] for j in self.ids if self.peers[j] == self.peers[i]]
            theirs = [score for score in theirs if score is not None]
            self.counted[node.code, i] = sum(theirs) / len(theirs) if theirs else None

    def leaf_score(self, node: Any, i: int) -> float | None:
        score = self.shape(node, i)
        if score is None or real(score) is None:
            return None
        score = min(100.0, max(0.0, score))
        return 100.0 - score if node.reverse else score

    def shape(self, node: Any, i: int) -> float | None:
        value, found = self.values[node.code, i], self.found[i]
        if value is None:
            return None
        match node.shape:
            case None:
                return float(value)
            case Target(value=target):
                due = found.number(target)
                return value / due * 100 if due is not None and due > 0 else None
            case Range(low=low, high=high, logarithmic=logarithmic):
                return between(value, found.number(low), found.number(high), logarithmic)
            case ObservedRange(logarithmic=logarithmic):
                seen = [float(other) for other in self.seen(node)]
                if logarithmic:
                    seen = [other for other in seen if other > 0]
                return between(value, min(seen, default=None), max(seen, default=None), logarithmic)
            case Bands(steps=steps):
                return max(((start, score) for start, score in steps if start <= value), default=(0, 0.0))[1]
            case Curve(points=points):
                return on_curve(float(value), points)
            case Categories(scores=scores):
                return by_code(value, scores)
            case Percentile():
                others = self.seen(node, i)
                others.remove(value)
                below = sum(other < value for other in others)
                equal = sum(other == value for other in others)
                return 100 * (below + equal / 2) / len(others) if others else None
            case ZScore():
                seen = [float(other) for other in self.seen(node, i)]
                if len(set(seen)) == 1:
                    return 50.0
                mean = math.fsum(seen) / len(seen)
                deviation = math.sqrt(math.fsum((other - mean) ** 2 for other in seen) / len(seen))
                return 50 + 10 * (value - mean) / deviation
            case Formula(expression=expression):
                names = found.names | {"value": value}
                return Evaluator(found.row, found.context, names).number(expression)
        raise TypeError(node.shape)

    def seen(self, node: Any, peer_of: int | None = None) -> list[Any]:
        """Values that are there, of subjects that the rule and the node apply to: all, or those of one's peers."""
        ids = [i for i in self.ids if peer_of is None or self.peers[i] == self.peers[peer_of]]
        return [self.values[node.code, i] for i in ids if self.values[node.code, i] is not None]

    # From the tree to the score

    def finish_tree(self, i: int) -> None:
        index, found, result = self.index, self.found[i], self.results[i]
        low, high = index.scale
        root = self.counted["", i]
        result["base"] = None if root is None else low + root / 100 * (high - low)
        there = applying = 0.0
        for node, share in nominal_shares(index.root):
            if self.node_applies[node.code, i]:
                applying += share
                there += share if self.own[node.code, i] is not None else 0.0
        coverage = there / applying if applying else 0.0
        result["coverage"] = coverage if self.rule_applies[i] else None
        result["own"] = None
        result["bonus"] = result["penalty"] = None
        if self.rule_applies[i]:
            result["bonus"] = self.points(index.bonus, index.bonus_at_most, found)
            result["penalty"] = self.points(index.penalty, index.penalty_at_most, found)
            if root is not None and not self.failed["", i] and coverage >= index.min_coverage - 1e-9:
                lowest, highest = index.bounds or index.scale
                points = result["base"] + result["bonus"] - result["penalty"]
                result["own"] = min(highest, max(lowest, points))
        for node in index.root.walk():
            result[f"{node.code}.score"] = self.counted[node.code, i]
            result[f"{node.code}.reason"] = self.reason(node, i)

    def points(self, items: Any, at_most: float | None, found: Evaluator) -> float:
        total = 0.0
        for item in items:
            value = found.number(item.value)
            points = max(0.0, value * item.each) if value is not None else 0.0
            total += points if item.at_most is None else min(points, item.at_most)
        return total if at_most is None else min(total, at_most)

    def reason(self, node: Any, i: int) -> Reason:
        if not self.node_applies[node.code, i]:
            return Reason.NOT_APPLICABLE
        if self.failed[node.code, i]:
            return Reason.MISSING_FAILED
        if self.own[node.code, i] is not None:
            return Reason.SCORED
        if node.missing is Missing.ZERO:
            return Reason.MISSING_ZERO
        if self.counted[node.code, i] is not None:
            return Reason.MISSING_PEER_AVERAGE
        return Reason.NO_CHILD_LEFT if node.children else Reason.MISSING_SKIPPED

    def roll_up(self) -> None:
        if self.index.roll_up is None:
            for result in self.results.values():
                result["rolled"] = result["own"]
            return
        parents = {row["subject_id"]: row["parent_id"] for row in self.rows}
        for i in self.ids:
            if "rolled" not in self.results[i]:
                self.roll(i, parents)

    def roll(self, i: int, parents: dict[int, int | None]) -> None:
        rule, total, weights = self.index.roll_up, 0.0, 0.0
        for child in (j for j in self.ids if parents[j] == i):
            if "rolled" not in self.results[child]:
                self.roll(child, parents)
            score = self.results[child]["rolled"]
            weight = 1.0 if rule.weight is None else self.child_weight(rule.weight, child)
            if score is not None and weight is not None and weight > 0:
                total, weights = total + score * weight, weights + weight
        own = self.results[i]["own"]
        if weights == 0:
            self.results[i]["rolled"] = own
        else:
            mean = total / weights
            self.results[i]["rolled"] = mean if own is None else rule.own * own + rule.children * mean

    def child_weight(self, name: str, child: int) -> float | None:
        return numeric(self.found[child].names[name])

    # Light, grade, ranks

    def light(self, i: int) -> None:
        index, found, result = self.index, self.found[i], self.results[i]
        score = result["rolled"]
        for veto in index.veto:
            if score is not None and self.rule_applies[i] and found.holds(veto.when):
                score = min(score, veto.cap)
        if score is not None and index.decimals is not None:
            score = Rounding.to(score, index.decimals)
        result["score"] = score
        compared = None if score is None else Rounding.to(score, 9)
        result["compared"] = compared
        if compared is None:
            result["light"] = "no_data"
        else:
            now = lit(index.lights, lambda rule: light_holds(rule, compared, found))
            present = found.row.get("present")
            if index.recover and present not in (None, "no_data"):
                lower = Rounding.to(compared - index.recover, 9)
                allowed = lit(index.lights, lambda rule: light_holds(rule, lower, found))
                now = worst([now, better(present, allowed)])
            result["light"] = now
        reached = [
            position for position, (start, _) in enumerate(index.grades) if compared is not None and compared >= start
        ]
        result["grade"] = max(reached, key=lambda position: index.grades[position][0], default=None)

    def rank(self, i: int, kept: list[int]) -> None:
        mine = self.results[i]["compared"]
        for name, among in (("rank", kept), ("peer_rank", [j for j in kept if self.peers[j] == self.peers[i]])):
            theirs = [self.results[j]["compared"] for j in among]
            above = sum(other is not None and mine is not None and other > mine for other in theirs)
            self.results[i][name] = None if mine is None else above + 1


def text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def between(value: float, low: float | None, high: float | None, logarithmic: bool) -> float | None:
    if low is None or high is None:
        return None
    if logarithmic:
        if value <= 0 or low <= 0 or high <= 0:
            return None
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low) * 100 if low != high else None


def on_curve(value: float, points: Any) -> float:
    if value <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if value <= right:
            share = (value - left) / (right - left)
            return low * (1 - share) + high * share
    return points[-1][1]


def nominal_shares(node: Any, share: float = 1.0) -> list[tuple[Any, float]]:
    """Every leaf with its share of the root when all count."""
    if not node.children:
        return [(node, share)]
    children = [child for child in node.children if child.enabled]
    weights = [1.0 if child.weight is None else child.weight for child in children]
    total = sum(weights)
    return [
        leaf
        for child, weight in zip(children, weights, strict=True)
        for leaf in nominal_shares(child, share * weight / total if total else 0.0)
    ]


# Warnings ---------------------------------------------------------------------------------------------------


def warn(warning: Any, rows: list[Row], context: Context) -> dict[int, Row]:
    """``value``, ``level`` and ``held.<key>`` of every subject to which the warning applies."""
    results = {}
    for row in rows:
        found = evaluator(warning, row, context)
        if not applies(warning, warning.applies_to, found):
            continue
        value = None
        if warning.value is not None:
            value = found.value(warning.value)
            found.names["value"] = value
        result = {"subject_id": row["subject_id"], "value": numeric(value) if not isinstance(value, date) else None}
        level = lit(warning.levels, lambda rule, value=value, found=found: light_holds(rule, value, found))
        present = row.get("present")
        if warning.recover and isinstance(value, float) and present not in (None, "no_data"):

            def shifted(rule: Any, value: float = value, found: Evaluator = found) -> bool | None:
                step = {"<": -1, "<=": -1, ">": 1, ">=": 1}.get(rule.operator, 0) * warning.recover
                return light_holds(rule, Rounding.to(value + step, 9) if step else value, found)

            level = worst([level, better(present, lit(warning.levels, shifted))])
        result["level"] = "no_data" if level is None and something_missing(warning, row, context) else level
        for condition in held_conditions(warning):
            result[f"held.{written(condition)}"] = found.held_since(condition)
        results[row["subject_id"]] = result
    return results


def something_missing(warning: Any, row: Row, context: Context) -> bool:
    """Whether a datum is missing: a condition that is known not to have held for any days is none."""
    found = evaluator(warning, row, context)
    asking = Evaluator(row, context, dict(found.names), unheld_is_zero=True)
    if warning.value is not None:
        asking.names["value"] = asking.value(warning.value)
        if asking.names["value"] is None:
            return True
    return any(light_holds(rule, asking.names.get("value"), asking) is None for rule in warning.levels)
