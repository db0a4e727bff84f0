"""A provider's word moves a top-up once, in whatever order and however often it comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment.domain.errors import AmountNotPositiveError, CardNumberRefusedError
from payment.domain.top_up import (
    Charge,
    ChargeStatus,
    TopUpRequest,
    TopUpState,
    Verdict,
    check_request,
    judge,
    next_attempt_at,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOP_UP = TopUpRequest(
    id=uuid4(),
    user_id=uuid4(),
    wallet_id=uuid4(),
    amount_minor=500,
    currency="THB",
    provider="sandbox",
    payment_token="tok",
    state=TopUpState.PENDING,
    attempts=1,
    version=1,
    created_at=NOW,
)
CHARGE = Charge(
    provider="sandbox",
    charge_id="ch_1",
    reference_id=TOP_UP.id,
    amount_minor=500,
    currency="THB",
    status=ChargeStatus.SUCCEEDED,
)


def test_the_asked_amount_is_credited():
    assert judge(TOP_UP, CHARGE, money_is_new=True) is Verdict.CREDIT


@pytest.mark.parametrize("wrong", [{"amount_minor": 499}, {"amount_minor": 501}, {"currency": "USD"}])
def test_another_amount_or_currency_goes_to_suspense_and_review(wrong):
    assert judge(TOP_UP, replace(CHARGE, **wrong), money_is_new=True) is Verdict.SUSPEND_AND_REVIEW


def test_money_for_nobody_goes_to_suspense():
    assert judge(None, CHARGE, money_is_new=True) is Verdict.SUSPEND


@pytest.mark.parametrize("state", [TopUpState.COMPLETED, TopUpState.FAILED, TopUpState.IN_REVIEW])
def test_money_after_the_end_goes_to_suspense(state):
    assert judge(replace(TOP_UP, state=state), CHARGE, money_is_new=True) is Verdict.SUSPEND


def test_a_refusal_fails_an_open_top_up_and_nothing_else():
    failed = replace(CHARGE, status=ChargeStatus.FAILED)
    assert judge(TOP_UP, failed, money_is_new=False) is Verdict.FAIL
    assert judge(replace(TOP_UP, state=TopUpState.COMPLETED), failed, money_is_new=False) is Verdict.NOTHING


@given(st.lists(st.tuples(st.sampled_from(list(ChargeStatus)), st.sampled_from([499, 500])), min_size=1, max_size=12))
def test_any_sequence_of_words_books_each_charge_once_and_credits_at_most_once(words):
    state, booked, verdicts = TopUpState.CREATED, False, []
    for status, amount_minor in words:
        new = status is ChargeStatus.SUCCEEDED and not booked
        charge = replace(CHARGE, status=status, amount_minor=amount_minor)
        verdict = judge(replace(TOP_UP, state=state), charge, money_is_new=new)
        verdicts.append(verdict)
        booked = booked or new
        state = {
            Verdict.CREDIT: TopUpState.COMPLETED,
            Verdict.FAIL: TopUpState.FAILED,
            Verdict.SUSPEND_AND_REVIEW: TopUpState.IN_REVIEW,
            Verdict.WAIT: TopUpState.PENDING,
        }.get(verdict, state)
    money = [v for v in verdicts if v in {Verdict.CREDIT, Verdict.SUSPEND, Verdict.SUSPEND_AND_REVIEW}]
    assert len(money) == int(booked)


def test_backoff_grows_and_never_ends():
    waits = [(next_attempt_at(NOW, attempts) - NOW) for attempts in range(1, 40)]
    assert waits == sorted(waits)
    assert waits[0] == timedelta(seconds=1)
    assert waits[-1] == timedelta(minutes=15)


@pytest.mark.parametrize("token", ["4242424242424242", "4242 4242 4242 4242", "5500-0055-5555-5559"])
def test_card_numbers_are_refused(token):
    with pytest.raises(CardNumberRefusedError):
        check_request(100, token)


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_amounts_are_positive(amount_minor):
    with pytest.raises(AmountNotPositiveError):
        check_request(amount_minor, "tok")
