"""Charges in review: credited, or sent back until the provider says that it gave them back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from payment.domain.ledger import CreditSuspended, ReturnSuspended, Suspend
from payment.domain.outcome import BalanceLimitError, Outcome
from payment.domain.review import NobodyToCreditError, ReviewDecidedError, ReviewNotFoundError, ReviewState
from payment.domain.top_up import TopUpState
from payment.usecases.credit_review import CreditReview, credit_review
from payment.usecases.load_review import load_review
from payment.usecases.ports import (
    ProviderAnswerUnexpectedError,
    ProviderAtWorkError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
)
from payment.usecases.record_charge import record_charge
from payment.usecases.return_charges import return_charges
from payment.usecases.return_review import ReturnReview, return_review
from payment_testing.fakes import FakePayment
from payment_testing.providers import OddProvider, charge_of

IN_OWN_NAME, BESIDE = TopUpState.FAILED, TopUpState.COMPLETED  # of its top-up: what shows the charge


@pytest.fixture
def payment():
    return FakePayment()


async def in_review(payment, state=IN_OWN_NAME):
    """(review id, its top-up) of a charge that fits nothing."""
    top_up = await payment.top_up(state=state)
    await record_charge(charge_of(top_up.id, "ch"), payment.tx)
    [review_id] = payment.reviews.reviews
    return review_id, top_up


async def credit(payment, review_id):
    await credit_review(CreditReview(review_id=review_id, by="ops", note="theirs"), payment.tx)


async def send_back(payment, review_id):
    await return_review(ReturnReview(review_id=review_id, by="ops", note="not theirs"), payment.tx)


async def give_back(payment, provider):
    return await return_charges(payment.begin, {"sandbox": provider})


async def test_credited_in_its_own_name_it_completes_the_top_up(payment):
    review_id, top_up = await in_review(payment)
    await credit(payment, review_id)
    assert [type(op) for op in payment.ledger.applied] == [Suspend, CreditSuspended]
    assert payment.reviews.reviews[review_id].state is ReviewState.CREDITED
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
    assert payment.told_of(top_up)["top_up_completed"] == 500
    with pytest.raises(ReviewDecidedError):
        await credit(payment, review_id)


async def test_credited_beside_it_the_top_up_only_has_a_new_version(payment):
    review_id, top_up = await in_review(payment, BESIDE)
    before = payment.top_ups.top_ups[top_up.id].version
    await credit(payment, review_id)
    assert payment.top_ups.top_ups[top_up.id].version == before + 1
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")


async def test_what_the_ledger_refuses_stays_open(payment):
    review_id, top_up = await in_review(payment)
    payment.ledger.outcome = Outcome.LIMIT_BALANCE
    with pytest.raises(BalanceLimitError):
        await credit(payment, review_id)
    assert payment.reviews.reviews[review_id].state is ReviewState.OPEN
    assert "top_up_completed" not in payment.told_of(top_up)


async def test_a_charge_of_nobody_can_only_be_sent_back(payment):
    await record_charge(charge_of(None, "ch"), payment.tx)
    [review_id] = payment.reviews.reviews
    with pytest.raises(NobodyToCreditError):
        await credit(payment, review_id)
    await send_back(payment, review_id)
    assert await give_back(payment, OddProvider()) == 1
    assert payment.reviews.reviews[review_id].state is ReviewState.RETURNED
    assert payment.events.told == []


async def test_there_is_no_such_review(payment):
    for act in (credit, send_back):
        with pytest.raises(ReviewNotFoundError):
            await act(payment, uuid4())


async def test_whose_it_is_may_be_said_between_the_two_reads(payment):
    await record_charge(charge_of(None, "ch"), payment.tx)
    [review_id] = payment.reviews.reviews
    top_up = await payment.top_up()
    find = payment.reviews.find

    async def find_then_attach(asked):
        seen = await find(asked)
        await record_charge(charge_of(top_up.id, "ch"), payment.tx)
        return seen

    payment.reviews.find = find_then_attach
    review, loaded = await load_review(review_id, payment.tx)
    assert (review.top_up_id, loaded.id) == (top_up.id, top_up.id)


@pytest.mark.parametrize("state", [IN_OWN_NAME, BESIDE])
async def test_sent_back_it_is_returned_when_the_provider_says_so(payment, state):
    review_id, top_up = await in_review(payment, state)
    await send_back(payment, review_id)
    with pytest.raises(ReviewDecidedError):
        await send_back(payment, review_id)
    provider = OddProvider()
    assert await give_back(payment, provider) == 1
    assert provider.asked == [review_id]
    assert type(payment.ledger.applied[-1]) is ReturnSuspended
    assert payment.reviews.reviews[review_id].state is ReviewState.RETURNED
    assert payment.told_of(top_up)["top_up_returned"] == 500
    if state is BESIDE:
        assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
        assert list(payment.top_ups.shown.values()) == ["money_returned"]
    else:
        assert payment.state_of(top_up) == (TopUpState.FAILED, "money_returned")
    assert await give_back(payment, provider) == 0


async def test_one_that_no_transaction_shows_is_returned_and_nobody_is_told(payment):
    """As charges are that came before there were reviews."""
    review_id, top_up = await in_review(payment)
    payment.reviews.reviews[review_id] = replace(payment.reviews.reviews[review_id], shown_as=None)
    with pytest.raises(NobodyToCreditError):
        await credit(payment, review_id)
    await send_back(payment, review_id)
    await give_back(payment, OddProvider())
    assert payment.reviews.reviews[review_id].state is ReviewState.RETURNED
    assert "top_up_returned" not in payment.told_of(top_up)


async def returning(payment):
    review_id, top_up = await in_review(payment)
    await send_back(payment, review_id)
    return review_id, top_up


async def test_an_unknown_outcome_is_asked_for_again_later(payment):
    review_id, _ = await returning(payment)
    await give_back(payment, OddProvider(bad=review_id, error=ProviderOutcomeUnknownError("503")))
    assert payment.reviews.reviews[review_id].state is ReviewState.RETURNING
    assert payment.reviews.timers[review_id] == payment.clock.now() + timedelta(seconds=1)
    assert payment.job_failures.attempts == {}


async def test_an_outage_says_nothing_of_what_is_written_down_and_a_refund_at_work_ends_it(payment):
    review_id, _ = await returning(payment)
    payment.job_failures.attempts["return_charges", str(review_id)] = 2
    await give_back(payment, OddProvider(bad=review_id, error=ProviderOutcomeUnknownError("503")))
    again = payment.clock.now() + timedelta(seconds=1)
    assert payment.job_failures.attempts == {("return_charges", str(review_id)): 2}
    assert payment.job_failures.postponed == {("return_charges", str(review_id)): again}
    payment.clock.advance(1)
    await give_back(payment, OddProvider(bad=review_id, error=ProviderAtWorkError("pending")))
    assert payment.job_failures.attempts == {}
    assert payment.reviews.reviews[review_id].state is ReviewState.RETURNING
    assert payment.reviews.timers[review_id] == payment.clock.now() + timedelta(seconds=2)


async def test_an_answer_that_was_not_agreed_on_is_written_down(payment):
    review_id, _ = await returning(payment)
    await give_back(payment, OddProvider(bad=review_id, error=ProviderAnswerUnexpectedError("of something else")))
    assert payment.job_failures.attempts == {("return_charges", str(review_id)): 1}


async def test_what_the_provider_refuses_is_open_again_with_its_reason(payment):
    review_id, _ = await returning(payment)
    await give_back(payment, OddProvider(bad=review_id, error=ProviderRefusedError("failed")))
    assert payment.reviews.reviews[review_id].state is ReviewState.OPEN
    assert payment.reviews.notes[review_id] == "the provider refused to give it back: failed"


@pytest.mark.parametrize("error", [None, ProviderRefusedError("failed")])
async def test_what_came_to_its_end_meanwhile_stays_as_it_is(payment, error):
    review_id, _ = await returning(payment)
    provider = OddProvider(bad=review_id if error else None, error=error)
    ask = provider.give_back

    async def ended_meanwhile(review):
        await payment.reviews.decide(review, ReviewState.RETURNED, now=payment.clock.now())
        await ask(review)

    provider.give_back = ended_meanwhile
    await give_back(payment, provider)
    assert payment.reviews.reviews[review_id].state is ReviewState.RETURNED
    assert [type(op) for op in payment.ledger.applied] == [Suspend]


async def test_one_that_another_worker_leased_is_left(payment):
    await returning(payment)
    provider = OddProvider()

    async def leased(*_):
        return None

    payment.reviews.lease = leased
    [review_id] = payment.reviews.reviews
    payment.job_failures.attempts["return_charges", str(review_id)] = 1
    assert await give_back(payment, provider) == 1
    assert provider.asked == []
    assert payment.job_failures.attempts == {("return_charges", str(review_id)): 1}


async def test_a_return_that_the_ledger_refuses_is_written_down(payment):
    review_id, top_up = await returning(payment)
    payment.ledger.outcome = Outcome.CURRENCY_MISMATCH
    await give_back(payment, OddProvider())
    assert payment.job_failures.attempts == {("return_charges", str(review_id)): 1}
    assert "top_up_returned" not in payment.told_of(top_up)
