"""A row that always fails stands among good ones: they are done, it is written down, rests, and is tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from kernel.ids import derived_id
from operations.invariants import check_invariants
from payment.adapters.invariants import LATE
from payment.adapters.top_up_store import TopUpStore
from payment.domain.accounts import wallet_id
from payment.domain.ledger import Expire
from payment.domain.review import ReviewState
from payment.domain.top_up import Charge, ChargeStatus
from payment.entrypoints import jobs
from payment.usecases.attempt_batch import attempt_batch
from payment.usecases.confirm_top_ups import confirm_top_ups
from payment.usecases.drive_top_ups import drive_top_ups
from payment.usecases.expire_holds import expire_holds
from payment.usecases.ports import (
    ProviderAnswerUnexpectedError,
    ProviderAtWorkError,
    ProviderOutcomeUnknownError,
    ProviderRefusedError,
)
from payment.usecases.record_charge import record_charge
from payment.usecases.return_charges import return_charges
from payment.usecases.return_review import ReturnReview, return_review
from payment_testing.operations import authorize
from payment_testing.providers import OddProvider, charge_of, top_up_for

HOUR_S = 3_600


async def hold_for(place, people):
    async with place.app.begin() as tx:
        holds = [authorize(person, 100) for person in people]
        await tx.ledger.apply(holds)
    return [hold.hold_id for hold in holds]


async def test_a_hold_that_cannot_be_expired_stops_no_other(place):
    people = [await place.person(1_000) for _ in range(9)]
    holds = await hold_for(place, people)
    await place.poison("hold", f"OLD.id = '{holds[4]}'")
    place.clock.advance(HOUR_S)
    assert await expire_holds(place.app.begin) == 8
    assert [await place.money(person) for person in people] == [(1_000, 0)] * 4 + [(1_000, 100)] + [(1_000, 0)] * 4
    assert await place.failures() == [("expire_holds", str(holds[4]), 1)]
    assert await expire_holds(place.app.begin) == 0  # it rests
    place.clock.advance(31)
    await expire_holds(place.app.begin)
    assert await place.failures() == [("expire_holds", str(holds[4]), 2)]
    async with place.app.database.read() as conn:
        late = [finding.examples for finding in await check_invariants(conn, LATE) if finding.count]
    assert late == [[str(holds[4])]]
    await place.heal("hold")
    place.clock.advance(61)
    assert await expire_holds(place.app.begin) == 1
    assert await place.failures() == []
    assert await place.money(people[4]) == (1_000, 0)


async def test_control_in_one_batch_the_row_stops_all(place):
    people = [await place.person(1_000) for _ in range(3)]
    holds = await hold_for(place, people)
    await place.poison("hold", f"OLD.id = '{holds[1]}'")
    place.clock.advance(HOUR_S)
    with pytest.raises(asyncpg.RaiseError, match="poisoned"):
        async with place.app.begin() as tx:
            await tx.ledger.apply([Expire(hold_id=hold_id) for hold_id in holds])
    assert [await place.money(person) for person in people] == [(1_000, 100)] * 3


async def test_of_many_poisoned_holds_each_rests_and_the_others_are_done(place):
    people = [await place.person(1_000) for _ in range(20)]
    holds = await hold_for(place, people)
    bad = [holds[place_] for place_ in (0, 1, 7, 8, 19)]
    await place.poison("hold", " OR ".join(f"OLD.id = '{hold_id}'" for hold_id in bad))
    place.clock.advance(HOUR_S)
    assert await expire_holds(place.app.begin) == 15
    assert [item for _, item, _ in await place.failures()] == sorted(map(str, bad))


async def due_top_ups(place):
    async with place.app.begin() as tx:
        return await tx.top_ups.due(place.clock.now(), count=10)


async def test_a_top_up_that_cannot_be_driven_stops_no_other(place):
    people = [await place.person() for _ in range(5)]
    asked = [await top_up_for(place.app.begin, person) for person in people]
    provider = OddProvider(bad=asked[2])
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    assert [await place.money(person) for person in people] == [(500, 0)] * 2 + [(0, 0)] + [(500, 0)] * 2
    assert await place.failures() == [("drive_top_ups", str(asked[2]), 1)]
    assert await drive_top_ups(place.app.begin, {"sandbox": provider}) == 0  # it rests
    provider.bad = None
    place.clock.advance(31)
    assert await drive_top_ups(place.app.begin, {"sandbox": provider}) == 1
    assert await place.money(people[2]) == (500, 0)
    assert await place.failures() == []


async def test_a_provider_that_answers_what_was_not_agreed_on_is_told_to_operators_and_asked_ever_less(place):
    person = await place.person()
    asked = await top_up_for(place.app.begin, person)
    provider = OddProvider(bad=asked, error=ProviderAnswerUnexpectedError("amount_minor is a whole number from 1"))
    rests = []
    for attempts in range(1, 8):
        assert await drive_top_ups(place.app.begin, {"sandbox": provider}) == 1
        assert await place.failures() == [("drive_top_ups", str(asked), attempts)]
        rests.append(0)
        while not await due_top_ups(place):
            place.clock.advance(30)
            rests[-1] += 30
    assert rests == [30, 60, 120, 240, 480, 960, 1_920]
    assert await place.money(person) == (0, 0)
    provider.bad = None
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    assert await place.money(person) == (500, 0)
    assert await place.failures() == []


async def due_reviews(place):
    async with place.app.begin() as tx:
        return await tx.reviews.due(place.clock.now(), count=10)


@pytest.mark.parametrize("of_a_refund", [False, True])
async def test_a_row_that_fails_and_meets_an_outage_in_turn_stays_written_down_and_rests_ever_longer(
    place, of_a_refund
):
    if of_a_refund:
        item, due, job, name = await review_for(place, uuid4()), due_reviews, return_charges, "return_charges"
    else:
        item = await top_up_for(place.app.begin, await place.person())
        due, job, name = due_top_ups, drive_top_ups, "drive_top_ups"
    provider = OddProvider(bad=item)
    first, rests = place.clock.now(), []
    for attempts in range(1, 6):
        provider.error = ProviderAnswerUnexpectedError("401")
        await job(place.app.begin, {"sandbox": provider})
        assert await place.failures() == [(name, str(item), attempts)]
        rests.append(0)
        while not await due(place):
            place.clock.advance(30)
            rests[-1] += 30
        provider.error = ProviderOutcomeUnknownError("503")
        await job(place.app.begin, {"sandbox": provider})
        assert await place.failures() == [(name, str(item), attempts)]
        async with place.app.database.read() as conn:
            row = await conn.fetchrow("SELECT error, failed_first_at, next_attempt_at FROM job_failure")
        assert "401" in row["error"]
        assert row["failed_first_at"] == first
        assert row["next_attempt_at"] > place.clock.now()  # no time that is over
        while not await due(place):
            place.clock.advance(1)
    assert rests == [30, 60, 120, 240, 480]
    provider.bad = None
    await job(place.app.begin, {"sandbox": provider})
    assert await place.failures() == []


async def test_a_row_that_another_worker_is_at_keeps_what_was_written_down_of_it(place, monkeypatch):
    asked = await top_up_for(place.app.begin, await place.person())
    provider = OddProvider(bad=asked, error=ProviderAnswerUnexpectedError("401"))

    async def both_due(self, now, *, count):
        return [asked]

    monkeypatch.setattr(TopUpStore, "due", both_due)
    for _ in range(2):  # the second finds the row leased
        await drive_top_ups(place.app.begin, {"sandbox": provider})
    assert provider.asked == [asked]
    assert await place.failures() == [("drive_top_ups", str(asked), 1)]


async def test_a_refund_that_the_provider_is_at_is_no_failure_any_more(place):
    review = await review_for(place, uuid4())
    provider = OddProvider(bad=review, error=ProviderAnswerUnexpectedError("401"))
    await return_charges(place.app.begin, {"sandbox": provider})
    provider.error = ProviderAtWorkError("pending")
    place.clock.advance(31)
    await return_charges(place.app.begin, {"sandbox": provider})
    assert await place.failures() == []
    assert await due_reviews(place) == []


async def test_an_outage_of_the_provider_is_nothing_to_tell_operators_of_each_row(place):
    person = await place.person()
    asked = await top_up_for(place.app.begin, person)
    provider = OddProvider(bad=asked, error=ProviderOutcomeUnknownError("503"))
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    assert await place.failures() == []
    place.clock.advance(1)
    assert await due_top_ups(place) == [asked]


async def test_a_refund_that_is_answered_with_another_is_told_to_operators(place):
    review = await review_for(place, uuid4())
    provider = OddProvider(bad=review, error=ProviderAnswerUnexpectedError("a refund of something else was answered"))
    await return_charges(place.app.begin, {"sandbox": provider})
    assert await place.failures() == [("return_charges", str(review), 1)]
    provider.bad = None
    place.clock.advance(61)
    assert await return_charges(place.app.begin, {"sandbox": provider}) == 1
    assert await place.failures() == []


@pytest.mark.parametrize("when", ["true", "NEW.state = 'completed'"])  # already at its lease, or at its end
async def test_a_top_up_whose_row_fails_or_whose_provider_is_gone_stops_no_other(place, when):
    people = [await place.person() for _ in range(4)]
    asked = [
        await top_up_for(place.app.begin, people[0], "of-yesterday"),
        *[await top_up_for(place.app.begin, each) for each in people[1:]],
    ]
    await place.poison("top_up", f"NEW.id = '{asked[2]}' AND {when}")
    await drive_top_ups(place.app.begin, {"sandbox": OddProvider()})
    assert [await place.money(person) for person in people] == [(0, 0), (500, 0), (0, 0), (500, 0)]
    failed = {item for job, item, _ in await place.failures() if job == "drive_top_ups"}
    assert failed == {str(asked[0]), str(asked[2])}


async def review_for(place, person) -> UUID:
    """A charge of nobody, which an operator sent back."""
    charge_id = f"ch_{uuid4().hex}"
    charge = Charge(
        provider="sandbox",
        charge_id=charge_id,
        reference_id=None,
        amount_minor=70,
        currency="THB",
        status=ChargeStatus.SUCCEEDED,
    )
    async with place.app.begin() as tx:
        await record_charge(charge, tx)
    async with place.app.begin() as tx:
        review_id = await tx.conn.fetchval("SELECT transfer_id FROM provider_line WHERE charge_id = $1", charge_id)
        await return_review(ReturnReview(review_id=review_id, by=str(person), note="nobody's"), tx)
    return review_id


async def test_a_charge_that_cannot_be_returned_stops_no_other(place):
    reviews = [await review_for(place, uuid4()) for _ in range(4)]
    provider = OddProvider(bad=reviews[1])
    assert await return_charges(place.app.begin, {"sandbox": provider}) == 4
    assert await place.failures() == [("return_charges", str(reviews[1]), 1)]
    states = "SELECT transfer_id, review_state FROM provider_line"
    async with place.app.database.read() as conn:
        found = {row["transfer_id"]: row["review_state"] for row in await conn.fetch(states)}
    assert [found[each] for each in reviews] == ["returned", "returning", "returned", "returned"]
    provider.bad = None
    place.clock.advance(61)
    assert await return_charges(place.app.begin, {"sandbox": provider}) == 1
    assert await place.failures() == []


async def test_a_charge_whose_row_fails_at_its_lease_stops_no_other(place):
    reviews = [await review_for(place, uuid4()) for _ in range(3)]
    await place.poison("provider_line", f"NEW.transfer_id = '{reviews[1]}'")
    provider = OddProvider()
    await return_charges(place.app.begin, {"sandbox": provider})
    assert sorted(provider.asked) == sorted([reviews[0], reviews[2]])
    assert await place.failures() == [("return_charges", str(reviews[1]), 1)]


async def test_two_workers_ask_once(place):
    people = [await place.person() for _ in range(8)]
    for person in people:
        await top_up_for(place.app.begin, person)
    provider = OddProvider()
    await asyncio.gather(*(drive_top_ups(place.app.begin, {"sandbox": provider}) for _ in range(3)))
    assert sorted(provider.asked) == sorted(set(provider.asked))
    assert len(provider.asked) == 8
    assert [await place.money(person) for person in people] == [(500, 0)] * 8


async def test_a_month_that_cannot_be_made_stops_no_other(place):
    """Rows of July are in the default partition: its own cannot be made before they are moved."""
    place.clock.advance(400 * 24 * HOUR_S)  # July 2027
    person = await place.person()
    await place.admin.execute(
        "INSERT INTO payment.wallet_transaction (wallet_id, created_at, id, user_id, type, status, amount_minor, currency)"
        " VALUES ($1, $2, $3, $4, 'topup', 'pending', 1, 'THB')",
        wallet_id(person, "THB"),
        place.clock.now() + timedelta(days=31),
        uuid4(),
        person,
    )
    await jobs.transaction_months(place.app)
    made = "SELECT count(*) FROM pg_tables WHERE tablename = ANY ($1::text[])"
    names = [f"wallet_transaction_2027_{month:02}" for month in (7, 8, 9)]
    assert [await place.admin.fetchval(made, [name]) for name in names] == [1, 0, 1]
    assert await place.failures() == [("transaction_months", str(date(2027, 8, 1)), 1)]


async def test_a_table_that_cannot_be_cleaned_stops_no_other(place):
    old = place.clock.now() - timedelta(days=31)
    await place.admin.execute("INSERT INTO payment.refusal VALUES ($1, 13, $2, $1)", uuid4(), old)
    await place.admin.execute("INSERT INTO payment.provider_event VALUES ('sandbox', 'evt_old', $1)", old)
    await place.admin.execute(
        "CREATE FUNCTION payment.poisoned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poisoned'; END $$"
    )
    await place.admin.execute(
        "CREATE TRIGGER poisoned BEFORE DELETE ON payment.refusal FOR EACH ROW EXECUTE FUNCTION payment.poisoned()"
    )
    await jobs.forget_old(place.app)
    assert await place.admin.fetchval("SELECT count(*) FROM payment.provider_event") == 0
    assert await place.failures() == [("forget_old", "refusal", 1)]
    await place.heal("refusal")
    await jobs.forget_old(place.app)
    assert await place.admin.fetchval("SELECT count(*) FROM payment.refusal") == 0
    assert await place.failures() == []


async def test_what_waits_for_a_person_is_in_the_gauges(place):
    person = await place.person(1_000)
    [hold] = await hold_for(place, [person])
    await place.poison("hold", f"OLD.id = '{hold}'")
    await review_for(place, person)
    charge = Charge(
        provider="sandbox",
        charge_id="ch_open",
        reference_id=derived_id(person, "nothing"),
        amount_minor=70,
        currency="THB",
        status=ChargeStatus.SUCCEEDED,
    )
    async with place.app.begin() as tx:
        await record_charge(charge, tx)
    place.clock.advance(HOUR_S)
    await expire_holds(place.app.begin)
    await jobs.gauges(place.app)
    assert jobs.FAILING.labels("expire_holds")._value.get() == 1
    assert jobs.IN_REVIEW._value.get() == 1
    assert jobs.IN_REVIEW_AGE_S._value.get() == HOUR_S
    assert jobs.OPEN_AGE_S._value.get() == 0


async def test_a_top_up_without_an_outcome_is_in_the_gauge_until_it_has_one(place):
    asked = await top_up_for(place.app.begin, await place.person())
    provider = OddProvider(bad=asked, error=ProviderOutcomeUnknownError("401"))
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    place.clock.advance(25 * HOUR_S)
    await jobs.gauges(place.app)
    assert jobs.OPEN_AGE_S._value.get() == 25 * HOUR_S
    await drive_top_ups(place.app.begin, {"sandbox": provider})  # it knows of no charge
    await jobs.gauges(place.app)
    assert jobs.OPEN_AGE_S._value.get() == 0


async def test_the_age_of_a_charge_that_was_sent_back_and_never_arrives_is_in_its_gauge(place):
    review = await review_for(place, uuid4())
    provider = OddProvider(bad=review, error=ProviderOutcomeUnknownError("503"))
    for _ in range(3):
        place.clock.advance(HOUR_S)
        await return_charges(place.app.begin, {"sandbox": provider})
    await jobs.gauges(place.app)
    assert jobs.RETURNING_AGE_S._value.get() == 3 * HOUR_S
    assert jobs.IN_REVIEW._value.get() == 0
    provider.bad = None
    place.clock.advance(HOUR_S)
    await return_charges(place.app.begin, {"sandbox": provider})
    await jobs.gauges(place.app)
    assert jobs.RETURNING_AGE_S._value.get() == 0


async def test_a_refund_that_failed_opens_the_review_so_that_it_can_be_decided_anew(place):
    review = await review_for(place, uuid4())
    provider = OddProvider(bad=review, error=ProviderRefusedError("failed"))
    await return_charges(place.app.begin, {"sandbox": provider})
    async with place.app.begin() as tx:
        found = await tx.reviews.find(review)
        assert found.state is ReviewState.OPEN
        await return_review(ReturnReview(review_id=review, by="ops", note="once more"), tx)
    provider.bad = None
    assert await return_charges(place.app.begin, {"sandbox": provider}) == 1
    async with place.app.begin() as tx:
        assert (await tx.reviews.find(review)).state is ReviewState.RETURNED


async def failing_top_up(place):
    asked = await top_up_for(place.app.begin, await place.person())
    provider = OddProvider(bad=asked, error=ProviderAnswerUnexpectedError("401"))
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    await jobs.gauges(place.app)
    assert jobs.FAILING.labels("drive_top_ups")._value.get() == 1
    return asked


async def test_a_failure_is_over_in_the_transaction_that_ends_its_top_up_another_way(place):
    asked = await failing_top_up(place)
    async with place.app.begin() as tx:
        await record_charge(charge_of(asked, "ch_by_webhook"), tx)
    assert await place.failures() == []
    await jobs.gauges(place.app)
    assert jobs.FAILING.labels("drive_top_ups")._value.get() == 0


async def test_a_failure_that_is_written_down_after_the_end_of_its_row_is_forgotten(place):
    asked = await failing_top_up(place)
    still_failing = await failing_top_up_beside(place)
    person = await place.person(1_000)
    [hold] = await hold_for(place, [person])
    async with place.app.begin() as tx:
        await record_charge(charge_of(asked, "ch_by_webhook"), tx)
        now = place.clock.now()
        for job, item in (
            ("drive_top_ups", asked),
            ("return_charges", uuid4()),
            ("expire_holds", uuid4()),
            ("expire_holds", hold),
            ("forget_old", "refusal"),
        ):
            await tx.job_failures.record(job, str(item), "late", now)
    left = {
        ("drive_top_ups", str(still_failing)),
        ("expire_holds", str(hold)),
        ("forget_old", "refusal"),
    }
    await jobs.forget_done_failures(place.app)
    # What was written down of a top-up may be of a charge that is in no book: it stays until its provider was asked.
    assert {each[:2] for each in await place.failures()} == left | {("drive_top_ups", str(asked))}
    place.clock.advance(31)
    provider = OddProvider()
    provider.known = [charge_of(asked, "ch_by_webhook")]
    assert await confirm_top_ups(place.app.begin, {"sandbox": provider}) == 1
    async with place.app.begin() as tx:
        await tx.job_failures.record("drive_top_ups", str(asked), "late", place.clock.now())
    await jobs.forget_done_failures(place.app)
    assert {each[:2] for each in await place.failures()} == left


async def failing_top_up_beside(place):
    asked = await top_up_for(place.app.begin, await place.person())
    provider = OddProvider(bad=asked, error=ProviderAnswerUnexpectedError("401"))
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    return asked


async def test_a_success_listed_after_a_failed_charge_is_not_lost(place):
    person = await place.person()
    asked = await top_up_for(place.app.begin, person)
    provider = OddProvider(bad=asked, error=ProviderOutcomeUnknownError("503"))
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    provider.known = [
        charge_of(asked, "ch_declined", ChargeStatus.FAILED),
        charge_of(asked, "ch_paid"),
        charge_of(asked, "ch_paid_again"),
    ]
    place.clock.advance(60)
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    assert await place.money(person) == (500, 0)
    async with place.app.database.read() as conn:
        lines = await conn.fetch("SELECT charge_id, suspense_reason FROM provider_line ORDER BY charge_id")
    assert [tuple(line) for line in lines] == [("ch_paid", None), ("ch_paid_again", "second_charge")]


async def test_a_charge_in_the_books_as_anothers_is_told_to_operators_and_asked_for_ever_less(place):
    others, mine = [await top_up_for(place.app.begin, await place.person()) for _ in range(2)]
    async with place.app.begin() as tx:
        await record_charge(charge_of(others, "ch_one"), tx)
    provider = OddProvider(bad=mine, error=ProviderOutcomeUnknownError("503"))
    await drive_top_ups(place.app.begin, {"sandbox": provider})
    provider.known = [charge_of(mine, "ch_one")]
    rests = []
    for attempts in range(1, 5):
        while not await due_top_ups(place):
            place.clock.advance(30)
            if rests:
                rests[-1] += 30
        await drive_top_ups(place.app.begin, {"sandbox": provider})
        assert await place.failures() == [("drive_top_ups", str(mine), attempts)]
        rests.append(0)
    assert rests[:-1] == [30, 60, 120]


async def test_a_failure_that_cannot_be_written_down_is_not_swallowed(place):
    async def work(_: Sequence[int]) -> None:
        raise RuntimeError("always")

    await place.admin.execute("ALTER TABLE payment.job_failure RENAME TO job_failure_away")
    with pytest.raises(asyncpg.UndefinedTableError):
        await attempt_batch("test", [1, 2, 3], work, place.app.begin, name=str)
    await place.admin.execute("ALTER TABLE payment.job_failure_away RENAME TO job_failure")
