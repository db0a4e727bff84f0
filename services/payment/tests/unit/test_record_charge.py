"""What a provider says of a charge moves the top-up, the money and what the person sees: each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from kernel.money import AMOUNT_MINOR_MAX
from payment.domain.accounts import WalletNotActiveError
from payment.domain.ledger import Suspend, TopUp
from payment.domain.outcome import Outcome
from payment.domain.review import ReviewState
from payment.domain.top_up import CONFIRM_AFTER, ChargeStatus, TopUpFailure, TopUpState, Verdict
from payment.usecases.ports import WebhookEvent
from payment.usecases.receive_webhook import receive_webhook
from payment.usecases.record_charge import CONTRADICTIONS, record_charge
from payment_testing.fakes import FakePayment
from payment_testing.providers import charge_of


@pytest.fixture
def payment():
    return FakePayment()


def ops(payment):
    return [type(op) for op in payment.ledger.applied]


async def test_a_success_credits_the_wallet_once(payment):
    top_up = await payment.top_up()
    verdicts = [await record_charge(charge_of(top_up.id, "ch"), payment.tx) for _ in range(2)]
    assert verdicts == [Verdict.CREDIT, Verdict.NOTHING]
    assert ops(payment) == [TopUp]
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
    assert payment.told_of(top_up) == {"top_up_completed": 500}


async def test_who_comes_second_to_the_line_books_nothing(payment):
    top_up = await payment.top_up()
    tx, charge = payment.tx, charge_of(top_up.id, "ch")

    async def not_booked_yet(_):
        return None

    await tx.top_ups.add_line(charge, top_up.id, tx.now, reason=None, shown_as=None)
    tx.top_ups.booked = not_booked_yet
    assert await record_charge(charge, tx) is Verdict.NOTHING
    assert await record_charge(replace(charge, amount_minor=7), tx) is Verdict.NOTHING
    assert (ops(payment), payment.events.told) == ([], [])


def overtaken_by(payment, charge):
    """A transaction in which that word is taken between the first look and what follows it."""
    tx, booked, looks = payment.tx, payment.top_ups.booked, []

    async def look_then_be_overtaken(asked):
        found = await booked(asked)
        looks.append(found)
        if len(looks) == 1:
            await record_charge(charge, payment.tx)
        return found

    payment.top_ups.booked = look_then_be_overtaken
    return tx, looks


@pytest.mark.parametrize("state", [TopUpState.CREATED, TopUpState.FAILED])
async def test_who_comes_second_judges_again_by_what_the_line_says(payment, state):
    asked, other = await payment.top_up(state=state), await payment.top_up(state=state)
    tx, _ = overtaken_by(payment, charge_of(asked.id, "ch"))
    assert await record_charge(charge_of(other.id, "ch"), tx) is Verdict.CONTRADICTED
    assert payment.state_of(other) == (state, "")
    assert len(ops(payment)) == 1


async def test_who_comes_second_to_a_charge_of_nobody_has_it(payment):
    asked = await payment.top_up(state=TopUpState.FAILED)
    tx, _ = overtaken_by(payment, charge_of(None, "ch"))
    assert await record_charge(charge_of(asked.id, "ch"), tx) is Verdict.ATTACH
    assert ops(payment) == [Suspend]
    assert payment.state_of(asked) == (TopUpState.IN_REVIEW, "paid_after_end")


async def test_who_comes_second_to_claim_a_charge_of_nobody_contradicts(payment):
    one, other = await payment.top_up(), await payment.top_up()
    await record_charge(charge_of(None, "ch"), payment.tx)
    tx, looks = overtaken_by(payment, charge_of(one.id, "ch"))
    assert await record_charge(charge_of(other.id, "ch"), tx) is Verdict.CONTRADICTED
    assert [look.of_nobody for look in looks] == [True, True, False]  # of the other's word the second
    assert payment.state_of(other) == (TopUpState.CREATED, "")


async def test_a_credit_that_the_ledger_refuses_is_an_error_and_nothing_is_told(payment):
    top_up = await payment.top_up()
    payment.ledger.outcome = Outcome.WALLET_NOT_ACTIVE
    with pytest.raises(WalletNotActiveError):
        await record_charge(charge_of(top_up.id, "ch"), payment.tx)
    assert payment.events.told == []


async def test_a_pending_charge_waits(payment):
    top_up = await payment.top_up(attempts=1)
    assert await record_charge(charge_of(top_up.id, "ch", ChargeStatus.PENDING), payment.tx) is Verdict.WAIT
    assert payment.state_of(top_up) == (TopUpState.PENDING, "")
    assert payment.top_ups.timers[top_up.id] > payment.clock.now()
    assert payment.top_ups.top_ups[top_up.id].pending_charge_ids == {"ch"}


async def test_a_refusal_of_one_charge_waits_for_the_other_that_is_at_work(payment):
    top_up = await payment.top_up()
    for name in ("ch_1", "ch_2"):
        await record_charge(charge_of(top_up.id, name, ChargeStatus.PENDING), payment.tx)
    refusals = [charge_of(top_up.id, name, ChargeStatus.FAILED) for name in ("ch_1", "ch_2")]
    assert await record_charge(refusals[0], payment.tx) is Verdict.WAIT_FOR_ANOTHER
    assert payment.top_ups.top_ups[top_up.id].pending_charge_ids == {"ch_2"}
    assert (payment.state_of(top_up), payment.events.told) == ((TopUpState.PENDING, ""), [])
    assert await record_charge(refusals[1], payment.tx) is Verdict.FAIL
    assert payment.state_of(top_up) == (TopUpState.FAILED, "refused")


async def test_a_charge_at_work_beside_what_ended_the_top_up_is_watched(payment):
    top_up = await payment.top_up(attempts=2)
    await record_charge(charge_of(top_up.id, "ch_1"), payment.tx)
    assert await record_charge(charge_of(top_up.id, "ch_2", ChargeStatus.PENDING), payment.tx) is Verdict.WATCH
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
    assert payment.top_ups.confirmations[top_up.id] == payment.clock.now() + timedelta(seconds=2)
    assert payment.top_ups.top_ups[top_up.id].pending_charge_ids == {"ch_2"}


@pytest.mark.parametrize("status", [ChargeStatus.SUCCEEDED, ChargeStatus.FAILED])
@pytest.mark.parametrize("state", list(TopUpState))
async def test_a_charge_is_at_work_until_it_is_told_ended(payment, state, status):
    top_up = await payment.top_up(state=state, pending_charge_ids=frozenset({"ch_1", "ch_2"}))
    for _ in range(2):
        await record_charge(charge_of(top_up.id, "ch_1", status), payment.tx)
        assert payment.top_ups.top_ups[top_up.id].pending_charge_ids == {"ch_2"}
    await record_charge(charge_of(top_up.id, "ch_1", ChargeStatus.PENDING), payment.tx)  # booked, it is not
    at_work = {"ch_2"} if status is ChargeStatus.SUCCEEDED else {"ch_1", "ch_2"}
    assert payment.top_ups.top_ups[top_up.id].pending_charge_ids == at_work


@pytest.mark.parametrize("state", list(TopUpState))
async def test_each_charge_that_is_booked_sets_the_timer_of_the_last_question(payment, state):
    top_up = await payment.top_up(state=state)
    await record_charge(charge_of(top_up.id, "ch"), payment.tx)
    assert payment.top_ups.confirmations == {top_up.id: payment.clock.now() + CONFIRM_AFTER}


async def test_beside_what_was_given_back_a_charge_is_a_transaction_of_its_own(payment):
    top_up = await payment.top_up(state=TopUpState.FAILED, failure_code=TopUpFailure.MONEY_RETURNED)
    assert await record_charge(charge_of(top_up.id, "ch_2"), payment.tx) is Verdict.SUSPEND
    assert list(payment.top_ups.shown.values()) == ["paid_after_end"]
    assert payment.state_of(top_up) == (TopUpState.FAILED, TopUpFailure.MONEY_RETURNED)


@pytest.mark.parametrize(("failure_code", "shown"), [("card_declined", "card_declined"), ("", "refused")])
async def test_a_refusal_fails_the_top_up_with_its_code(payment, failure_code, shown):
    top_up = await payment.top_up()
    charge = replace(charge_of(top_up.id, "ch", ChargeStatus.FAILED), failure_code=failure_code)
    assert await record_charge(charge, payment.tx) is Verdict.FAIL
    assert payment.state_of(top_up) == (TopUpState.FAILED, shown)
    assert payment.told_of(top_up) == {"top_up_failed": shown}


@pytest.mark.parametrize(
    ("wallet", "top_up", "charge", "reason"),
    [
        ({}, {}, {"amount_minor": 7}, "amount_mismatch"),
        ({}, {"state": TopUpState.FAILED}, {}, "paid_after_end"),
        ({"status": "suspended"}, {}, {}, "wallet_not_active"),
        ({"balance_minor": AMOUNT_MINOR_MAX}, {}, {}, "wallet_full"),
    ],
)
async def test_money_that_does_not_fit_is_in_review_in_the_top_ups_own_transaction(
    payment, wallet, top_up, charge, reason
):
    asked = await payment.top_up(await payment.person(**wallet), **top_up)
    said = replace(charge_of(asked.id, "ch"), **charge)
    assert [await record_charge(said, payment.tx) for _ in range(2)] == [Verdict.SUSPEND, Verdict.NOTHING]
    assert ops(payment) == [Suspend]
    assert payment.state_of(asked) == (TopUpState.IN_REVIEW, reason)
    assert payment.told_of(asked) == {"top_up_in_review": reason}
    [review] = payment.reviews.reviews.values()
    assert (review.state, review.shown_as, review.top_up_id) == (ReviewState.OPEN, asked.id, asked.id)


async def test_a_wallet_that_is_gone_takes_nothing(payment):
    asked = await payment.top_up(uuid4())
    await record_charge(charge_of(asked.id, "ch"), payment.tx)
    assert payment.state_of(asked) == (TopUpState.IN_REVIEW, "wallet_not_active")


async def test_a_second_charge_is_shown_beside_the_completed_top_up(payment):
    asked = await payment.top_up(state=TopUpState.COMPLETED)
    assert await record_charge(charge_of(asked.id, "ch_2"), payment.tx) is Verdict.SUSPEND
    [review] = payment.reviews.reviews.values()
    assert payment.top_ups.shown == {review.shown_as: "second_charge"}
    assert payment.state_of(asked) == (TopUpState.COMPLETED, "")
    assert payment.told_of(asked) == {"top_up_in_review": "second_charge"}


@pytest.mark.parametrize("reference", [None, "of another provider", "of none"])
async def test_a_charge_of_nobody_is_in_review_and_nobody_sees_it(payment, reference):
    others = await payment.top_up(provider="another")
    reference_id = {None: None, "of none": uuid4()}.get(reference, others.id)
    assert await record_charge(charge_of(reference_id, "ch"), payment.tx) is Verdict.SUSPEND
    assert payment.events.told == []
    [review] = payment.reviews.reviews.values()
    assert (review.reason, review.shown_as) == ("unknown_reference", None)


async def test_a_charge_of_nobody_becomes_the_top_ups_that_is_named_later(payment):
    asked = await payment.top_up()
    await record_charge(charge_of(None, "ch"), payment.tx)
    assert await record_charge(charge_of(asked.id, "ch"), payment.tx) is Verdict.ATTACH
    assert ops(payment) == [Suspend]
    assert payment.state_of(asked) == (TopUpState.IN_REVIEW, "unknown_reference")
    [review] = payment.reviews.reviews.values()
    assert review.top_up_id == asked.id


async def test_one_that_became_anothers_meanwhile_is_left(payment):
    asked = await payment.top_up()
    await record_charge(charge_of(None, "ch"), payment.tx)

    async def taken(*_, **__):
        return None

    payment.reviews.attach = taken
    assert await record_charge(charge_of(asked.id, "ch"), payment.tx) is Verdict.NOTHING
    assert payment.events.told == []


async def test_one_that_is_back_already_is_told_at_once(payment):
    asked = await payment.top_up()
    await record_charge(charge_of(None, "ch"), payment.tx)
    [review] = payment.reviews.reviews.values()
    await payment.reviews.decide(review, ReviewState.RETURNED, now=payment.clock.now())
    assert await record_charge(charge_of(asked.id, "ch"), payment.tx) is Verdict.ATTACH
    assert payment.state_of(asked) == (TopUpState.FAILED, "money_returned")
    assert payment.told_of(asked) == {"top_up_in_review": "unknown_reference", "top_up_returned": 500}


async def test_a_refusal_of_what_is_booked_is_counted_and_moves_nothing(payment):
    top_up = await payment.top_up()
    await record_charge(charge_of(top_up.id, "ch"), payment.tx)
    before = CONTRADICTIONS.labels("sandbox")._value.get()
    contradicted = charge_of(top_up.id, "ch", ChargeStatus.FAILED)
    assert await record_charge(contradicted, payment.tx) is Verdict.CONTRADICTED
    assert CONTRADICTIONS.labels("sandbox")._value.get() == before + 1
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")


async def test_a_refusal_of_nobodys_charge_is_nothing(payment):
    assert await record_charge(charge_of(None, "ch", ChargeStatus.FAILED), payment.tx) is Verdict.NOTHING


async def test_a_webhook_is_taken_once(payment):
    top_up = await payment.top_up()
    event = WebhookEvent(event_id="evt", charge=charge_of(top_up.id, "ch"))
    assert [await receive_webhook(event, payment.tx) for _ in range(2)] == [True, False]
    assert payment.told_of(top_up) == {"top_up_completed": 500}
