"""Arithmetic on columns that Polars does not have: finite numbers, rounding, civil dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

_FIRST_DAY, _LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))


def let(body: Callable[..., pl.Expr], *operands: pl.Expr) -> pl.Expr:
    """``body(*operands)`` with each operand worked out once, however often the body uses it.

    Written out plainly, an operand used twice would double the whole expression under it, and nesting would double it
    again: a formula of a few dozen characters could keep a machine busy for hours.
    """
    costly = [not operand.meta.is_column() and bool(operand.meta.root_names()) for operand in operands]
    if not any(costly):
        return body(*operands)
    names = [f"operand_{position}" for position in range(len(operands))]
    bound = [operand.alias(name) for operand, name, bind in zip(operands, names, costly, strict=True) if bind]
    fields = [pl.field(name) if bind else operand for operand, name, bind in zip(operands, names, costly, strict=True)]
    return pl.struct(bound).struct.with_fields(body(*fields).alias("result")).struct.field("result")


def finite(number: pl.Expr) -> pl.Expr:
    """The number, or missing if it is NaN or infinite."""
    return let(lambda number: pl.when(number.is_finite()).then(number), number)


def divided(left: pl.Expr, right: pl.Expr) -> pl.Expr:
    """``left / right``; missing where ``right`` is 0, or so large that it is no number.

    Polars divides a column by a single number, which may stand behind a column too, by multiplying with its
    reciprocal: 49 / 49 gives 0.9999999999999999, and a full turnout would miss its band. A divisor to which 0 times
    the column was added is a column itself, and is really divided by.
    """
    return let(
        lambda left, right: left / (pl.when((right != 0) & right.is_finite()).then(right) + left * 0.0), left, right
    )


def half_away(number: pl.Expr, digits: int = 0) -> pl.Expr:
    """Rounded to ``digits`` decimals (negative: tens, hundreds), halves away from zero.

    2.675 is stored as 2.67499999999999982, and a score that should be 82.345 may come out of its sums as
    82.3449999999999989. So a number within 10⁻¹² of its own size below a half counts as the half, as a reader of its
    decimals expects. Numbers too large to have digits after the point (2⁵²) stay as they are.
    """
    return let(lambda number: _half_away(number, digits), number)


def _half_away(number: pl.Expr, digits: int) -> pl.Expr:
    power = 10.0 ** abs(digits)
    scaled = number.abs() * power if digits >= 0 else number.abs() / power
    nudge = (scaled * 1e-12).clip(upper_bound=1e-3)
    rounded = (scaled + nudge + 0.5).floor()
    # Polars' own rounding mends the last bit of a division by one number for a whole column (see ``divided``).
    rounded = (rounded / power).round(digits) if digits >= 0 else rounded * power
    return pl.when(scaled < 2.0**52).then(rounded * number.sign() + 0.0).otherwise(number)


def whole(number: pl.Expr) -> pl.Expr:
    """The whole part as Int64. Limited to what any date could need, so that huge numbers do not overflow."""
    return number.clip(-1e9, 1e9).cast(pl.Int64, strict=False)


def days_in_month(year: pl.Expr, month: pl.Expr) -> pl.Expr:
    """How many days a month has, Int64; ``month`` from 1 to 12."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    shorter = pl.when(month == 2).then(3 - leap.cast(pl.Int64)).otherwise(month.is_in([4, 6, 9, 11]).cast(pl.Int64))
    return 31 - shorter


def civil(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """The date of three Int64 numbers; missing where there is no such date between the years 1 and 9999."""
    return let(_civil, year, month, day)


def _civil(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    valid = year.is_between(1, 9999) & month.is_between(1, 12) & day.is_between(1, days_in_month(year, month))
    # The parts are emptied, not the result: Polars builds every date before it looks at the condition.
    return pl.date(*(pl.when(valid).then(part) for part in (year, month, day)))


def month_number(day: pl.Expr) -> pl.Expr:
    """Months since January of the year 0, Int64."""
    return let(lambda day: day.dt.year().cast(pl.Int64) * 12 + day.dt.month().cast(pl.Int64) - 1, day)


def day_number(day: pl.Expr) -> pl.Expr:
    """Days since 1970-01-01, Int64."""
    return day.to_physical().cast(pl.Int64)


def days_between(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Days from one date to the other, Float64; negative if ``end`` is the earlier."""
    return (day_number(end) - day_number(start)).cast(pl.Float64)


def add_days(day: pl.Expr, number: pl.Expr) -> pl.Expr:
    """``number`` days later, its fraction dropped; missing beyond the years 1 to 9999."""

    def limited(moved: pl.Expr) -> pl.Expr:
        return pl.when(moved.is_between(_FIRST_DAY, _LAST_DAY)).then(moved).cast(pl.Int32).cast(pl.Date)

    return let(limited, day_number(day) + whole(number))


def add_months(day: pl.Expr, number: pl.Expr) -> pl.Expr:
    """The same day ``number`` months later, its fraction dropped, or that month's last day if it is shorter."""

    def moved(day: pl.Expr, number: pl.Expr) -> pl.Expr:
        months = month_number(day) + whole(number)
        year, month = months // 12, months % 12 + 1
        return _civil(year, month, pl.min_horizontal(day.dt.day().cast(pl.Int64), days_in_month(year, month)))

    return let(moved, day, number)
