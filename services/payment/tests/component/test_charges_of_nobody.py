"""A charge of nobody becomes the top-up's that its provider names later, once, wherever it is by then."""

from __future__ import annotations

from payment.adapters.review_store import ReviewStore
from payment.domain.top_up import TopUpState, Verdict
from payment.usecases.credit_review import CreditReview, credit_review
from payment.usecases.drive_top_ups import drive_top_ups
from payment.usecases.load_review import load_review
from payment.usecases.record_charge import record_charge
from payment.usecases.return_charges import return_charges
from payment.usecases.return_review import ReturnReview, return_review
from payment_testing.providers import OddProvider, charge_of, top_up_for


async def attached(place):
    """A top-up whose charge came under a reference of nobody, and is said to be its own by the poll."""
    person = await place.person()
    asked = await top_up_for(place.app.begin, person)
    async with place.app.begin() as tx:
        await record_charge(charge_of(None, f"ch_{asked.hex}"), tx)
        review = await tx.conn.fetchval("SELECT transfer_id FROM provider_line WHERE charge_id = $1", f"ch_{asked.hex}")
    return person, asked, review


async def say_whose(place):
    await drive_top_ups(place.app.begin, {"sandbox": OddProvider()})


async def state_of(place, asked):
    async with place.app.begin() as tx:
        found = await tx.top_ups.lock(asked)
        told = await tx.conn.fetch("SELECT type FROM outbox WHERE key = $1 ORDER BY aggregate_version", str(asked))
    return found.state, found.failure_code, [row["type"].rpartition(".")[2] for row in told]


async def test_a_charge_of_nobody_is_the_top_ups_that_the_provider_names_later_and_can_be_credited(place):
    person, asked, review = await attached(place)
    await say_whose(place)
    assert await state_of(place, asked) == (TopUpState.IN_REVIEW, "unknown_reference", ["TopUpInReview"])
    async with place.app.begin() as tx:
        assert await tx.top_ups.due(place.clock.now(), count=10) == []
    assert await place.failures() == []
    async with place.app.begin() as tx:
        await record_charge(charge_of(asked, f"ch_{asked.hex}"), tx)  # said again: nothing new
        await credit_review(CreditReview(review_id=review, by="ops", note="theirs"), tx)
    assert await place.money(person) == (500, 0)
    assert await state_of(place, asked) == (TopUpState.COMPLETED, "", ["TopUpInReview", "TopUpCompleted"])


async def test_whose_a_charge_on_its_way_back_was_is_told_when_it_is_back(place):
    person, asked, review = await attached(place)
    async with place.app.begin() as tx:
        await return_review(ReturnReview(review_id=review, by="ops", note="nobody's"), tx)
    await say_whose(place)
    assert (await state_of(place, asked))[0] is TopUpState.IN_REVIEW
    await return_charges(place.app.begin, {"sandbox": OddProvider()})
    ended = (TopUpState.FAILED, "money_returned", ["TopUpInReview", "TopUpReturned"])
    assert await state_of(place, asked) == ended
    assert await place.money(person) == (0, 0)


async def test_whose_a_charge_was_that_is_back_is_told_at_once(place):
    _, asked, review = await attached(place)
    async with place.app.begin() as tx:
        await return_review(ReturnReview(review_id=review, by="ops", note="nobody's"), tx)
    await return_charges(place.app.begin, {"sandbox": OddProvider()})
    await say_whose(place)
    assert await state_of(place, asked) == (
        TopUpState.FAILED,
        "money_returned",
        ["TopUpInReview", "TopUpReturned"],
    )


async def test_whose_a_charge_is_may_be_said_between_the_reads_of_a_decision(place, monkeypatch):
    _, asked, review = await attached(place)
    found = ReviewStore.find

    async def find_then_attach(self, review_id):
        seen = await found(self, review_id)
        monkeypatch.setattr(ReviewStore, "find", found)
        await say_whose(place)
        return seen

    async with place.app.begin() as tx:
        await return_review(ReturnReview(review_id=review, by="ops", note="nobody's"), tx)
    monkeypatch.setattr(ReviewStore, "find", find_then_attach)
    async with place.app.begin() as tx:
        loaded, top_up = await load_review(review, tx)
    assert (loaded.top_up_id, top_up.id) == (asked, asked)


async def both_claim(place):
    """Two top-ups of which each is said to be whose a charge of nobody is, at the same time; their states."""
    one, other = [await top_up_for(place.app.begin, await place.person()) for _ in range(2)]
    async with place.app.begin() as tx:
        await record_charge(charge_of(None, f"ch_{one.hex}"), tx)
    verdicts = await place.told_at_once(*(charge_of(each, f"ch_{one.hex}") for each in (one, other)))
    return verdicts, [(await state_of(place, each))[0] for each in (one, other)]


async def test_of_two_top_ups_that_claim_a_charge_of_nobody_one_has_it(place):
    verdicts, states = await both_claim(place)
    assert verdicts == [Verdict.ATTACH, Verdict.CONTRADICTED]
    assert states == [TopUpState.IN_REVIEW, TopUpState.CREATED]


async def test_control_without_looking_whose_it_is_both_have_it(place, monkeypatch):
    async def unchecked(self, review_id, top_up_id, *, was, reason, shown_as):
        await self._conn.execute(
            "UPDATE provider_line SET reference_id = $2, suspense_reason = $3, shown_as = $4 WHERE transfer_id = $1",
            review_id,
            top_up_id,
            reason,
            shown_as,
        )
        return await self.find(review_id)

    monkeypatch.setattr(ReviewStore, "attach", unchecked)
    assert await both_claim(place) == ([Verdict.ATTACH] * 2, [TopUpState.IN_REVIEW] * 2)
