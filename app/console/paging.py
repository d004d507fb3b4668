"""Which page, of which size, in which order: read from the address, and held to what is offered.

FAB takes any page size (100,000 rows took 37 s) and any column, and stumbles over an address that somebody typed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask import request

LARGEST_PAGE = 100
LAST_PAGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """``number`` counts from 0. ``order_column`` is empty for the declared order."""

    number: int
    size: int
    order_column: str = ""
    order_direction: str = ""

    @classmethod
    def of(cls, view_name: str, default_size: int, order_columns: Collection[str]) -> Page:
        """What the present address asks of a view's list, as FAB writes it: ``page_<View>``, ``psize_<View>``,
        ``_oc_<View>`` and ``_od_<View>``."""
        column, direction = request.args.get(f"_oc_{view_name}", ""), request.args.get(f"_od_{view_name}", "")
        known = column in order_columns and direction in ("asc", "desc")
        return cls(
            number=min(_number(f"page_{view_name}", 0), LAST_PAGE),
            size=min(_number(f"psize_{view_name}", default_size) or default_size, LARGEST_PAGE),
            order_column=column if known else "",
            order_direction=direction if known else "",
        )


def _number(name: str, otherwise: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else otherwise
