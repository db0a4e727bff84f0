"""Whatever a provider charges for a top-up, its resource, the wallet's history, the review and the books say the same."""

from __future__ import annotations

from uuid import uuid4

import pytest

from operations.invariants import broken, check_invariants, report
from payment.adapters.invariants import CHECKS
from payment.domain.accounts import wallet_id
from payment_testing.people import balance
from sampan.payment.v1 import top_up_pb2
from testkit.wait import eventually

OPS_PATH = "/v1/ops/payment/charges-in-review"
WHY = {"reason": "seen with the provider"}
ASKED, LESS, MORE = 5_000, 4_900, 5_200


@pytest.fixture
async def person(world):
    await world.behave()
    yield await world.person()
    await world.behave()


@pytest.fixture
def operator(world):
    return world.token(uuid4(), roles=["ops"])


async def ask(world, person, **behaviour):
    await world.behave(**behaviour)
    body = {"amount": {"amount_minor": ASKED, "currency": "THB"}, "payment_token": "tok_visa"}
    asked = await world.call("POST", "/v1/top-ups", body, token=world.token(person))
    assert (asked.status, asked.json["charged"]) == (202, None), asked.content
    return asked.json["top_up_id"]


async def charge_of(world, person, charged_minor, **data):
    """A top-up for which the provider charged that amount, whatever was asked for."""
    top_up_id = await ask(world, person, unavailable_next=1_000)
    assert (await world.provider_says(top_up_id, amount_minor=charged_minor, **data)).status == 204
    return top_up_id


async def top_up(world, person, top_up_id):
    answered = await world.call("GET", f"/v1/top-ups/{top_up_id}", token=world.token(person))
    assert answered.status == 200, answered.content
    return answered.json


async def seen(world, person, top_up_id):
    """(status, failure code, asked, charged) of the top-up's resource."""
    found = await top_up(world, person, top_up_id)
    charged = found["charged"] and found["charged"]["amount_minor"]
    return found["status"], found["failure_code"], found["amount"]["amount_minor"], charged


async def history(world, person):
    """(status, failure code, amount, balance after) of the wallet's transactions, oldest first."""
    path = f"/v1/wallets/{wallet_id(person, 'THB')}/transactions"
    items = (await world.call("GET", path, token=world.token(person))).json["items"]
    return [
        (
            each["status"],
            each["failure_code"],
            each["amount"]["amount_minor"],
            each["balance_after"] and each["balance_after"]["amount_minor"],
        )
        for each in reversed(items)
    ]


async def review_of(world, operator, top_up_id):
    page = await world.call("GET", f"{OPS_PATH}?limit=100", token=operator)
    [found] = [each for each in page.json["items"] if each["top_up_id"] == top_up_id]
    return found


async def decide(world, operator, top_up_id, what):
    review = await review_of(world, operator, top_up_id)
    return await world.call("POST", f"{OPS_PATH}/{review['review_id']}/{what}", WHY, token=operator)


async def told(world, top_up_id):
    """(name, amount) of every event of the top-up, in order."""
    events = []
    async with world.app.database.read() as conn:
        rows = await conn.fetch(
            "SELECT type, body FROM outbox WHERE key = $1 ORDER BY aggregate_version", str(top_up_id)
        )
    for row in rows:
        name = row["type"].rpartition(".")[2]
        events.append((name, getattr(top_up_pb2, name).FromString(row["body"]).amount.amount_minor))
    return events


async def books(world, person, top_up_id):
    """The wallet's balance, and what the provider's line says; the audit holds."""
    async with world.app.database.read() as conn:
        findings = await check_invariants(conn, CHECKS)
        line = await conn.fetchval("SELECT amount_minor FROM provider_line WHERE reference_id = $1::uuid", top_up_id)
        money = (await balance(conn, person))[0]
    assert not broken(findings), report(findings)
    return money, line


async def test_nothing_is_charged_while_the_provider_took_nothing(world, person):
    top_up_id = await ask(world, person, unavailable_next=1_000)
    assert await seen(world, person, top_up_id) == ("pending", None, ASKED, None)
    refusal = {"charge_id": "ch_refused", "status": "failed", "failure_code": "card_declined"}
    await world.provider_says(top_up_id, amount_minor=LESS, **refusal)
    assert await seen(world, person, top_up_id) == ("failed", "card_declined", ASKED, None)
    assert await history(world, person) == [("failed", "card_declined", ASKED, None)]
    assert await told(world, top_up_id) == [("TopUpFailed", ASKED)]
    assert await books(world, person, top_up_id) == (0, None)


async def test_as_much_as_was_asked_for(world, person):
    top_up_id = await charge_of(world, person, ASKED)
    assert await seen(world, person, top_up_id) == ("completed", None, ASKED, ASKED)
    assert await history(world, person) == [("completed", None, ASKED, ASKED)]
    assert await told(world, top_up_id) == [("TopUpCompleted", ASKED)]
    assert await books(world, person, top_up_id) == (ASKED, ASKED)


@pytest.mark.parametrize("charged", [1, LESS, MORE])
async def test_less_or_more_than_was_asked_for_is_in_review_and_credited(world, person, operator, charged):
    top_up_id = await charge_of(world, person, charged)
    assert await seen(world, person, top_up_id) == ("in_review", "amount_mismatch", ASKED, charged)
    assert await history(world, person) == [("processing", "amount_mismatch", charged, None)]
    review = await review_of(world, operator, top_up_id)
    assert (review["amount"]["amount_minor"], review["asked"]["amount_minor"]) == (charged, ASKED)
    assert await books(world, person, top_up_id) == (0, charged)

    assert (await decide(world, operator, top_up_id, "credit")).status == 200
    assert await seen(world, person, top_up_id) == ("completed", None, ASKED, charged)
    assert await history(world, person) == [("completed", None, charged, charged)]
    assert await told(world, top_up_id) == [("TopUpInReview", charged), ("TopUpCompleted", charged)]
    assert await books(world, person, top_up_id) == (charged, charged)


@pytest.mark.parametrize("charged", [LESS, MORE])
async def test_charged_and_given_back(world, person, operator, charged):
    top_up_id = await ask(world, person, wrong_amount_minor=charged - ASKED)

    async def status_is(status):
        return (await top_up(world, person, top_up_id))["status"] == status

    await eventually(lambda: status_is("in_review"), timeout_s=30, what="a top-up in review")
    assert (await decide(world, operator, top_up_id, "send-back")).status == 202
    await eventually(lambda: status_is("failed"), timeout_s=30, what="a charge that was given back")
    assert await seen(world, person, top_up_id) == ("failed", "money_returned", ASKED, charged)
    assert await history(world, person) == [("failed", "money_returned", charged, None)]
    assert await told(world, top_up_id) == [("TopUpInReview", charged), ("TopUpReturned", charged)]
    assert await books(world, person, top_up_id) == (0, charged)


async def test_another_currency_is_shown_as_it_was_charged(world, person, operator):
    top_up_id = await charge_of(world, person, ASKED, currency="VND")
    found = await top_up(world, person, top_up_id)
    assert (found["amount"]["currency"], found["charged"]["currency"]) == ("THB", "VND")
    review = await review_of(world, operator, top_up_id)
    assert (review["amount"]["currency"], review["asked"]["currency"]) == ("VND", "THB")


async def test_a_second_charge_is_a_transaction_of_its_own_beside_the_top_up(world, person, operator):
    top_up_id = await charge_of(world, person, ASKED)
    await world.provider_says(top_up_id, amount_minor=MORE)
    first = ("completed", None, ASKED, ASKED)
    assert await history(world, person) == [first, ("processing", "second_charge", MORE, None)]
    assert await seen(world, person, top_up_id) == ("completed", None, ASKED, ASKED)
    assert (await decide(world, operator, top_up_id, "credit")).status == 200
    assert await history(world, person) == [first, ("completed", None, MORE, ASKED + MORE)]
    assert await seen(world, person, top_up_id) == ("completed", None, ASKED, ASKED)


async def test_a_charge_booked_for_another_is_not_shown_to_whom_it_was_named_first(world, person):
    """A provider that names one charge under two references: its pending word here, its success there."""
    mine = await ask(world, person, unavailable_next=1_000)
    await world.provider_says(mine, charge_id="ch_of_two", status="pending")
    other = await world.person()
    theirs = await charge_of(world, other, LESS, charge_id="ch_of_two")
    assert await seen(world, person, mine) == ("pending", None, ASKED, None)
    assert await seen(world, other, theirs) == ("in_review", "amount_mismatch", ASKED, LESS)
