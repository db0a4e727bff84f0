"""Which rate of which country applies to what, on which day: dated rows, like the law they follow.

Invariant TAX-1: for every country and class there is exactly one rate on any day from 2024 on.
The day is the day in the country's capital, not in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from kernel.country import Country


class TaxClass(StrEnum):
    """What a product is in the eyes of the tax office."""

    GENERAL = "general"  # most goods
    SPECIAL = "special"  # goods left out of a temporary cut, or luxury goods
    REDUCED = "reduced"
    SERVICE = "service"
    SERVICE_REDUCED = "service_reduced"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class DatedRate:
    """A rate in basis points, from its first day to its last (none: until changed)."""

    rate_bp: int
    first: date
    last: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


_LONG_AGO: Final = date(2019, 1, 1)

RATES: Final[dict[Country, dict[TaxClass, tuple[DatedRate, ...]]]] = {
    Country.TH: {TaxClass.GENERAL: (DatedRate(700, _LONG_AGO),)},
    Country.VN: {
        TaxClass.GENERAL: (
            DatedRate(1000, _LONG_AGO, date(2023, 12, 31)),
            DatedRate(800, date(2024, 1, 1), date(2026, 12, 31)),
            DatedRate(1000, date(2027, 1, 1)),
        ),
        TaxClass.SPECIAL: (DatedRate(1000, _LONG_AGO),),
        TaxClass.REDUCED: (DatedRate(500, _LONG_AGO),),
    },
    Country.SG: {
        TaxClass.GENERAL: (
            DatedRate(800, date(2023, 1, 1), date(2023, 12, 31)),
            DatedRate(900, date(2024, 1, 1)),
        )
    },
    Country.PH: {TaxClass.GENERAL: (DatedRate(1200, _LONG_AGO),)},
    Country.ID: {
        # 12 % of eleven twelfths of the price: 11 % in effect. Luxury goods pay the full 12 %.
        TaxClass.GENERAL: (DatedRate(1100, date(2022, 4, 1)),),
        TaxClass.SPECIAL: (
            DatedRate(1100, date(2022, 4, 1), date(2024, 12, 31)),
            DatedRate(1200, date(2025, 1, 1)),
        ),
    },
    Country.MY: {
        TaxClass.GENERAL: (DatedRate(1000, _LONG_AGO),),
        TaxClass.REDUCED: (DatedRate(500, _LONG_AGO),),
        TaxClass.SERVICE: (
            DatedRate(600, _LONG_AGO, date(2024, 2, 29)),
            DatedRate(800, date(2024, 3, 1)),
        ),
        TaxClass.SERVICE_REDUCED: (DatedRate(600, _LONG_AGO),),
    },
}

_ZONES: Final = {country: ZoneInfo(country.default_time_zone) for country in Country}


def rate_bp(country: Country, tax_class: TaxClass, at: datetime) -> int:
    """The rate in basis points. A class the country does not know is taxed as general goods."""
    if tax_class is TaxClass.EXEMPT:
        return 0
    classes = RATES[country]
    rows = classes.get(tax_class) or classes[TaxClass.GENERAL]
    day = at.astimezone(_ZONES[country]).date()
    for row in rows:
        if row.holds_on(day):
            return row.rate_bp
    raise LookupError(f"no {tax_class} rate of {country} on {day}")
