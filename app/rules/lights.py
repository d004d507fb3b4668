"""Lights and levels from scores and values, with the hysteresis of ``recover``."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from .column_arithmetic import half_away
from .expression_frames import Compiler, Kind, Typed
from .expressions import Name
from .model import SEVERITY, Light, LightRule

COMPARED_DIGITS = 9
"""Unrounded scores are compared at this many decimals: the noise of sums must not decide a light or a rank."""

_NONE = len(SEVERITY)
"""Severities count from 0, the worst; none at all is the best."""

Holds = Callable[[LightRule], pl.Expr]


def comparable(number: pl.Expr) -> pl.Expr:
    """A number as it is compared: at nine decimals."""
    return half_away(number, COMPARED_DIGITS)


def severity(rules: tuple[LightRule, ...], holds: Holds) -> pl.Expr:
    """The worst that holds, as its place in SEVERITY; one more than the last if none does."""
    worst_first = sorted(rules, key=lambda rule: SEVERITY.index(rule.light))
    return pl.min_horizontal(
        *(
            pl.when(holds(rule).fill_null(False)).then(SEVERITY.index(rule.light)).otherwise(_NONE)
            for rule in worst_first
        ),
        pl.lit(_NONE),
    ).cast(pl.Int8)


def recovered(now: pl.Expr, present: pl.Expr, shifted: pl.Expr) -> pl.Expr:
    """The new severity: worse at once; better only as far as the shifted score allows.

    ``present`` is the light that stands, as text; without one (none, ``no_data``) there is nothing to recover from.
    """
    places = {light.value: place for place, light in enumerate(SEVERITY)}
    standing = present.replace_strict(places, default=_NONE, return_dtype=pl.Int8)
    return pl.min_horizontal(now, pl.max_horizontal(standing, shifted))


def named(place: pl.Expr) -> pl.Expr:
    """A severity as text; null for none."""
    names = {place: light.value for place, light in enumerate(SEVERITY)}
    return place.replace_strict(names, default=None, return_dtype=pl.String)


def light_of_score(
    rules: tuple[LightRule, ...], score: str, present: str, recover: float, compiler: Compiler
) -> pl.Expr:
    """The light of a score, given as the name of its column, comparable already. No score is ``no_data``."""

    def holds_at(number: pl.Expr) -> Holds:
        return lambda rule: _holds(rule, Typed(number, Kind.NUMBER), compiler)

    place = severity(rules, holds_at(pl.col(score)))
    if recover:
        place = recovered(place, pl.col(present), severity(rules, holds_at(comparable(pl.col(score) - recover))))
    return pl.when(pl.col(score).is_null()).then(pl.lit(Light.NO_DATA.value)).otherwise(named(place))


def level_of_value(
    rules: tuple[LightRule, ...], value: Typed | None, present: str, recover: float, compiler: Compiler
) -> pl.Expr:
    """The severity of a warning's level. ``value`` is a column, or None if the warning has none."""
    place = severity(rules, lambda rule: _holds(rule, value, compiler))
    if recover and value is not None and value.kind is Kind.NUMBER:

        def shifted(rule: LightRule) -> pl.Expr:
            step = {"<": -recover, "<=": -recover, ">": recover, ">=": recover}.get(rule.operator or "", 0.0)
            moved = Typed(comparable(value.frame + step), Kind.NUMBER) if step else value
            return _holds(rule, moved, compiler)

        place = recovered(place, pl.col(present), severity(rules, shifted))
    return place


def anything_missing(rules: tuple[LightRule, ...], value: Typed | None, compiler: Compiler) -> pl.Expr:
    """Whether the value, or the truth of any level, is missing. To be asked of a compiler ``asking_for_data``."""
    missing = [_holds(rule, value, compiler).is_null() for rule in rules]
    if value is not None:
        missing.append(value.frame.is_null())
    return pl.any_horizontal(missing) if missing else pl.lit(False)


def _holds(rule: LightRule, value: Typed | None, compiler: Compiler) -> pl.Expr:
    """The truth of one light's or level's text, missing where it is."""
    if rule.condition is not None:
        return compiler.truth(rule.condition)
    operand = compiler.typed(rule.operand)
    left = value if value is not None else compiler.typed(Name("value"))
    return compiler.compared(rule.operator, left, operand, rule.operand)
