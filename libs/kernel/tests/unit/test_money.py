"""Money: exact sums, exact splits, readable output."""

from decimal import ROUND_HALF_UP, Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.country import LOCALES
from kernel.money import AMOUNT_MINOR_MAX, Currency, Money, allocate_minor


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_a_split_adds_up_to_the_whole_and_no_part_is_off_by_a_unit(amount_minor, weights):
    parts = allocate_minor(amount_minor, weights)
    assert sum(parts) == amount_minor
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - amount_minor * weight) < sum(weights)


def test_ties_go_to_the_earlier_weight():
    assert allocate_minor(100, [1, 1, 1]) == [34, 33, 33]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1]])
def test_weights_that_split_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        allocate_minor(1, weights)


def test_amounts_beyond_an_exact_json_number_are_refused():
    with pytest.raises(OverflowError):
        Money(AMOUNT_MINOR_MAX + 1, Currency.THB)


@pytest.mark.parametrize("amount", [1.5, True, "1"])
def test_only_integers_are_amounts(amount):
    with pytest.raises(TypeError):
        Money(amount, Currency.THB)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(125_000, Currency.THB), "THB 1,250.00"),
        (Money(-5, Currency.SGD), "SGD -0.05"),
        (Money(250_000, Currency.VND), "VND 250,000"),
        (Money(1_500_000, Currency.IDR), "IDR 15,000"),
        (Money(1_234_450, Currency.IDR), "IDR 12,345"),
        (Money(1_234_650, Currency.IDR), "IDR 12,347"),
        (Money(-49, Currency.IDR), "IDR 0"),
    ],
)
def test_display(money, text):
    assert money.display() == text


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("th-TH", "IDR 12,345"),
        ("id-ID", "IDR 12.345"),
        ("vi", "IDR 12.345"),
        ("ms-MY", "IDR 12,345"),
        ("", "IDR 12,345"),
    ],
)
def test_an_amount_is_written_as_its_reader_writes(locale, text):
    assert Money(1_234_450, Currency.IDR).display(locale) == text


@given(
    st.one_of(st.integers(-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX), st.sampled_from([-AMOUNT_MINOR_MAX, AMOUNT_MINOR_MAX])),
    st.sampled_from(Currency),
    st.sampled_from([*LOCALES, "xx"]),
)
def test_what_is_shown_is_the_amount_rounded_half_up_whatever_its_size(amount_minor, currency, locale):
    exact = Decimal(amount_minor).scaleb(-currency.exponent)
    step = Decimal(1).scaleb(-currency.display_decimals)
    expected = exact.quantize(step, ROUND_HALF_UP, context=Context(prec=40))
    code, _, text = Money(amount_minor, currency).display(locale).partition(" ")
    thousands, point = (".", ",") if locale[:2] in {"id", "vi"} else (",", ".")
    assert code == currency
    assert Decimal(text.replace(thousands, "").replace(point, ".")) == expected
    assert all(len(group) == 3 for group in text.split(point)[0].lstrip("-").split(thousands)[1:])
