"""What a member's fee is: the official rates as data, with the day they hold from.

Source: 《关于中国共产党党费收缴、使用和管理的规定》. One rate applies to the whole base; it is not progressive.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

CENT = Decimal("0.01")


class FeePayer(StrEnum):
    """Whose income the base is."""

    EMPLOYED = "employed"
    """After-tax regular wage of the month, or what stands for it."""
    RETIRED = "retired"
    """Pension."""


@dataclass(frozen=True)
class FeeRates:
    """Rates in force from a day on: for each kind of payer, (largest base in yuan or None, rate), in order."""

    effective_from: date
    bands: dict[FeePayer, tuple[tuple[Decimal | None, Decimal], ...]]


RATES = (
    FeeRates(
        date(2008, 4, 1),
        {
            FeePayer.EMPLOYED: (
                (Decimal(3000), Decimal("0.005")),
                (Decimal(5000), Decimal("0.01")),
                (Decimal(10000), Decimal("0.015")),
                (None, Decimal("0.02")),
            ),
            FeePayer.RETIRED: ((Decimal(5000), Decimal("0.005")), (None, Decimal("0.01"))),
        },
    ),
)
"""From the oldest to the newest. A revision is a further entry."""


def rates_on(day: date) -> FeeRates:
    """The rates in force on a day; before the first, the first."""
    in_force = [rates for rates in RATES if rates.effective_from <= day]
    return in_force[-1] if in_force else RATES[0]


def rate_of(base: Decimal, payer: FeePayer, day: date) -> Decimal:
    """The rate for a base in yuan."""
    for largest, rate in rates_on(day).bands[payer]:
        if largest is None or base <= largest:
            return rate
    raise AssertionError("the last band has no upper end")


def monthly_fee(base: Decimal, payer: FeePayer, day: date) -> Decimal:
    """The fee of a month in yuan, to the cent, half a cent up."""
    return (base * rate_of(base, payer, day)).quantize(CENT, ROUND_HALF_UP)
