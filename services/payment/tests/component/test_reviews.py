"""A provider's late or ill-fitting word: the money is in review, the person sees it and is told, and it comes to an end."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from payment.adapters import review_store, top_up_store
from payment.domain.accounts import wallet_id
from payment.usecases.record_charge import CONTRADICTIONS
from payment.usecases.suspend_payer import SuspendPayer, suspend_payer
from payment_testing.people import balance
from testkit.wait import eventually

OPS_PATH = "/v1/ops/payment/charges-in-review"
WHY = {"reason": "seen with the provider"}


@pytest.fixture
async def person(world):
    await world.behave()
    yield await world.person()
    await world.behave()


@pytest.fixture
def operator(world):
    return world.token(uuid4(), roles=["ops"])


async def ask(world, person, amount_minor=5_000, paid_with="tok_visa"):
    body = {"amount": {"amount_minor": amount_minor, "currency": "THB"}, "payment_token": paid_with}
    asked = await world.call("POST", "/v1/top-ups", body, token=world.token(person))
    assert asked.status == 202, asked.content
    return asked.json["top_up_id"]


async def seen(world, person, top_up_id):
    """Status and failure code of the top-up, as the person sees them."""
    answered = await world.call("GET", f"/v1/top-ups/{top_up_id}", token=world.token(person))
    return answered.json["status"], answered.json["failure_code"]


async def becomes(world, person, top_up_id, status):
    async def look():
        return (await seen(world, person, top_up_id))[0] == status

    await eventually(look, timeout_s=30, what=f"a top-up that is {status}")


async def refused_top_up(world, person, amount_minor=5_000):
    top_up_id = await ask(world, person, amount_minor, paid_with="tok_declined")
    await becomes(world, person, top_up_id, "failed")
    return top_up_id


async def history(world, person):
    """(status, amount, failure code, balance after) of the wallet's transactions, oldest first."""
    path = f"/v1/wallets/{wallet_id(person, 'THB')}/transactions"
    items = (await world.call("GET", path, token=world.token(person))).json["items"]
    return [
        (
            each["status"],
            each["amount"]["amount_minor"],
            each["failure_code"],
            each["balance_after"] and each["balance_after"]["amount_minor"],
        )
        for each in reversed(items)
    ]


async def told(world, top_up_id):
    """What is told of the top-up, in order, with its versions."""
    async with world.app.database.read() as conn:
        rows = await conn.fetch(
            "SELECT type, aggregate_version FROM outbox WHERE key = $1 ORDER BY aggregate_version", top_up_id
        )
    return [(row["type"].rpartition(".")[2], row["aggregate_version"]) for row in rows]


async def money(world, person):
    async with world.app.database.read() as conn:
        return await balance(conn, person)


async def review_of(world, operator, charge_id):
    page = await world.call("GET", f"{OPS_PATH}?limit=100", token=operator)
    assert page.status == 200, page.content
    [found] = [each for each in page.json["items"] if each["charge_id"] == charge_id]
    return found


async def act(world, operator, review, what, **options):
    return await world.call("POST", f"{OPS_PATH}/{review['review_id']}/{what}", WHY, token=operator, **options)


@pytest.mark.parametrize("reason", ["   ", "\u3164" * 3, "\u2800" * 3, "\u200d" * 3])
async def test_who_decides_says_why_in_words_that_show(world, person, operator, reason):
    top_up_id = await refused_top_up(world, person)
    charge_id = f"ch_{top_up_id}"
    assert (await world.provider_says(top_up_id, charge_id=charge_id)).status == 204
    review = await review_of(world, operator, charge_id)
    for what in ("credit", "send-back"):
        path = f"{OPS_PATH}/{review['review_id']}/{what}"
        answer = await world.call("POST", path, {"reason": reason}, token=operator)
        assert (answer.status, answer.code) == (422, "request.body.invalid")
    assert (await review_of(world, operator, charge_id))["status"] == "open"


async def test_a_success_after_the_refusal_is_in_review_seen_told_and_credited(world, person, operator):
    top_up_id = await refused_top_up(world, person)
    assert (await world.provider_says(top_up_id, charge_id="ch_late")).status == 204
    assert await seen(world, person, top_up_id) == ("in_review", "paid_after_end")
    assert await history(world, person) == [("processing", 5_000, "paid_after_end", None)]
    review = await review_of(world, operator, "ch_late")
    assert (review["reason"], review["status"], review["user_id"]) == ("paid_after_end", "open", str(person))
    assert await money(world, person) == (0, 0)

    credited = await act(world, operator, review, "credit")
    assert (credited.status, credited.json["status"]) == (200, "credited"), credited.content
    assert credited.json["note"] == WHY["reason"]
    assert await seen(world, person, top_up_id) == ("completed", None)
    assert await history(world, person) == [("completed", 5_000, None, 5_000)]
    assert await money(world, person) == (5_000, 0)
    assert await told(world, top_up_id) == [("TopUpFailed", 2), ("TopUpInReview", 3), ("TopUpCompleted", 4)]
    for what in ("credit", "send-back"):
        again = await act(world, operator, review, what)
        assert (again.status, again.code) == (409, "payment.review.decided")
    # Its own later words change nothing.
    contradicted = CONTRADICTIONS.labels("sandbox")._value.get()
    for word in ({}, {"status": "pending"}, {"status": "failed"}, {"amount_minor": 9}, {"currency": "USD"}):
        assert (await world.provider_says(top_up_id, charge_id="ch_late", **word)).status == 204
    assert CONTRADICTIONS.labels("sandbox")._value.get() == contradicted + 3
    assert await money(world, person) == (5_000, 0)


async def test_what_is_sent_back_is_given_to_the_payer_and_said_so(world, person, operator):
    await world.behave(wrong_amount_minor=-100)
    top_up_id = await ask(world, person)
    await becomes(world, person, top_up_id, "in_review")
    [charge] = [each for each in (await world.provider("/payments/charges"))["items"] if each["reference"] == top_up_id]
    review = await review_of(world, operator, charge["charge_id"])
    assert (review["reason"], review["amount"]["amount_minor"]) == ("amount_mismatch", 4_900)
    assert await history(world, person) == [("processing", 4_900, "amount_mismatch", None)]
    await world.behave(unavailable_next=1, fail_after_success_next=1)  # unknown twice, done the first time
    asked = await act(world, operator, review, "send-back")
    assert (asked.status, asked.json["status"]) == (202, "returning")
    await becomes(world, person, top_up_id, "failed")
    assert await seen(world, person, top_up_id) == ("failed", "money_returned")
    assert [each[:2] for each in await history(world, person)] == [("failed", 4_900)]
    assert [name for name, _ in await told(world, top_up_id)] == ["TopUpInReview", "TopUpReturned"]
    assert await money(world, person) == (0, 0)
    ended = await world.call("GET", f"{OPS_PATH}/{review['review_id']}", token=operator)
    assert ended.json["status"] == "returned"


async def test_what_the_provider_does_not_give_back_is_open_again_and_can_be_credited(world, person, operator):
    top_up_id = await refused_top_up(world, person)
    await world.provider_says(top_up_id, charge_id="ch_unknown_to_the_provider")
    review = await review_of(world, operator, "ch_unknown_to_the_provider")
    assert (await act(world, operator, review, "send-back")).status == 202

    async def refused():
        found = await review_of(world, operator, "ch_unknown_to_the_provider")
        return found["status"] == "open" and "no_such_charge" in found["note"]

    await eventually(refused, timeout_s=30, what="a charge open again")
    assert (await act(world, operator, review, "credit")).status == 200
    assert await money(world, person) == (5_000, 0)


async def test_a_second_charge_is_a_transaction_of_its_own(world, person, operator):
    top_up_id = await ask(world, person)
    await becomes(world, person, top_up_id, "completed")
    for charge_id in ("ch_second", "ch_third"):
        await world.provider_says(top_up_id, charge_id=charge_id, amount_minor=700)
    assert await seen(world, person, top_up_id) == ("completed", None)
    in_review = ("processing", 700, "second_charge", None)
    assert await history(world, person) == [("completed", 5_000, None, 5_000), in_review, in_review]
    assert (await act(world, operator, await review_of(world, operator, "ch_second"), "credit")).status == 200
    assert (await history(world, person))[1] == ("completed", 700, None, 5_700)
    assert await money(world, person) == (5_700, 0)
    await act(world, operator, await review_of(world, operator, "ch_third"), "send-back")  # the sandbox never took it
    names = [name for name, _ in await told(world, top_up_id)]
    assert names == ["TopUpCompleted", "TopUpInReview", "TopUpInReview", "TopUpCompleted"]


async def test_another_currency_can_only_be_sent_back(world, person, operator):
    top_up_id = await refused_top_up(world, person)
    await world.provider_says(top_up_id, charge_id="ch_dong", currency="VND")
    review = await review_of(world, operator, "ch_dong")
    credit = await act(world, operator, review, "credit")
    assert (credit.status, credit.code) == (422, "payment.transfer.currency_mismatch")


async def test_a_charge_of_nobody_can_only_be_sent_back(world, person, operator):
    for reference in (uuid4(), "not-one-of-ours"):
        charge_id = f"ch_{uuid4().hex}"
        await world.provider_says(reference, charge_id=charge_id)
        review = await review_of(world, operator, charge_id)
        assert (review["reason"], review["user_id"]) == ("unknown_reference", None)
        credit = await act(world, operator, review, "credit")
        assert (credit.status, credit.code) == (409, "payment.review.nobody_to_credit")


async def test_money_for_an_account_that_ended_is_kept_apart(world, person, operator):
    await world.behave(unavailable_next=1_000)  # nothing is taken while the account ends
    top_up_id = await ask(world, person)
    async with world.app.begin() as tx:
        await suspend_payer(SuspendPayer(user_id=person), tx)
    await world.provider_says(top_up_id, charge_id="ch_of_the_ended")
    # The provider's word meets the top-up before the job has ended it for the same reason, or after.
    assert await seen(world, person, top_up_id) in {("in_review", "wallet_not_active"), ("in_review", "paid_after_end")}
    assert await money(world, person) == (0, 0)
    credit = await act(world, operator, await review_of(world, operator, "ch_of_the_ended"), "credit")
    assert (credit.status, credit.code) == (409, "payment.wallet.not_active")


async def test_a_provider_is_not_asked_for_an_account_that_ended(world, person):
    await world.behave(unavailable_next=1_000)
    top_up_id = await ask(world, person)
    async with world.app.begin() as tx:
        await suspend_payer(SuspendPayer(user_id=person), tx)
    await world.behave()
    await becomes(world, person, top_up_id, "failed")
    assert await seen(world, person, top_up_id) == ("failed", "wallet_not_active")
    charges = (await world.provider("/payments/charges"))["items"]
    assert top_up_id not in {each["reference"] for each in charges}


async def test_of_many_decisions_at_once_one_is_taken(world, person, operator):
    top_up_id = await refused_top_up(world, person)
    await world.provider_says(top_up_id, charge_id="ch_race")
    review = await review_of(world, operator, "ch_race")
    answers = await asyncio.gather(*(act(world, operator, review, "credit") for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    assert await money(world, person) == (5_000, 0)


async def test_control_without_locks_more_than_one_is_taken(world, person, operator, monkeypatch):
    """The money moves once all the same: the ledger knows the operation."""
    top_up_id = await refused_top_up(world, person)
    await world.provider_says(top_up_id, charge_id="ch_race_unlocked")
    review = await review_of(world, operator, "ch_race_unlocked")

    async def unlocked(self, top_up_id):
        row = await self._conn.fetchrow(f"SELECT {top_up_store._COLUMNS} FROM top_up WHERE id = $1", top_up_id)
        return top_up_store._top_up(row)

    monkeypatch.setattr(review_store.ReviewStore, "lock", review_store.ReviewStore.find)
    monkeypatch.setattr(top_up_store.TopUpStore, "lock", unlocked)
    answers = await asyncio.gather(*(act(world, operator, review, "credit") for _ in range(8)))
    assert [answer.status for answer in answers].count(200) > 1
    assert await money(world, person) == (5_000, 0)


async def test_reviews_are_for_operators(world, person, operator):
    for token, status in ((world.token(person), 403), (operator, 200)):
        assert (await world.call("GET", OPS_PATH, token=token)).status == status
        assert (await world.call("GET", "/v1/ops/payment/job-failures", token=token)).status == status
    for path in (f"{OPS_PATH}/{uuid4()}/credit", f"{OPS_PATH}/{uuid4()}/send-back"):
        assert (await world.call("POST", path, WHY, token=world.token(person))).status == 403
        missing = await world.call("POST", path, WHY, token=operator)
        assert (missing.status, missing.code) == (404, "payment.review.not_found")


async def test_the_list_goes_on_where_a_page_ended(world, operator):
    for _ in range(3):
        await world.provider_says(uuid4())
    first = (await world.call("GET", f"{OPS_PATH}?limit=2", token=operator)).json
    rest = (await world.call("GET", f"{OPS_PATH}?limit=100&cursor={first['next_cursor']}", token=operator)).json
    ids = [each["review_id"] for each in (*first["items"], *rest["items"])]
    assert len(ids) == len(set(ids)) >= 3
