"""Several charges of one top-up: each that the provider took comes into the books, whatever became of the others."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from payment.domain.accounts import wallet_id
from payment.domain.top_up import ChargeStatus, TopUpState
from payment.entrypoints import jobs
from payment.usecases.confirm_top_ups import confirm_top_ups
from payment.usecases.credit_review import CreditReview, credit_review
from payment.usecases.drive_top_ups import drive_top_ups
from payment.usecases.ports import (
    ProviderAnswerUnexpectedError,
    ProviderListUnreadableError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
)
from payment.usecases.record_charge import record_charge
from payment.usecases.return_charges import return_charges
from payment.usecases.return_review import ReturnReview, return_review
from payment_testing.providers import OddProvider, charge_of, top_up_for

DAY_S = 24 * 3_600


class Asked:
    """A top-up that was asked for without an answer, so that its provider is asked what it knows next."""

    def __init__(self, place, person, top_up_id):
        self.place, self.person, self.id = place, person, top_up_id
        self.provider = OddProvider(bad=top_up_id, error=ProviderOutcomeUnknownError("503"))

    def charge(self, name, status=ChargeStatus.SUCCEEDED, **changes):
        return replace(charge_of(self.id, name, status), **changes)

    async def drive(self, *known, after_s=60):
        self.provider.known = list(known)
        self.place.clock.advance(after_s)
        return await drive_top_ups(self.place.app.begin, {"sandbox": self.provider})

    async def confirm(self, *known, after_s=60):
        self.provider.known = list(known)
        self.place.clock.advance(after_s)
        return await confirm_top_ups(self.place.app.begin, {"sandbox": self.provider})

    async def told(self, charge):
        """By webhook."""
        async with self.place.app.begin() as tx:
            return await record_charge(charge, tx)

    async def state(self):
        async with self.place.app.begin() as tx:
            found = await tx.top_ups.lock(self.id)
        return found.state, found.failure_code

    async def lines(self):
        """Why each charge is in suspense, by charge; None for one that is credited."""
        async with self.place.app.database.read() as conn:
            rows = await conn.fetch(
                "SELECT charge_id, suspense_reason FROM provider_line WHERE reference_id = $1", self.id
            )
        return {row["charge_id"]: row["suspense_reason"] for row in rows}

    async def timer(self):
        async with self.place.app.database.read() as conn:
            return await conn.fetchval("SELECT confirm_at FROM top_up WHERE id = $1", self.id)

    async def failing(self):
        """How often it failed, or None."""
        await jobs.forget_done_failures(self.place.app)  # what is done is forgotten
        return next((attempts for _, item, attempts in await self.place.failures() if item == str(self.id)), None)

    async def confirmed(self, *known):
        """Ask until there is nothing more to ask; the books hold what is listed."""
        while await self.timer() is not None:
            assert await self.confirm(*known, after_s=3_600) == 1
        assert await self.failing() is None


@pytest.fixture
async def asked(place):
    person = await place.person()
    made = Asked(place, person, await top_up_for(place.app.begin, person))
    await drive_top_ups(place.app.begin, {"sandbox": made.provider})
    return made


@asynccontextmanager
async def suspense_held(place):
    """Whoever books into suspense waits in vain."""
    async with place.app.begin() as tx:
        await record_charge(charge_of(None, f"ch_{uuid4().hex}"), tx)
    async with place.admin.transaction():
        held = await place.admin.fetch("SELECT id FROM payment.account WHERE kind = 'suspense' FOR UPDATE")
        assert held
        yield


async def broken_off(asked):
    """The second of two charges of one list could not be booked."""
    async with suspense_held(asked.place):
        await asked.drive(asked.charge("ch_1"), asked.charge("ch_2"))
    assert await asked.place.money(asked.person) == (500, 0)
    assert await asked.lines() == {"ch_1": None}


async def test_a_charge_whose_booking_was_broken_off_is_told_and_booked_later(asked):
    await broken_off(asked)
    assert await asked.failing() == 1
    await asked.confirm(asked.charge("ch_1"), asked.charge("ch_2"))
    assert await asked.lines() == {"ch_1": None, "ch_2": "second_charge"}
    await asked.confirmed(asked.charge("ch_1"), asked.charge("ch_2"))
    assert await asked.place.money(asked.person) == (500, 0)


async def test_control_without_a_timer_it_is_lost_and_nobody_is_told(asked):
    await broken_off(asked)
    await asked.place.admin.execute("UPDATE payment.top_up SET confirm_at = NULL")
    assert await asked.failing() is None
    assert await asked.confirm(asked.charge("ch_1"), asked.charge("ch_2")) == 0
    assert await asked.drive(asked.charge("ch_1"), asked.charge("ch_2")) == 0
    assert await asked.lines() == {"ch_1": None}


@pytest.mark.parametrize(
    ("first", "state"),
    [
        ({}, TopUpState.COMPLETED),
        ({"amount_minor": 499}, TopUpState.IN_REVIEW),
        ({"status": ChargeStatus.FAILED}, TopUpState.FAILED),
    ],
)
async def test_a_charge_whose_webhook_was_lost_is_asked_for_after_the_one_that_ended_the_top_up(asked, first, state):
    first = replace(asked.charge("ch_1"), **first)
    await asked.told(first)
    assert (await asked.state())[0] is state
    second = asked.charge("ch_2")
    assert await asked.confirm(first, second, after_s=4) == 0
    assert await asked.confirm(first, second, after_s=1) == 1
    assert await asked.lines() == (
        {"ch_2": "paid_after_end"}
        if state is TopUpState.FAILED
        else {"ch_1": (await asked.lines())["ch_1"], "ch_2": "second_charge"}
    )
    assert await asked.timer() is not None  # there was something new: is there more?
    third = asked.charge("ch_3", amount_minor=70)
    await asked.confirm(first, second, third)
    assert (await asked.lines())["ch_3"] == "second_charge"
    await asked.confirmed(first, second, third)
    assert await asked.confirm(first, second, third, after_s=DAY_S) == 0


async def test_a_charge_at_work_beside_what_ended_the_top_up_is_asked_for_until_it_ends(asked):
    paid, pending = asked.charge("ch_1"), asked.charge("ch_2", ChargeStatus.PENDING)
    await asked.drive(paid, pending)
    for _ in range(5):
        await asked.confirm(paid, pending, after_s=900)
        assert await asked.failing() is None
    await asked.confirm(paid, pending, after_s=DAY_S)
    assert await asked.failing() == 1  # operators are told of what takes a day
    await asked.confirm(paid, asked.charge("ch_2"), after_s=3_600)
    assert await asked.lines() == {"ch_1": None, "ch_2": "second_charge"}
    await asked.confirmed(paid, asked.charge("ch_2"))


async def test_a_charge_at_work_that_is_told_after_the_last_question_is_asked_for(asked):
    await asked.told(asked.charge("ch_1"))
    await asked.confirmed(asked.charge("ch_1"))
    await asked.told(asked.charge("ch_2", ChargeStatus.PENDING))
    await asked.confirmed(asked.charge("ch_1"), asked.charge("ch_2"))
    assert await asked.lines() == {"ch_1": None, "ch_2": "second_charge"}


@pytest.mark.parametrize("told", ["before the end", "after the end"])
async def test_a_charge_known_to_be_at_work_is_asked_about_also_where_no_list_has_it(asked, told):
    words = [asked.charge("ch_2", ChargeStatus.PENDING), asked.charge("ch_1")]
    for word in words if told == "before the end" else reversed(words):
        await asked.told(word)
    for _ in range(5):
        assert await asked.confirm(asked.charge("ch_1"), after_s=900) == 1
        assert await asked.failing() is None
    await asked.confirm(asked.charge("ch_1"), after_s=DAY_S)
    assert await asked.failing() == 1
    await asked.confirm(asked.charge("ch_1"), asked.charge("ch_2"), after_s=3_600)
    assert await asked.lines() == {"ch_1": None, "ch_2": "second_charge"}
    await asked.confirmed(asked.charge("ch_1"))


async def test_control_a_charge_that_nobody_remembers_at_work_is_never_asked_about_again(asked):
    for word in (asked.charge("ch_2", ChargeStatus.PENDING), asked.charge("ch_1")):
        await asked.told(word)
    await asked.place.admin.execute("UPDATE payment.top_up SET pending_charge_ids = '{}' WHERE id = $1", asked.id)
    await asked.confirmed(asked.charge("ch_1"))
    assert await asked.confirm(asked.charge("ch_1"), asked.charge("ch_2"), after_s=DAY_S) == 0
    assert await asked.lines() == {"ch_1": None}


@pytest.mark.parametrize("remembered", [True, False])  # with the control: whoever forgets it never asks again
async def test_what_an_attempt_without_an_answer_took_is_found_after_the_refusal_of_the_next(asked, remembered):
    asked.provider.error = ProviderRefusedError("token_used")
    await asked.drive(after_s=1)
    assert await asked.state() == (TopUpState.FAILED, "token_used")
    if not remembered:
        await asked.place.admin.execute("UPDATE payment.top_up SET unanswered = false WHERE id = $1", asked.id)
    for _ in range(3):
        await asked.confirm(after_s=60)
    assert (await asked.timer() is not None) is remembered
    await asked.confirm(asked.charge("ch_1"), after_s=60)
    assert await asked.lines() == ({"ch_1": "paid_after_end"} if remembered else {})


async def test_a_list_that_contradicts_the_books_is_told_to_operators_until_it_does_not(asked):
    await asked.told(asked.charge("ch_1"))
    await asked.confirm(asked.charge("ch_1", amount_minor=9))
    assert await asked.failing() == 1
    await asked.confirmed(asked.charge("ch_1"))


async def test_a_list_without_the_charge_that_was_paid_is_behind_and_asked_for_again_for_a_day(asked):
    await asked.told(asked.charge("ch_1"))
    for _ in range(3):
        await asked.confirm(after_s=900)
    assert await asked.timer() is not None
    await asked.confirm(asked.charge("ch_1"), asked.charge("ch_2"), after_s=900)
    assert "ch_2" in await asked.lines()
    await asked.confirm(after_s=DAY_S + 1)
    assert await asked.timer() is None
    assert await asked.failing() is None


async def test_a_provider_that_does_not_say_for_a_day_what_it_took_is_told_to_operators(asked):
    await asked.told(asked.charge("ch_1"))
    asked.provider.find_error = ProviderOutcomeUnknownError("503")
    await asked.confirm()
    assert await asked.failing() is None
    await asked.confirm(after_s=DAY_S)
    assert await asked.failing() == 1
    asked.provider.find_error = None
    await asked.confirmed(asked.charge("ch_1"))


async def test_a_charge_that_cannot_be_read_stops_no_other_of_its_list_and_is_told_until_it_can(asked):
    paid = asked.charge("ch_1")
    asked.provider.find_error = ProviderListUnreadableError("1 of 2 charges in a list", [paid])
    await asked.drive()
    assert (await asked.state())[0] is TopUpState.COMPLETED
    assert await asked.place.money(asked.person) == (500, 0)
    for attempts in (1, 2, 3):
        assert await asked.failing() == attempts
        await asked.confirm(after_s=3_600)
    asked.provider.find_error = None
    await asked.confirmed(paid, asked.charge("ch_2"))
    assert await asked.lines() == {"ch_1": None, "ch_2": "second_charge"}


async def test_a_refusal_beside_what_cannot_be_read_is_not_the_end(asked):
    refused = asked.charge("ch_1", ChargeStatus.FAILED, failure_code="card_declined")
    asked.provider.find_error = ProviderListUnreadableError("1 of 2 charges in a list", [refused])
    await asked.drive()
    assert (await asked.state())[0].open
    assert await asked.failing() == 1
    asked.provider.find_error = None
    await asked.drive(refused, asked.charge("ch_2"))
    assert (await asked.state())[0] is TopUpState.COMPLETED
    assert await asked.failing() is None


async def test_what_was_asked_for_is_credited_wherever_it_stands_in_the_list(asked):
    await asked.drive(asked.charge("ch_less", amount_minor=499), asked.charge("ch_right"))
    assert (await asked.state())[0] is TopUpState.COMPLETED
    assert await asked.lines() == {"ch_right": None, "ch_less": "second_charge"}


async def test_a_top_ups_own_charge_is_credited_before_one_of_nobody_that_is_said_to_be_its(asked):
    await asked.told(replace(asked.charge("ch_nobodys"), reference_id=None))
    await asked.drive(asked.charge("ch_nobodys"), asked.charge("ch_own"))
    assert (await asked.state())[0] is TopUpState.COMPLETED
    assert await asked.lines() == {"ch_own": None, "ch_nobodys": "second_charge"}


async def refused_by_webhook(asked):
    await asked.drive(asked.charge("ch_2", ChargeStatus.PENDING))
    return await asked.told(asked.charge("ch_1", ChargeStatus.FAILED, failure_code="card_declined"))


async def test_a_refusal_by_webhook_is_not_the_end_while_another_charge_is_known_to_be_at_work(asked):
    await refused_by_webhook(asked)
    assert await asked.state() == (TopUpState.PENDING, "")
    await asked.told(asked.charge("ch_2"))
    assert (await asked.state())[0] is TopUpState.COMPLETED


async def test_the_refusal_of_the_last_charge_that_is_known_to_be_at_work_is_the_end(asked):
    for name in ("ch_2", "ch_3", "ch_2"):
        await asked.told(asked.charge(name, ChargeStatus.PENDING))
    for name, state in (("ch_1", "pending"), ("ch_3", "pending"), ("ch_2", "failed")):
        await asked.told(asked.charge(name, ChargeStatus.FAILED, failure_code=f"{name}_declined"))
        assert (await asked.state())[0] == state
    assert await asked.state() == (TopUpState.FAILED, "ch_2_declined")


async def test_a_refusal_of_the_next_try_is_not_the_end_either(asked):
    await asked.told(asked.charge("ch_2", ChargeStatus.PENDING))
    asked.provider.error = ProviderRefusedError("card_declined")
    await asked.drive()
    assert (await asked.state())[0] is TopUpState.PENDING
    await asked.told(asked.charge("ch_2"))
    assert (await asked.state())[0] is TopUpState.COMPLETED


async def test_what_is_at_work_and_not_listed_for_a_day_is_waited_for_no_longer(asked):
    await asked.told(asked.charge("ch_2", ChargeStatus.PENDING))
    refused = asked.charge("ch_1", ChargeStatus.FAILED)
    await asked.drive(refused)
    assert (await asked.state())[0] is TopUpState.PENDING
    await asked.drive(refused, after_s=DAY_S)
    assert await asked.state() == (TopUpState.FAILED, "expired")


async def review_of(asked, charge_id):
    async with asked.place.app.database.read() as conn:
        return await conn.fetchval("SELECT transfer_id FROM provider_line WHERE charge_id = $1", charge_id)


async def history(asked):
    """(status, failure code, amount) of the wallet's transactions, oldest first."""
    async with asked.place.app.database.read() as conn:
        rows = await conn.fetch(
            "SELECT status, failure_code, amount_minor FROM wallet_transaction WHERE wallet_id = $1 ORDER BY created_at",
            wallet_id(asked.person, "THB"),
        )
    return [tuple(row) for row in rows]


async def test_what_was_given_back_stays_in_the_history_when_another_charge_comes(asked):
    await asked.told(asked.charge("ch_1", amount_minor=400))
    async with asked.place.app.begin() as tx:
        await return_review(ReturnReview(review_id=await review_of(asked, "ch_1"), by="ops", note="too little"), tx)
    asked.provider.bad = None
    await return_charges(asked.place.app.begin, {"sandbox": asked.provider})
    returned = ("failed", "money_returned", 400)
    assert await history(asked) == [returned]
    asked.place.clock.advance(60)
    await asked.told(asked.charge("ch_2", amount_minor=450))
    assert await history(asked) == [returned, ("processing", "paid_after_end", 450)]
    assert await asked.state() == (TopUpState.FAILED, "money_returned")
    async with asked.place.app.begin() as tx:
        await credit_review(CreditReview(review_id=await review_of(asked, "ch_2"), by="ops", note="theirs"), tx)
    assert await history(asked) == [returned, ("completed", "", 450)]
    assert await asked.place.money(asked.person) == (450, 0)


async def test_an_answer_that_was_not_agreed_on_after_the_end_rests_and_is_told(asked):
    await asked.told(asked.charge("ch_1"))
    asked.provider.find_error = ProviderAnswerUnexpectedError("401")
    await asked.confirm()
    assert await asked.failing() == 1
    assert await asked.confirm(after_s=1) == 0
    asked.provider.find_error = None
    await asked.confirmed(asked.charge("ch_1"))
