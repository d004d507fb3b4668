"""From the subjects frame to what a rule's expressions can name: columns, parameters, metrics, computed figures."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from .column_arithmetic import finite
from .context import Context
from .expression_frames import Compiler, Kind, Typed, column, literal, missing
from .frames import (
    PRESENT,
    SUBJECT_ID,
    column_of_filter,
    column_of_held,
    column_of_metric,
    column_of_subject,
    filters_of,
    held_conditions,
    is_filter,
)
from .model import Condition, Figure, Metric, Parameter, Rule

APPLIES = "#applies"
"""Where the rule itself applies. Names that begin with # belong to the engine and never leave it."""

_SUBJECT = column_of_subject("")


class Figures:
    """The subjects of one rule with its figures and ``#applies``, and the compiler for its expressions over them.

    A name means, first of these: a metric or figure, a parameter, a date name, a column of the subject.
    """

    def __init__(self, rule: Rule, subjects: pl.DataFrame, context: Context) -> None:
        self.rule = rule
        self.frame = _completed(rule, subjects)
        schema = self.frame.schema
        names = {
            name.removeprefix(_SUBJECT): column(name, schema[name]) for name in schema if name.startswith(_SUBJECT)
        }
        names |= {name: literal(day) for name, day in context.dates().items()}
        if context.elapsed is not None:
            names["elapsed"] = literal(context.elapsed)
        names |= {parameter.name: _parameter(parameter, names) for parameter in rule.parameters}
        self.compiler = Compiler(names, context)
        for metric in rule.metrics:
            if isinstance(metric, Metric):
                name = column_of_metric(metric.name)
                self._know(metric.name, column(name, schema[name]))
            elif isinstance(metric, Figure):
                self.add(column_of_metric(metric.name), self.compiler.value(metric.expression), metric.name)
        self.frame = self.frame.with_columns(self.all_of(rule.applies_to).alias(APPLIES))

    def add(self, column_name: str, value: Typed, name: str | None = None) -> Typed:
        """Puts values into the frame as a column, and lets expressions name it if it has a ``name``."""
        dtype = {Kind.TEXT: pl.String, Kind.TRUTH: pl.Boolean, Kind.DATE: pl.Date}.get(value.kind, pl.Float64)
        self.frame = self.frame.with_columns(value.frame.cast(dtype).alias(column_name))
        known = Typed(pl.col(column_name), value.kind)
        if name is not None:
            self._know(name, known)
        return known

    def all_of(self, conditions: Iterable[Condition]) -> pl.Expr:
        """Where every condition of an ``applies_to`` holds; one that is missing does not."""
        holds = [self._holds(condition) for condition in conditions]
        return pl.all_horizontal(holds) if holds else pl.lit(True)

    def _know(self, name: str, value: Typed) -> None:
        self.compiler = self.compiler.knowing(name, value)

    def _holds(self, condition: Condition) -> pl.Expr:
        if is_filter(condition):
            return pl.col(column_of_filter(filters_of(self.rule).index(condition))).fill_null(False)
        return self.compiler.condition(condition)


def _completed(rule: Rule, subjects: pl.DataFrame) -> pl.DataFrame:
    """The subjects with numbers finite, and with the columns of state that a first run does not have yet."""
    floats = [name for name, dtype in subjects.schema.items() if dtype.is_float()]
    state = {PRESENT: pl.String} | {column_of_held(condition): pl.Date for condition in held_conditions(rule)}
    return subjects.with_columns(
        pl.col(SUBJECT_ID).cast(pl.Int64),
        *(finite(pl.col(name)) for name in floats),
        *(pl.lit(None, dtype=dtype).alias(name) for name, dtype in state.items() if name not in subjects.columns),
    )


def _parameter(parameter: Parameter, names: dict[str, Typed]) -> Typed:
    if parameter.by is None:
        return Typed(literal(parameter.default).frame, Kind.NUMBER)
    found = by_code(names[parameter.by], parameter.values)
    default = missing() if parameter.default is None else pl.lit(float(parameter.default))
    return Typed(pl.coalesce(found, default), Kind.NUMBER)


def by_code(value: Typed, numbers: dict[str, float]) -> pl.Expr:
    """The number that belongs to each value's code, missing for others. Codes of truth values are ``true``, ``false``;
    those of dates are written as ISO dates, those of numbers as numbers."""
    keys: dict[object, float] = {code: float(number) for code, number in numbers.items()}
    frame = value.frame
    if value.kind is Kind.MISSING:
        return missing()
    if value.kind is Kind.NUMBER:
        keys = {number: keys[code] for code in numbers if (number := _as_number(code)) is not None}
    elif value.kind is not Kind.TEXT:
        frame = frame.cast(pl.String)
    return frame.replace_strict(keys, default=None, return_dtype=pl.Float64) if keys else missing()


def _as_number(code: str) -> float | None:
    try:
        return float(code)
    except ValueError:
        return None
