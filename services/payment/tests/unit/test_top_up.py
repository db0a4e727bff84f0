"""A provider's word moves a top-up once, in whatever order and however often it comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payment.domain.ledger import AmountNotPositiveError
from payment.domain.review import shown_as
from payment.domain.top_up import (
    Booked,
    CardNumberRefusedError,
    Charge,
    ChargeStatus,
    Ruling,
    SuspenseReason,
    TopUpFailure,
    TopUpRequest,
    TopUpState,
    Verdict,
    check_request,
    in_order_of_weight,
    judge,
    may_lack,
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


def verdict_of(*arguments, **more):
    return judge(*arguments, **more).verdict


def reason_of(*arguments, **more):
    ruling = judge(*arguments, **more)
    assert ruling.verdict is Verdict.SUSPEND
    return ruling.reason


def test_the_asked_amount_is_credited():
    assert judge(TOP_UP, CHARGE, booked=None) == Ruling(verdict=Verdict.CREDIT)


@pytest.mark.parametrize("wrong", [{"amount_minor": 499}, {"amount_minor": 501}, {"currency": "USD"}])
def test_another_amount_or_currency_goes_to_suspense(wrong):
    assert reason_of(TOP_UP, replace(CHARGE, **wrong), booked=None) is SuspenseReason.AMOUNT_MISMATCH


def test_money_for_nobody_goes_to_suspense():
    assert reason_of(None, CHARGE, booked=None) is SuspenseReason.UNKNOWN_REFERENCE


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (TopUpState.COMPLETED, SuspenseReason.SECOND_CHARGE),
        (TopUpState.FAILED, SuspenseReason.PAID_AFTER_END),
        (TopUpState.IN_REVIEW, SuspenseReason.SECOND_CHARGE),
    ],
)
def test_money_after_the_end_goes_to_suspense(state, reason):
    assert reason_of(replace(TOP_UP, state=state), CHARGE, booked=None) is reason


@pytest.mark.parametrize("reason", [SuspenseReason.WALLET_NOT_ACTIVE, SuspenseReason.WALLET_FULL])
def test_money_for_a_wallet_that_takes_none_goes_to_suspense(reason):
    assert reason_of(TOP_UP, CHARGE, booked=None, wallet=reason) is reason


def test_a_refusal_fails_an_open_top_up_and_nothing_else():
    failed = replace(CHARGE, status=ChargeStatus.FAILED)
    assert verdict_of(TOP_UP, failed, booked=None) is Verdict.FAIL
    for state in (TopUpState.COMPLETED, TopUpState.FAILED, TopUpState.IN_REVIEW):
        assert verdict_of(replace(TOP_UP, state=state), failed, booked=None) is Verdict.NOTHING


def test_a_refusal_of_one_charge_waits_for_the_others_that_are_known_to_be_at_work():
    failed = replace(CHARGE, status=ChargeStatus.FAILED)
    for pending, verdict in (
        (set(), Verdict.FAIL),
        ({"ch_1"}, Verdict.FAIL),
        ({"ch_2"}, Verdict.WAIT_FOR_ANOTHER),
        ({"ch_1", "ch_2"}, Verdict.WAIT_FOR_ANOTHER),
    ):
        assert verdict_of(replace(TOP_UP, pending_charge_ids=frozenset(pending)), failed, booked=None) is verdict


def test_a_charge_at_work_is_waited_for_also_beside_what_ended_the_top_up():
    pending = replace(CHARGE, status=ChargeStatus.PENDING)
    for state in TopUpState:
        verdict = Verdict.WAIT if state.open else Verdict.WATCH
        assert verdict_of(replace(TOP_UP, state=state), pending, booked=None) is verdict
    assert verdict_of(None, pending, booked=None) is Verdict.NOTHING


def test_a_word_without_a_reference_says_nothing_about_whose_a_booked_charge_is():
    unnamed = replace(CHARGE, reference_id=None)
    assert verdict_of(None, unnamed, booked=Booked(CHARGE.reference_id, 500, "THB")) is Verdict.NOTHING
    assert verdict_of(None, unnamed, booked=OF_NOBODY) is Verdict.NOTHING
    assert verdict_of(None, unnamed, booked=Booked(CHARGE.reference_id, 499, "THB")) is Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("state", "failure_code", "own"),
    [
        (TopUpState.CREATED, "", True),
        (TopUpState.PENDING, "", True),
        (TopUpState.FAILED, "card_declined", True),
        (TopUpState.FAILED, TopUpFailure.MONEY_RETURNED, False),
        (TopUpState.IN_REVIEW, "amount_mismatch", False),
        (TopUpState.COMPLETED, "", False),
    ],
)
def test_a_charge_in_review_is_shown_by_the_top_ups_own_transaction_unless_that_shows_another(state, failure_code, own):
    suspense_id, top_up = uuid4(), replace(TOP_UP, state=state, failure_code=failure_code)
    assert shown_as(top_up, suspense_id) == (top_up.id if own else suspense_id)


def test_a_refusal_of_what_was_booked_is_a_contradiction_and_moves_nothing():
    failed = replace(CHARGE, status=ChargeStatus.FAILED)
    for top_up in (None, TOP_UP, *(replace(TOP_UP, state=state) for state in TopUpState)):
        same = Booked(CHARGE.reference_id, 500, "THB")
        assert verdict_of(top_up, failed, booked=same) is Verdict.CONTRADICTED
        assert verdict_of(top_up, CHARGE, booked=same) is Verdict.NOTHING
        for other in (
            same._replace(amount_minor=499),
            same._replace(currency="USD"),
            same._replace(reference_id=uuid4()),
        ):
            assert verdict_of(top_up, CHARGE, booked=other) is Verdict.CONTRADICTED


OF_NOBODY = Booked(None, 500, "THB", True)


def test_money_of_nobody_is_attached_to_the_top_up_that_the_provider_names_later():
    for of_nobody in (OF_NOBODY, OF_NOBODY._replace(reference_id=uuid4())):
        assert judge(TOP_UP, CHARGE, booked=of_nobody) == Ruling(
            verdict=Verdict.ATTACH, reason=SuspenseReason.UNKNOWN_REFERENCE
        )


@pytest.mark.parametrize(
    ("state", "amount_minor", "wallet", "reason"),
    [
        (TopUpState.PENDING, 499, None, SuspenseReason.AMOUNT_MISMATCH),
        (TopUpState.FAILED, 500, None, SuspenseReason.PAID_AFTER_END),
        (TopUpState.COMPLETED, 500, None, SuspenseReason.SECOND_CHARGE),
        (TopUpState.PENDING, 500, SuspenseReason.WALLET_FULL, SuspenseReason.WALLET_FULL),
    ],
)
def test_what_is_attached_has_the_reason_that_it_has_then(state, amount_minor, wallet, reason):
    top_up, charge = replace(TOP_UP, state=state), replace(CHARGE, amount_minor=amount_minor)
    booked = OF_NOBODY._replace(amount_minor=amount_minor)
    assert judge(top_up, charge, booked=booked, wallet=wallet) == Ruling(verdict=Verdict.ATTACH, reason=reason)


def test_nothing_else_is_attached():
    assert verdict_of(None, CHARGE, booked=OF_NOBODY) is Verdict.CONTRADICTED  # another reference of nobody
    assert verdict_of(TOP_UP, CHARGE, booked=OF_NOBODY._replace(amount_minor=1)) is Verdict.CONTRADICTED
    assert verdict_of(TOP_UP, CHARGE, booked=Booked(uuid4(), 500, "THB")) is Verdict.CONTRADICTED  # somebody's
    assert verdict_of(TOP_UP, replace(CHARGE, status=ChargeStatus.FAILED), booked=OF_NOBODY) is Verdict.CONTRADICTED
    assert verdict_of(TOP_UP, replace(CHARGE, status=ChargeStatus.PENDING), booked=OF_NOBODY) is Verdict.NOTHING


def test_of_several_charges_money_comes_first_and_a_refusal_waits_for_what_may_still_be_paid():
    failed, pending, paid = (
        replace(CHARGE, charge_id=status.value, status=status)
        for status in (ChargeStatus.FAILED, ChargeStatus.PENDING, ChargeStatus.SUCCEEDED)
    )
    assert in_order_of_weight([failed, paid], TOP_UP) == [paid, failed]
    assert in_order_of_weight([failed, pending, paid, paid], TOP_UP) == [paid, paid, pending]
    assert in_order_of_weight([failed, pending], TOP_UP) == [pending]
    assert in_order_of_weight([failed, failed], TOP_UP) == [failed, failed]
    assert in_order_of_weight([], TOP_UP) == []


def test_of_the_money_what_the_top_up_waits_for_comes_first_and_what_is_in_the_books_after_it():
    less, dong, nobodys, own, again = (
        replace(CHARGE, charge_id=name, **data)
        for name, data in {
            "less": {"amount_minor": 499},
            "dong": {"currency": "VND"},
            "nobodys": {},
            "own": {},
            "again": {},
        }.items()
    )
    assert in_order_of_weight([less, dong, own], TOP_UP) == [own, less, dong]
    assert in_order_of_weight([less, nobodys, own, again], TOP_UP, {"nobodys"}) == [own, again, nobodys, less]
    assert in_order_of_weight([nobodys, less], TOP_UP, {"nobodys"}) == [nobodys, less]


def test_a_list_without_the_money_that_a_top_up_ended_with_may_lack_more():
    ended = replace(TOP_UP, state=TopUpState.COMPLETED, provider_charge_id="ch_1")
    other = replace(CHARGE, charge_id="ch_2")
    assert [may_lack(ended, charges) for charges in ([], [other], [other, CHARGE], [CHARGE])] == [
        True,
        True,
        False,
        False,
    ]
    assert may_lack(replace(ended, state=TopUpState.IN_REVIEW), [])
    assert not may_lack(replace(ended, state=TopUpState.FAILED), [])
    assert not may_lack(replace(ended, state=TopUpState.PENDING), [])


def test_of_one_that_failed_an_empty_list_may_lack_what_an_attempt_without_an_answer_took():
    failed = replace(TOP_UP, state=TopUpState.FAILED, unanswered=True)
    refused = replace(CHARGE, status=ChargeStatus.FAILED)
    assert [may_lack(failed, charges) for charges in ([], [refused], [CHARGE])] == [True, False, False]
    assert not may_lack(replace(failed, state=TopUpState.CREATED), [])


@given(st.lists(st.tuples(st.sampled_from(list(ChargeStatus)), st.sampled_from([499, 500])), min_size=1, max_size=12))
def test_any_sequence_of_words_books_each_charge_once_and_credits_at_most_once(words):
    state, booked, verdicts = TopUpState.CREATED, None, []
    for status, amount_minor in words:
        charge = replace(CHARGE, status=status, amount_minor=amount_minor)
        verdict = verdict_of(replace(TOP_UP, state=state), charge, booked=booked)
        verdicts.append(verdict)
        if status is ChargeStatus.SUCCEEDED and booked is None:
            booked = Booked(CHARGE.reference_id, amount_minor, "THB")
        state = {
            Verdict.CREDIT: TopUpState.COMPLETED,
            Verdict.FAIL: TopUpState.FAILED,
            Verdict.SUSPEND: TopUpState.IN_REVIEW,
            Verdict.WAIT: TopUpState.PENDING,
        }.get(verdict, state)
    money = [v for v in verdicts if v in {Verdict.CREDIT, Verdict.SUSPEND}]
    assert len(money) == int(booked is not None)


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
