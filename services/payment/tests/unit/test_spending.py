"""A wallet's limits and counts when a day, a month or a year begins, and when a limit ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from kernel.country import Country
from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import WALLET
from payment.domain.spending import FRESH_FOR, Standing, bring_up_to_date
from payment_testing.books import account

NOON = datetime(2026, 6, 15, 5, 0, tzinfo=UTC)  # in Bangkok
BEFORE_MIDNIGHT = datetime(2026, 6, 30, 16, 55, tzinfo=UTC)


def standing(**given):
    limits = {
        "transaction_minor": 1, "day_minor": 2, "month_minor": 3, "rolling_minor": 4, "balance_minor": AMOUNT_MINOR_MAX
    }  # fmt: skip
    return Standing(**{"country": Country.TH, "valid_until": None, "months": {}} | limits | given)


def wallet(spent_on, day=0, month=0, prior=0):
    return account(
        uuid4(), WALLET, "THB", uuid4(), spent_on=spent_on, spent_day_minor=day, spent_month_minor=month,
        spent_prior_minor=prior, limits_fresh_until=None,
    )  # fmt: skip


def spent(of):
    return of.spent_on, of.spent_day_minor, of.spent_month_minor, of.spent_prior_minor


def test_a_wallet_that_was_never_used_gets_its_limits_and_todays_date():
    made = wallet(None)
    assert bring_up_to_date(made, standing(), NOON) is None
    assert spent(made) == (date(2026, 6, 15), 0, 0, 0)
    limits = ("transaction", "day", "month", "rolling", "balance")
    assert [getattr(made, f"limit_{name}_minor") for name in limits] == [1, 2, 3, 4, AMOUNT_MINOR_MAX]
    assert made.country == Country.TH
    assert made.limits_changed


def test_the_same_day_counts_on_and_the_next_begins_anew():
    made = wallet(date(2026, 6, 15), 10, 20, 30)
    assert bring_up_to_date(made, standing(), NOON) is None
    assert spent(made) == (date(2026, 6, 15), 10, 20, 30)
    assert bring_up_to_date(made, standing(), NOON + timedelta(days=1)) is None
    assert spent(made) == (date(2026, 6, 16), 0, 20, 30)


def test_a_day_that_is_over_elsewhere_never_goes_back():
    made = wallet(date(2026, 6, 16), 10, 20, 30)
    assert bring_up_to_date(made, standing(), NOON) is None
    assert spent(made) == (date(2026, 6, 16), 10, 20, 30)
    assert made.limits_fresh_until == NOON + FRESH_FOR


def test_a_month_that_is_left_is_closed_and_counts_for_the_eleven_after_it():
    made = wallet(date(2026, 5, 31), 10, 20, 30)
    gone_by = {date(2025, 6, 1): 100, date(2025, 7, 1): 200, date(2026, 4, 1): 7}
    assert bring_up_to_date(made, standing(months=gone_by), NOON) == (date(2026, 5, 1), 20)
    assert spent(made) == (date(2026, 6, 15), 0, 0, 200 + 7 + 20)


def test_a_wallet_that_was_not_used_for_years_has_nothing_left_of_them():
    made = wallet(date(2024, 2, 29), 10, 20, 30)
    assert bring_up_to_date(made, standing(), NOON) == (date(2024, 2, 1), 20)
    assert spent(made) == (date(2026, 6, 15), 0, 0, 0)


@pytest.mark.parametrize(
    ("now", "valid_until", "fresh_until"),
    [
        (NOON, None, NOON + FRESH_FOR),
        (NOON, NOON + timedelta(minutes=3), NOON + timedelta(minutes=3)),
        (BEFORE_MIDNIGHT, None, datetime(2026, 6, 30, 17, 0, tzinfo=UTC)),
        (BEFORE_MIDNIGHT, BEFORE_MIDNIGHT + timedelta(days=9), datetime(2026, 6, 30, 17, 0, tzinfo=UTC)),
    ],
    ids=["a while", "a limit ends", "midnight", "midnight comes first"],
)
def test_limits_hold_until_the_first_thing_that_may_change_them(now, valid_until, fresh_until):
    made = wallet(now.date())
    bring_up_to_date(made, standing(valid_until=valid_until), now)
    assert made.limits_fresh_until == fresh_until
    assert not made.has_stale_limits(fresh_until - timedelta(microseconds=1))
    assert made.has_stale_limits(fresh_until)


@pytest.mark.parametrize(("country", "day"), [(Country.VN, date(2026, 6, 30)), (Country.PH, date(2026, 7, 1))])
def test_a_day_is_the_countrys(country, day):
    made = wallet(None)
    bring_up_to_date(made, standing(country=country), BEFORE_MIDNIGHT)
    assert made.spent_on == day
