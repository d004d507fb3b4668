"""Chance that is the same every time: a hash of what a value is about, so that each table can be made by itself, in
any order and in pieces, on any machine. Polars' own hashes may change with its version."""

from __future__ import annotations

import polars as pl

SEED = 20260701

# Odd numbers of 64 bits; multiplication of unsigned columns wraps around.
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_INCREMENT = 0xD1B54A32D192ED03
_HALF = 2**32


def _constant(value: int) -> pl.Expr:
    return pl.lit(value % 2**64, dtype=pl.UInt64)


def _scattered(bits: pl.Expr) -> pl.Expr:
    """Three times the upper half of a product, squared in between (half as wide, so that the square fits): products
    alone would leave neighbours in step. Each step names ``bits`` once, for an expression that named it twice would
    double with every step."""
    for multiplier in _MULTIPLIERS:
        bits = ((bits * _constant(multiplier) + _constant(_INCREMENT)) // _constant(_HALF)).pow(2)
    return (bits * _constant(_MULTIPLIERS[0])) // _constant(_HALF)


def chance(salt: int, *keys: str | pl.Expr) -> pl.Expr:
    """Numbers evenly spread over [0, 1), one for each combination of the whole-number keys; each ``salt`` gives
    numbers of its own."""
    bits = _scattered(_constant(SEED + salt * _MULTIPLIERS[0]))
    for key in keys:
        expression = pl.col(key) if isinstance(key, str) else key
        bits = _scattered(bits * _constant(_MULTIPLIERS[1]) + expression.cast(pl.UInt64))
    return bits.cast(pl.Float64) / _HALF


def whole(salt: int, low: int, high: int, *keys: str | pl.Expr) -> pl.Expr:
    """Whole numbers evenly spread over ``low`` to ``high``, both included."""
    return (chance(salt, *keys) * (high - low + 1)).floor().cast(pl.Int64) + low


def one_of(salt: int, values: list[str], *keys: str | pl.Expr) -> pl.Expr:
    """One of the texts, each as likely as it is often in the list."""
    numbers = list(range(len(values)))
    return whole(salt, 0, len(values) - 1, *keys).replace_strict(numbers, values, return_dtype=pl.String)
