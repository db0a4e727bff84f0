"""A provider's list of the charges of one top-up: each that can be read is taken, whatever the others are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from payment.domain.top_up import ChargeStatus, TopUpState, Verdict
from payment.usecases.find_charges import find_charges
from payment.usecases.ports import ProviderListUnreadableError, ProviderOutcomeUnknownError
from payment.usecases.record_charge import record_charge
from payment.usecases.record_charges import record_charges
from payment_testing.fakes import FakePayment
from payment_testing.providers import OddProvider, charge_of


@pytest.fixture
def payment():
    return FakePayment()


async def test_what_fits_is_credited_wherever_it_stands(payment):
    top_up = await payment.top_up()
    less, right = replace(charge_of(top_up.id, "ch_less"), amount_minor=499), charge_of(top_up.id, "ch_right")
    assert await record_charges(top_up, [less, right], payment.begin) == {Verdict.CREDIT, Verdict.SUSPEND}
    assert payment.told_of(top_up) == {"top_up_completed": 500, "top_up_in_review": "second_charge"}


async def test_its_own_charge_comes_before_one_that_is_in_the_books_as_nobodys(payment):
    top_up = await payment.top_up()
    await record_charge(charge_of(None, "ch_nobodys"), payment.tx)
    listed = [charge_of(top_up.id, name) for name in ("ch_nobodys", "ch_own")]
    assert await record_charges(top_up, listed, payment.begin) == {Verdict.CREDIT, Verdict.ATTACH}
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")


async def test_of_nothing_there_is_no_verdict(payment):
    assert await record_charges(await payment.top_up(), [], payment.begin) == set()


async def test_a_list_that_can_be_read_is_given_as_it_is_and_nothing_is_taken(payment):
    top_up, provider = await payment.top_up(), OddProvider()
    provider.known = [charge_of(top_up.id, "ch")]
    assert await find_charges(top_up, payment.begin, provider) == provider.known
    assert payment.top_ups.lines == {}


async def test_of_one_that_cannot_the_money_is_taken_and_refusals_wait(payment):
    top_up, provider = await payment.top_up(), OddProvider()
    refused, paid = charge_of(top_up.id, "ch_1", ChargeStatus.FAILED), charge_of(top_up.id, "ch_2")
    provider.find_error = ProviderListUnreadableError("1 of 2", [refused])
    with pytest.raises(ProviderListUnreadableError):
        await find_charges(top_up, payment.begin, provider)
    assert payment.state_of(top_up) == (TopUpState.CREATED, "")
    provider.find_error = ProviderListUnreadableError("1 of 3", [refused, paid])
    with pytest.raises(ProviderListUnreadableError):
        await find_charges(top_up, payment.begin, provider)
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")


async def with_two_at_work(payment):
    top_up = await payment.top_up()
    for name in ("ch_2", "ch_3"):
        await record_charge(charge_of(top_up.id, name, ChargeStatus.PENDING), payment.tx)
    return payment.top_ups.top_ups[top_up.id]


async def test_what_is_known_to_be_at_work_and_not_listed_is_asked_for_by_its_id(payment):
    top_up, provider = await with_two_at_work(payment), OddProvider()
    provider.known = [charge_of(top_up.id, "ch_1", ChargeStatus.FAILED), charge_of(top_up.id, "ch_2")]
    provider.by_id = {"ch_2": AssertionError("it is listed"), "ch_3": charge_of(top_up.id, "ch_3")}
    found = await find_charges(top_up, payment.begin, provider)
    assert found == [*provider.known, provider.by_id["ch_3"]]
    provider.by_id["ch_3"] = None  # it knows of none by that id
    assert await find_charges(top_up, payment.begin, provider) == provider.known


async def test_what_is_listed_is_taken_also_where_one_charge_cannot_be_asked_for(payment):
    top_up, provider = await with_two_at_work(payment), OddProvider()
    provider.known = [charge_of(top_up.id, "ch_1", ChargeStatus.FAILED), charge_of(top_up.id, "ch_2")]
    provider.by_id["ch_3"] = ProviderOutcomeUnknownError("503")
    with pytest.raises(ProviderOutcomeUnknownError, match="503"):
        await find_charges(top_up, payment.begin, provider)
    assert payment.state_of(top_up) == (TopUpState.COMPLETED, "")
    assert payment.top_ups.top_ups[top_up.id].pending_charge_ids == {"ch_3"}
