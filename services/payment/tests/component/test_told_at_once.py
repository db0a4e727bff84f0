"""One charge told more than once at the same moment: the books say the same as if the words had come in turn."""

from __future__ import annotations

from uuid import uuid4

import pytest

from payment.domain.top_up import TopUpState, Verdict
from payment.usecases.fail_top_up import FailTopUp, fail_top_up
from payment.usecases.record_charge import CONTRADICTIONS
from payment_testing.providers import charge_of, top_up_for

LOOKS = "payment.usecases.record_charge._LOOKS_MAX"


def contradictions():
    return CONTRADICTIONS.labels("sandbox")._value.get()


async def refused_top_up(place):
    """One that failed, so that its provider is asked for it no more."""
    asked = await top_up_for(place.app.begin, await place.person())
    async with place.app.begin() as tx:
        await fail_top_up(FailTopUp(top_up=await tx.top_ups.lock(asked), failure_code="card_declined"), tx)
    return asked


async def state_of(place, asked):
    async with place.app.begin() as tx:
        return (await tx.top_ups.lock(asked)).state


async def whose(place, charge_id):
    async with place.app.database.read() as conn:
        return await conn.fetchval("SELECT reference_id FROM provider_line WHERE charge_id = $1", charge_id)


@pytest.mark.parametrize("unnamed", [None, uuid4()])
async def test_a_charge_told_without_its_reference_and_with_it_is_the_top_ups(place, unnamed):
    asked, told = await refused_top_up(place), contradictions()
    verdicts = await place.told_at_once(charge_of(unnamed, "ch_one"), charge_of(asked, "ch_one"))
    assert verdicts == [Verdict.SUSPEND, Verdict.ATTACH]
    assert await state_of(place, asked) is TopUpState.IN_REVIEW
    assert await whose(place, "ch_one") == asked
    assert contradictions() == told


async def test_a_charge_told_with_its_reference_and_without_it_is_the_top_ups(place):
    asked, told = await refused_top_up(place), contradictions()
    verdicts = await place.told_at_once(charge_of(asked, "ch_one"), charge_of(None, "ch_one"))
    assert verdicts == [Verdict.SUSPEND, Verdict.NOTHING]
    assert await whose(place, "ch_one") == asked
    assert contradictions() == told


async def test_control_without_looking_again_the_charge_stays_nobodys(place, monkeypatch):
    monkeypatch.setattr(LOOKS, 1)
    asked = await refused_top_up(place)
    verdicts = await place.told_at_once(charge_of(None, "ch_one"), charge_of(asked, "ch_one"))
    assert verdicts == [Verdict.SUSPEND, Verdict.NOTHING]
    assert await state_of(place, asked) is TopUpState.FAILED
    assert await whose(place, "ch_one") is None


async def two_names(place, make):
    """A charge named for two top-ups at once: verdicts, states, contradictions that were told."""
    one, other, told = await make(place), await make(place), contradictions()
    verdicts = await place.told_at_once(charge_of(one, "ch_one"), charge_of(other, "ch_one"))
    return verdicts, [await state_of(place, each) for each in (one, other)], contradictions() - told


async def open_top_up(place):
    return await top_up_for(place.app.begin, await place.person())


async def test_a_charge_named_for_two_top_ups_is_the_ones_and_the_contradiction_is_told(place):
    states = [TopUpState.IN_REVIEW, TopUpState.FAILED]
    assert await two_names(place, refused_top_up) == ([Verdict.SUSPEND, Verdict.CONTRADICTED], states, 1)


async def test_a_charge_credited_to_one_top_up_while_it_is_named_for_another_is_told(place):
    states = [TopUpState.COMPLETED, TopUpState.CREATED]
    assert await two_names(place, open_top_up) == ([Verdict.CREDIT, Verdict.CONTRADICTED], states, 1)


async def test_control_without_looking_again_no_contradiction_is_told(place, monkeypatch):
    monkeypatch.setattr(LOOKS, 1)
    states = [TopUpState.IN_REVIEW, TopUpState.FAILED]
    assert await two_names(place, refused_top_up) == ([Verdict.SUSPEND, Verdict.NOTHING], states, 0)


async def test_a_charge_of_nobody_that_two_top_ups_are_named_for_at_once_is_the_ones(place):
    one, other = await refused_top_up(place), await refused_top_up(place)
    told = contradictions()
    verdicts = await place.told_at_once(*(charge_of(each, "ch_one") for each in (None, one, other)))
    assert verdicts[0] is Verdict.SUSPEND
    assert sorted(verdicts[1:]) == [Verdict.ATTACH, Verdict.CONTRADICTED]
    assert contradictions() == told + 1
    assert await whose(place, "ch_one") == (one, other)[verdicts.index(Verdict.ATTACH) - 1]
