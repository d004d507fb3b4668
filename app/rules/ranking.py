"""Ranks 1, 2, 2, 4, highest score first: among all, and within peers. No score, no rank."""

from __future__ import annotations

import polars as pl

from .column_arithmetic import half_away
from .lights import COMPARED_DIGITS
from .peer_statistics import PEERS

ORDER_KEY = "order_key"


def order_key(score: pl.Expr) -> pl.Expr:
    """A score as the whole number that ranks compare: at nine decimals, Int64."""
    return half_away(score * 10.0**COMPARED_DIGITS).clip(-9e18, 9e18).cast(pl.Int64)


def ranked(results: pl.DataFrame) -> pl.DataFrame:
    """The results with ``rank`` and ``peer_rank`` (Int32) from their ``order_key`` and ``peers``."""
    rank = pl.col(ORDER_KEY).rank("min", descending=True).cast(pl.Int32)
    return results.with_columns(rank.alias("rank"), rank.over(PEERS).alias("peer_rank"))
