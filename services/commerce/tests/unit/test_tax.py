from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from commerce.domain.tax import RATES, TaxClass, rate_bp
from kernel.country import Country

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("country", "tax_class", "expected"),
    [
        (Country.TH, TaxClass.GENERAL, 700),
        (Country.VN, TaxClass.GENERAL, 800),
        (Country.VN, TaxClass.SPECIAL, 1000),
        (Country.SG, TaxClass.GENERAL, 900),
        (Country.PH, TaxClass.GENERAL, 1200),
        (Country.ID, TaxClass.GENERAL, 1100),
        (Country.ID, TaxClass.SPECIAL, 1200),
        (Country.MY, TaxClass.GENERAL, 1000),
        (Country.MY, TaxClass.REDUCED, 500),
        (Country.MY, TaxClass.SERVICE, 800),
        (Country.MY, TaxClass.SERVICE_REDUCED, 600),
        (Country.SG, TaxClass.REDUCED, 900),
        (Country.TH, TaxClass.EXEMPT, 0),
    ],
)
def test_rates_of_today(country: Country, tax_class: TaxClass, expected: int) -> None:
    assert rate_bp(country, tax_class, NOW) == expected


def test_the_vietnamese_cut_ends_at_midnight_in_hanoi() -> None:
    last_moment = datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC)
    assert rate_bp(Country.VN, TaxClass.GENERAL, last_moment) == 800
    assert rate_bp(Country.VN, TaxClass.GENERAL, last_moment + timedelta(seconds=1)) == 1000


def test_tax_1_one_rate_on_any_day() -> None:
    for country, classes in RATES.items():
        for tax_class, rows in classes.items():
            day = date(2024, 1, 1)
            while day < date(2031, 1, 1):
                assert sum(row.holds_on(day) for row in rows) == 1, (country, tax_class, day)
                day += timedelta(days=1)


def test_a_day_before_any_row_is_an_error_not_a_free_sale() -> None:
    with pytest.raises(LookupError):
        rate_bp(Country.SG, TaxClass.GENERAL, datetime(2010, 1, 1, tzinfo=UTC))
