"""TOT-1..3 over ten thousand generated orders, in every currency and under every tax regime."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.domain.tax import TaxClass, rate_bp
from commerce.domain.totals import PricedLine, TotalTooLargeError, order_totals
from kernel.country import Country
from kernel.money import AMOUNT_MINOR_MAX, Currency

AT = datetime(2026, 11, 21, tzinfo=UTC)
ORDERS_PER_PAIR = 10_000 // (len(Currency) * len(Country)) + 1


def price(randomness: random.Random, currency: Currency) -> int:
    """From a sweet to a motorbike, in minor units of the currency."""
    usd_cents = int(10 ** randomness.uniform(0, 5.5))
    per_cent = {"THB": 35, "SGD": 1.3, "IDR": 16_000, "MYR": 4.4, "PHP": 57, "VND": 254, "USD": 1}[currency]
    return max(0, int(usd_cents * per_cent)) if randomness.random() > 0.02 else 0


def check(lines: list[PricedLine], *, inclusive: bool, discount: int, shipping: int) -> None:
    totals = order_totals(lines, prices_include_tax=inclusive, discount_minor=discount, shipping_minor=shipping)
    assert totals.subtotal_minor == sum(line.subtotal_minor for line in totals.lines)
    assert totals.discount_minor == sum(line.discount_minor for line in totals.lines)
    assert totals.tax_minor == sum(line.tax_minor for line in totals.lines)
    assert totals.total_minor == sum(line.total_minor for line in totals.lines) + shipping
    added = 0 if inclusive else totals.tax_minor
    assert totals.total_minor == totals.subtotal_minor - totals.discount_minor + shipping + added
    assert totals.discount_minor == min(discount, totals.subtotal_minor)
    exact = Fraction(0)
    for line, priced in zip(totals.lines, lines, strict=True):
        assert 0 <= line.discount_minor <= line.subtotal_minor
        assert line.tax_minor >= 0
        base = line.subtotal_minor - line.discount_minor
        whole = 10_000 + priced.tax_rate_bp if inclusive else 10_000
        exact_line = Fraction(base * priced.tax_rate_bp, whole)
        assert abs(line.tax_minor - exact_line) < 2
        exact += exact_line
    rates = len({line.tax_rate_bp for line in lines})
    assert abs(totals.tax_minor - exact) <= Fraction(rates, 2)


@pytest.mark.parametrize("currency", list(Currency))
@pytest.mark.parametrize("country", list(Country))
def test_generated_orders_balance_to_the_minor_unit(currency: Currency, country: Country) -> None:
    randomness = random.Random(f"{currency}{country}")
    for _ in range(ORDERS_PER_PAIR):
        lines = [
            PricedLine(
                unit_price_minor=price(randomness, currency),
                quantity=randomness.choice([1, 1, 1, 2, 3, 7, 40]),
                tax_rate_bp=rate_bp(country, randomness.choice(list(TaxClass)), AT),
            )
            for _ in range(randomness.randint(1, 9))
        ]
        subtotal = sum(line.unit_price_minor * line.quantity for line in lines)
        check(
            lines,
            inclusive=randomness.random() < 0.5,
            discount=randomness.choice([0, 0, 1, subtotal // 3, subtotal, subtotal + 1]),
            shipping=randomness.choice([0, price(randomness, currency)]),
        )


@given(
    lines=st.lists(
        st.builds(
            PricedLine,
            unit_price_minor=st.integers(0, 10**9),
            quantity=st.integers(1, 9_999),
            tax_rate_bp=st.sampled_from([0, 500, 700, 800, 900, 1000, 1100, 1200]),
        ),
        min_size=1,
        max_size=20,
    ),
    inclusive=st.booleans(),
    discount=st.integers(0, 10**14),
    shipping=st.integers(0, 10**9),
)
def test_any_order_balances(*, lines: list[PricedLine], inclusive: bool, discount: int, shipping: int) -> None:
    check(lines, inclusive=inclusive, discount=discount, shipping=shipping)


def test_inclusive_tax_of_a_thai_price() -> None:
    totals = order_totals([PricedLine(unit_price_minor=10_700, quantity=1, tax_rate_bp=700)], prices_include_tax=True)
    assert (totals.tax_minor, totals.total_minor) == (700, 10_700)


def test_exclusive_tax_is_added_and_rounded_half_up() -> None:
    totals = order_totals([PricedLine(unit_price_minor=50, quantity=1, tax_rate_bp=900)], prices_include_tax=False)
    assert (totals.tax_minor, totals.total_minor) == (5, 55)


def test_tax_of_one_rate_is_rounded_once_not_per_line() -> None:
    lines = [PricedLine(unit_price_minor=5, quantity=1, tax_rate_bp=1000) for _ in range(10)]
    totals = order_totals(lines, prices_include_tax=False)
    assert totals.tax_minor == 5
    assert sorted(line.tax_minor for line in totals.lines) == [0] * 5 + [1] * 5


def test_a_total_beyond_what_json_carries_is_refused() -> None:
    line = PricedLine(unit_price_minor=AMOUNT_MINOR_MAX, quantity=2, tax_rate_bp=0)
    with pytest.raises(TotalTooLargeError):
        order_totals([line], prices_include_tax=True)
