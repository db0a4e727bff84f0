"""Amounts are kept as numbers and shown as the reader writes them, halves rounded up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.country import LANGUAGES
from kernel.money import AMOUNT_MINOR_MAX, Currency, Money
from notification.adapters.template_gateway import Templates
from notification.domain.notification import money_param

TEMPLATES = Templates()


@pytest.mark.parametrize(
    ("language", "shown"), [("id", "IDR 12.345"), ("en", "IDR 12,345"), ("th", "IDR 12,345"), ("vi", "IDR 12.345")]
)
def test_half_a_rupiah_is_rounded_up(language, shown):
    amount = money_param(Money(1_234_450, Currency.IDR))
    assert shown in TEMPLATES.render("top_up_completed", language, {"amount": amount}).body


@given(st.sampled_from([0, 1, AMOUNT_MINOR_MAX]) | st.integers(0, AMOUNT_MINOR_MAX), st.sampled_from(Currency))
def test_every_text_shows_an_amount_as_the_kernel_writes_it(amount_minor, currency):
    money = Money(amount_minor, currency)
    for language in LANGUAGES:
        text = TEMPLATES.render("money_received", language, {"amount": money_param(money)})
        assert money.display(language) in text.title + text.body


def test_what_was_kept_as_a_text_is_shown_as_it_is():
    assert "IDR 15,000" in TEMPLATES.render("money_sent", "id", {"amount": "IDR 15,000"}).body
