"""One round over top-ups that ended: their provider is asked once more, until all that it lists is in the books."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from payment.domain.top_up import CONFIRM_AFTER, LEASE, ChargeStatus, TopUpState
from payment.usecases.confirm_top_ups import confirm_top_ups
from payment.usecases.drive_top_ups import drive_top_ups
from payment.usecases.fail_top_up import FailTopUp, fail_top_up
from payment.usecases.ports import (
    ProviderAnswerUnexpectedError,
    ProviderListUnreadableError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
)
from payment.usecases.record_charge import record_charge
from payment_testing.fakes import FakePayment
from payment_testing.providers import OddProvider, charge_of

DAY_S = 24 * 3_600
ENDED_BY = {
    TopUpState.COMPLETED: {},
    TopUpState.FAILED: {"status": ChargeStatus.FAILED},
    TopUpState.IN_REVIEW: {"amount_minor": 7},
}


@pytest.fixture
def payment():
    return FakePayment()


@pytest.fixture
def provider():
    return OddProvider()


async def ended(payment, **fields):
    """A top-up that its charge ``ch_1`` has completed."""
    top_up = await payment.top_up(**fields)
    await record_charge(charge_of(top_up.id, "ch_1"), payment.tx)
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
    return top_up


async def confirm(payment, provider, *, after_s=60):
    payment.clock.advance(after_s)
    return await confirm_top_ups(payment.begin, {"sandbox": provider})


def timer(payment, top_up):
    """How long until its provider is asked once more; None when nobody is to be asked."""
    at = payment.top_ups.confirmations.get(top_up.id)
    return at - payment.clock.now() if at else None


def failures(payment):
    return [item for job, item in payment.job_failures.attempts if job == "drive_top_ups"]


async def test_an_end_sets_the_timer_and_a_list_without_news_puts_it_out(payment, provider):
    top_up = await ended(payment)
    provider.known = [charge_of(top_up.id, "ch_1")]
    assert timer(payment, top_up) == CONFIRM_AFTER
    assert await confirm(payment, provider, after_s=4) == 0
    assert await confirm(payment, provider, after_s=1) == 1
    assert timer(payment, top_up) is None
    assert provider.asked == []  # it is asked what it took, never for money
    assert await confirm(payment, provider, after_s=DAY_S) == 0


async def test_a_second_charge_is_booked_and_sets_the_timer_anew(payment, provider):
    top_up = await ended(payment)
    provider.known = [charge_of(top_up.id, "ch_1"), charge_of(top_up.id, "ch_2")]
    await confirm(payment, provider)
    assert payment.told_of(top_up)["top_up_in_review"] == "second_charge"
    assert timer(payment, top_up) == CONFIRM_AFTER
    await confirm(payment, provider)
    assert timer(payment, top_up) is None


async def test_one_that_another_worker_leased_is_left_and_keeps_what_is_written_down(payment, provider):
    top_up = await ended(payment)
    payment.job_failures.attempts["drive_top_ups", str(top_up.id)] = 2

    async def leased(*_):
        return None

    payment.top_ups.lease_to_confirm = leased
    provider.find_error = AssertionError("nobody is asked")
    assert await confirm(payment, provider) == 1
    assert payment.job_failures.attempts == {("drive_top_ups", str(top_up.id)): 2}


async def test_one_that_is_open_is_not_confirmed(payment, provider):
    top_up = await payment.top_up()
    await payment.top_ups.confirm_at(top_up.id, payment.clock.now())
    assert await confirm(payment, provider) == 0


async def test_an_outage_waits_and_is_nothing_for_operators_until_a_day_is_over(payment, provider):
    top_up = await ended(payment)
    provider.find_error = ProviderOutcomeUnknownError("503")
    payment.job_failures.attempts["drive_top_ups", str(top_up.id)] = 1
    await confirm(payment, provider)
    assert timer(payment, top_up) == timedelta(seconds=1)
    assert payment.job_failures.attempts == {("drive_top_ups", str(top_up.id)): 1}
    again = payment.clock.now() + timedelta(seconds=1)
    assert payment.job_failures.postponed == {("drive_top_ups", str(top_up.id)): again}
    await confirm(payment, provider, after_s=DAY_S)
    assert payment.job_failures.attempts == {("drive_top_ups", str(top_up.id)): 2}
    assert timer(payment, top_up) == timedelta(seconds=2)


async def test_an_answer_that_was_not_agreed_on_is_written_down_at_once(payment, provider):
    top_up = await ended(payment)
    provider.find_error = ProviderAnswerUnexpectedError("401")
    await confirm(payment, provider)
    assert failures(payment) == [str(top_up.id)]
    assert timer(payment, top_up) == LEASE


async def test_what_can_be_read_of_a_list_is_booked_and_the_rest_written_down(payment, provider):
    top_up = await ended(payment)
    provider.find_error = ProviderListUnreadableError("1 of 2", [charge_of(top_up.id, "ch_2")])
    await confirm(payment, provider)
    assert payment.told_of(top_up)["top_up_in_review"] == "second_charge"
    assert failures(payment) == [str(top_up.id)]
    assert timer(payment, top_up) is not None


async def test_a_charge_at_work_is_watched_and_after_a_day_operators_are_told(payment, provider):
    top_up = await ended(payment)
    provider.known = [charge_of(top_up.id, "ch_1"), charge_of(top_up.id, "ch_2", ChargeStatus.PENDING)]
    await confirm(payment, provider)
    assert (failures(payment), timer(payment, top_up)) == ([], timedelta(seconds=1))
    await confirm(payment, provider, after_s=DAY_S)
    assert (failures(payment), timer(payment, top_up)) == ([str(top_up.id)], timedelta(seconds=2))


@pytest.mark.parametrize("state", [TopUpState.COMPLETED, TopUpState.FAILED, TopUpState.IN_REVIEW])
@pytest.mark.parametrize("told", ["before the end", "after the end"])
async def test_a_charge_known_to_be_at_work_is_asked_about_also_where_no_list_has_it(payment, provider, state, told):
    """Until it is told ended; operators see one that is not for a day."""
    top_up = await payment.top_up()
    at_work = charge_of(top_up.id, "ch_2", ChargeStatus.PENDING)
    ended_by = replace(charge_of(top_up.id, "ch_1"), **ENDED_BY[state])
    words = [at_work, ended_by]
    for word in words if told == "before the end" else reversed(words):
        await record_charge(word, payment.tx)
    if state is TopUpState.FAILED and told == "before the end":  # a refusal waits for it, and not for more than a day
        async with payment.begin() as tx:
            await fail_top_up(FailTopUp(top_up=payment.top_ups.top_ups[top_up.id], failure_code="expired"), tx)
    assert payment.state_of(top_up)[0] is state
    provider.known = [ended_by]
    rests = []
    for _ in range(9):
        assert await confirm(payment, provider, after_s=900) == 1
        rests.append(timer(payment, top_up))
    assert failures(payment) == []
    assert rests == sorted(rests)
    assert rests[-1] == timedelta(minutes=15)
    await confirm(payment, provider, after_s=DAY_S)
    assert (failures(payment), timer(payment, top_up)) == ([str(top_up.id)], timedelta(minutes=15))
    provider.known = [ended_by, charge_of(top_up.id, "ch_2")]
    await confirm(payment, provider, after_s=900)
    assert ("sandbox", "ch_2") in payment.top_ups.lines
    provider.known = [ended_by]  # behind once more: what is told ended is not asked about
    for _ in range(100):
        await confirm(payment, provider, after_s=900)
    assert (failures(payment), timer(payment, top_up)) == ([], None)


async def test_a_charge_at_work_that_no_list_has_is_asked_for_by_its_id(payment, provider):
    top_up = await ended(payment)
    await record_charge(charge_of(top_up.id, "ch_2", ChargeStatus.PENDING), payment.tx)
    provider.known = [charge_of(top_up.id, "ch_1")]
    provider.by_id["ch_2"] = charge_of(top_up.id, "ch_2")
    await confirm(payment, provider)
    assert payment.told_of(top_up)["top_up_in_review"] == "second_charge"
    await confirm(payment, provider)
    assert timer(payment, top_up) is None


async def test_a_charge_at_work_that_is_refused_in_the_end_is_asked_about_no_more(payment, provider):
    top_up = await ended(payment)
    await record_charge(charge_of(top_up.id, "ch_2", ChargeStatus.PENDING), payment.tx)
    provider.known = [charge_of(top_up.id, "ch_1"), charge_of(top_up.id, "ch_2", ChargeStatus.FAILED)]
    await confirm(payment, provider)
    assert timer(payment, top_up) is None


@pytest.mark.parametrize("contradicts", [{"status": ChargeStatus.FAILED}, {"amount_minor": 9}])
async def test_a_list_that_contradicts_the_books_is_written_down_and_asked_for_again_for_a_day(
    payment, provider, contradicts
):
    top_up = await ended(payment)
    provider.known = [replace(charge_of(top_up.id, "ch_1"), **contradicts)]
    await confirm(payment, provider)
    assert (failures(payment), timer(payment, top_up)) == ([str(top_up.id)], timedelta(seconds=1))
    provider.known = [charge_of(top_up.id, "ch_1")]
    await confirm(payment, provider)
    assert (failures(payment), timer(payment, top_up)) == ([], None)


async def test_a_list_that_contradicts_the_books_for_a_day_is_not_asked_for_any_more(payment, provider):
    top_up = await ended(payment)
    provider.known = [charge_of(top_up.id, "ch_1", ChargeStatus.FAILED)]
    await confirm(payment, provider, after_s=DAY_S + 1)
    assert (failures(payment), timer(payment, top_up)) == ([str(top_up.id)], None)


async def failed_without_an_answer(payment, provider, error):
    """Its own charge was taken, and the answer lost; the next attempt finds an empty list, and is refused."""
    top_up = await payment.top_up()
    provider.bad, provider.error = top_up.id, ProviderOutcomeUnknownError("cut off")
    await drive_top_ups(payment.begin, {"sandbox": provider})
    provider.error = error
    payment.clock.advance(1)
    await drive_top_ups(payment.begin, {"sandbox": provider})
    assert payment.state_of(top_up)[0] is TopUpState.FAILED
    return top_up


async def test_what_an_attempt_without_an_answer_took_is_asked_for_as_long_as_a_list_may_be_behind(payment, provider):
    top_up = await failed_without_an_answer(payment, provider, ProviderRefusedError("token_used"))
    rests = []
    for _ in range(9):
        assert await confirm(payment, provider, after_s=timer(payment, top_up).total_seconds()) == 1
        rests.append(timer(payment, top_up))
    assert rests == sorted(rests)
    provider.known = [charge_of(top_up.id, "ch_1")]
    await confirm(payment, provider, after_s=900)
    assert payment.state_of(top_up) == (TopUpState.IN_REVIEW, "paid_after_end")
    await confirm(payment, provider, after_s=900)
    assert timer(payment, top_up) is None


async def test_after_a_day_an_attempt_without_an_answer_is_taken_to_have_moved_nothing(payment, provider):
    top_up = await failed_without_an_answer(payment, provider, ProviderRefusedError("token_used"))
    await confirm(payment, provider, after_s=DAY_S + 1)
    assert (failures(payment), timer(payment, top_up)) == ([], None)


async def test_control_of_one_that_was_refused_at_once_an_empty_list_is_all_there_is(payment, provider):
    top_up = await payment.top_up()
    provider.bad, provider.error = top_up.id, ProviderRefusedError("card_declined")
    await drive_top_ups(payment.begin, {"sandbox": provider})
    await confirm(payment, provider)
    assert timer(payment, top_up) is None


async def test_a_list_that_is_behind_is_asked_for_again_for_a_day(payment, provider):
    top_up = await ended(payment)
    await confirm(payment, provider)
    assert timer(payment, top_up) == timedelta(seconds=1)
    await confirm(payment, provider, after_s=DAY_S)
    assert (failures(payment), timer(payment, top_up)) == ([], None)


async def test_of_one_that_failed_an_empty_list_is_all_there_is(payment, provider):
    top_up = await payment.top_up()
    await record_charge(charge_of(top_up.id, "ch_1", ChargeStatus.FAILED), payment.tx)
    assert timer(payment, top_up) == CONFIRM_AFTER
    await confirm(payment, provider)
    assert timer(payment, top_up) is None


async def test_what_was_told_while_the_provider_was_asked_keeps_the_timer(payment, provider):
    top_up = await ended(payment)

    async def told_meanwhile(_):
        await record_charge(charge_of(top_up.id, "ch_2"), payment.tx)
        return [charge_of(top_up.id, "ch_1")]

    provider.find_charges = told_meanwhile
    await confirm(payment, provider)
    assert timer(payment, top_up) == CONFIRM_AFTER


async def test_the_day_begins_with_the_end_and_not_with_the_request(payment, provider):
    top_up = await ended(payment, created_at=payment.clock.now() - timedelta(hours=25))
    await confirm(payment, provider)
    assert timer(payment, top_up) == timedelta(seconds=1)


async def test_of_one_from_before_there_were_ends_the_day_begins_with_the_request(payment, provider):
    top_up = await payment.top_up(state=TopUpState.COMPLETED, created_at=payment.clock.now() - timedelta(hours=25))
    payment.top_ups.timers.clear()
    await payment.top_ups.confirm_at(top_up.id, payment.clock.now())
    await confirm(payment, provider)
    assert timer(payment, top_up) is None  # a list that is behind is asked for no longer


async def test_a_provider_that_is_not_configured_any_more_is_written_down(payment, provider):
    top_up = await payment.top_up(provider="of-yesterday", state=TopUpState.COMPLETED)
    payment.top_ups.timers.clear()
    await payment.top_ups.confirm_at(top_up.id, payment.clock.now())
    await confirm(payment, provider)
    assert failures(payment) == [str(top_up.id)]
