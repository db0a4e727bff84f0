"""One round over due top-ups: what is asked of the provider, and what becomes of its answer."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from payment.domain.top_up import ChargeStatus, TopUpState
from payment.usecases.drive_top_ups import drive_top_ups
from payment.usecases.ports import (
    ProviderAnswerUnexpectedError,
    ProviderListUnreadableError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
)
from payment.usecases.record_charge import record_charge
from payment_testing.fakes import FakePayment
from payment_testing.providers import OddProvider, charge_of


@pytest.fixture
def payment():
    return FakePayment()


async def drive(payment, provider):
    return await drive_top_ups(payment.begin, {"sandbox": provider})


def failures(payment):
    return [item for job, item in payment.job_failures.attempts if job == "drive_top_ups"]


async def test_the_first_time_it_asks_for_the_money(payment):
    top_up, provider = await payment.top_up(), OddProvider()
    assert await drive(payment, provider) == 1
    assert provider.asked == [top_up.id]
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
    assert await drive(payment, provider) == 0


async def test_later_it_asks_first_what_the_provider_knows(payment):
    top_up, provider = await payment.top_up(attempts=1), OddProvider()
    provider.known = [charge_of(top_up.id, "ch")]
    await drive(payment, provider)
    assert provider.asked == []
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")


async def test_what_it_knows_nothing_of_is_asked_for_again(payment):
    top_up, provider = await payment.top_up(attempts=1), OddProvider()
    await drive(payment, provider)
    assert provider.asked == [top_up.id]


async def test_one_that_another_worker_leased_is_left(payment):
    top_up, provider = await payment.top_up(), OddProvider()

    async def leased(*_):
        return None

    payment.top_ups.lease = leased
    payment.job_failures.attempts["drive_top_ups", str(top_up.id)] = 1
    assert await drive(payment, provider) == 1
    assert (provider.asked, payment.state_of(top_up)) == ([], (TopUpState.CREATED, ""))
    assert failures(payment) == [str(top_up.id)]  # what is written down stays: the other worker knows more


@pytest.mark.parametrize(
    ("wallet", "top_up", "code"),
    [
        ({}, {"created_at": FakePayment().clock.now() - timedelta(hours=25)}, "expired"),
        ({"status": "suspended"}, {}, "wallet_not_active"),
    ],
)
async def test_past_asking_it_fails_and_nobody_is_asked(payment, wallet, top_up, code):
    asked, provider = await payment.top_up(await payment.person(**wallet), **top_up), OddProvider()
    await drive(payment, provider)
    assert (provider.asked, payment.state_of(asked)) == ([], (TopUpState.FAILED, code))


async def test_of_a_wallet_that_is_gone_nobody_is_asked(payment):
    asked, provider = await payment.top_up(uuid4()), OddProvider()
    await drive(payment, provider)
    assert (provider.asked, payment.state_of(asked)) == ([], (TopUpState.FAILED, "wallet_not_active"))


async def test_a_refusal_fails_it_with_the_providers_code(payment):
    top_up = await payment.top_up()
    await drive(payment, OddProvider(bad=top_up.id, error=ProviderRefusedError("card_declined")))
    assert payment.state_of(top_up) == (TopUpState.FAILED, "card_declined")
    assert payment.told_of(top_up) == {"top_up_failed": "card_declined"}


async def test_a_refusal_of_the_next_try_waits_for_what_is_at_work(payment):
    top_up = await payment.top_up(attempts=2)
    await record_charge(charge_of(top_up.id, "ch_2", ChargeStatus.PENDING), payment.tx)
    payment.top_ups.timers[top_up.id] = payment.clock.now()
    await drive(payment, OddProvider(bad=top_up.id, error=ProviderRefusedError("card_declined")))
    assert payment.state_of(top_up) == (TopUpState.PENDING, "")
    assert payment.top_ups.timers[top_up.id] == payment.clock.now() + timedelta(seconds=5)


async def test_a_refusal_in_the_list_waits_for_what_is_at_work_for_a_day(payment):
    top_up, provider = await payment.top_up(attempts=2), OddProvider()
    await record_charge(charge_of(top_up.id, "ch_2", ChargeStatus.PENDING), payment.tx)
    provider.known = [charge_of(top_up.id, "ch_1", ChargeStatus.FAILED)]
    payment.top_ups.timers[top_up.id] = payment.clock.now()
    await drive(payment, provider)
    assert payment.state_of(top_up) == (TopUpState.PENDING, "")
    assert payment.top_ups.timers[top_up.id] == payment.clock.now() + timedelta(seconds=5)
    assert failures(payment) == []
    payment.clock.advance(24 * 3_600)
    await drive(payment, provider)
    assert payment.state_of(top_up) == (TopUpState.FAILED, "expired")


async def test_what_can_be_read_of_a_list_is_taken_and_the_rest_is_written_down(payment):
    top_up, provider = await payment.top_up(attempts=1), OddProvider()
    provider.find_error = ProviderListUnreadableError("1 of 2", [charge_of(top_up.id, "ch")])
    await drive(payment, provider)
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
    assert (provider.asked, failures(payment)) == ([], [str(top_up.id)])


async def test_a_refusal_of_what_ended_meanwhile_changes_nothing(payment):
    top_up = await payment.top_up()
    provider = OddProvider(bad=top_up.id, error=ProviderRefusedError("card_declined"))
    charge = provider.charge

    async def paid_meanwhile(asked):
        await payment.top_ups.close(
            asked, TopUpState.COMPLETED, charge_id="ch", failure_code="", now=payment.clock.now()
        )
        return await charge(asked)

    provider.charge = paid_meanwhile
    await drive(payment, provider)
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")


async def test_an_unknown_outcome_waits_and_is_nothing_for_operators(payment):
    top_up = await payment.top_up()
    await drive(payment, OddProvider(bad=top_up.id, error=ProviderOutcomeUnknownError("503")))
    assert payment.state_of(top_up) == (TopUpState.CREATED, "")
    assert payment.top_ups.timers[top_up.id] == payment.clock.now() + timedelta(seconds=1)
    assert failures(payment) == []


async def test_an_outage_leaves_what_is_written_down_and_it_rests_until_then(payment):
    top_up = await payment.top_up()
    payment.job_failures.attempts["drive_top_ups", str(top_up.id)] = 4
    await drive(payment, OddProvider(bad=top_up.id, error=ProviderOutcomeUnknownError("503")))
    assert payment.job_failures.attempts == {("drive_top_ups", str(top_up.id)): 4}
    again = payment.clock.now() + timedelta(seconds=1)
    assert payment.job_failures.postponed == {("drive_top_ups", str(top_up.id)): again}


@pytest.mark.parametrize("error", [ProviderAnswerUnexpectedError("of something else"), RuntimeError("a bug")])
async def test_what_was_not_agreed_on_is_written_down_and_the_others_go_on(payment, error):
    bad, good = await payment.top_up(), await payment.top_up()
    await drive(payment, OddProvider(bad=bad.id, error=error))
    assert failures(payment) == [str(bad.id)]
    assert payment.state_of(good) == (TopUpState.COMPLETED, "")


async def test_a_provider_that_is_not_configured_any_more_is_written_down(payment):
    top_up = await payment.top_up(provider="of-yesterday")
    await drive(payment, OddProvider())
    assert failures(payment) == [str(top_up.id)]


async def test_a_charge_that_is_booked_as_anothers_is_written_down(payment):
    others, mine = await payment.top_up(), await payment.top_up(attempts=1)
    provider = OddProvider()
    provider.known = [charge_of(others.id, "ch")]
    await payment.top_ups.add_line(provider.known[0], others.id, payment.clock.now(), reason=None, shown_as=None)
    provider.known = [charge_of(mine.id, "ch")]
    payment.top_ups.timers.pop(others.id)
    await drive(payment, provider)
    assert failures(payment) == [str(mine.id)]


async def test_a_pending_charge_waits_for_longer_each_time(payment):
    top_up, provider = await payment.top_up(attempts=2), OddProvider()
    provider.known = [charge_of(top_up.id, "ch", ChargeStatus.PENDING)]
    await drive(payment, provider)
    assert payment.state_of(top_up) == (TopUpState.PENDING, "")
    assert payment.top_ups.timers[top_up.id] == payment.clock.now() + timedelta(seconds=5)


async def test_a_word_that_moves_nothing_waits(payment):
    """Its charge is booked in its name, and the top-up is open all the same: it is looked at again."""
    top_up, provider = await payment.top_up(attempts=1), OddProvider()
    provider.known = [charge_of(top_up.id, "ch")]
    await payment.top_ups.add_line(provider.known[0], top_up.id, payment.clock.now(), reason=None, shown_as=None)
    await drive(payment, provider)
    assert payment.top_ups.timers[top_up.id] == payment.clock.now() + timedelta(seconds=2)
    assert failures(payment) == []


async def test_a_word_that_moves_nothing_is_no_end_however_old_the_top_up(payment):
    """Only what waits for another charge is given up after a day: here the money is in the books."""
    top_up = await payment.top_up(attempts=1, created_at=payment.clock.now() - timedelta(hours=25))
    provider = OddProvider()
    provider.known = [charge_of(top_up.id, "ch")]
    await payment.top_ups.add_line(provider.known[0], top_up.id, payment.clock.now(), reason=None, shown_as=None)
    await drive(payment, provider)
    assert payment.state_of(top_up) == (TopUpState.CREATED, "")


async def test_a_word_on_what_ended_meanwhile_sets_no_timer(payment):
    top_up, provider = await payment.top_up(attempts=1), OddProvider()
    provider.known = [charge_of(top_up.id, "ch")]

    async def ended_meanwhile(_):
        async with payment.begin() as tx:
            await record_charge(provider.known[0], tx)
        return provider.known

    provider.find_charges = ended_meanwhile
    await drive(payment, provider)
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
    assert payment.top_ups.timers == {}
