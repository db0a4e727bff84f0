"""What was captured can always be settled: whatever the shares, whoever the sellers, whatever became of their wallets."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from kernel.money import AMOUNT_MINOR_MAX
from operations.invariants import check_invariants
from payment.adapters.invariants import LATE
from payment.domain.accounts import wallet_id
from payment.domain.ledger import Settle, Share
from payment.domain.outcome import Outcome
from payment.entrypoints.consumers.commands import operation_of
from payment_testing.ledger import CommittingLedger
from payment_testing.operations import authorize, capture, settle, transfer
from payment_testing.people import NOON, add_person, give
from sampan.payment.v1.commands_pb2 import AuthorizePayment, CapturePayment, SellerShare, SettlePayment
from sampan.types.v1.money_pb2 import Money

ledger = CommittingLedger(slot=0)


@pytest.fixture
async def unlimited(owner):
    """No limit but the greatest amount there is."""
    await owner.execute("DELETE FROM tier_limit WHERE country = 'TH' AND currency = 'THB' AND kyc_tier = 3")


@pytest.fixture
async def buyer(conn, unlimited):
    return await add_person(conn)


async def captured(conn, buyer, amount, now=NOON):
    hold = authorize(buyer, amount, expires_at=now + timedelta(hours=1))
    answers = await ledger.execute(conn, [hold, capture(hold.hold_id, amount)], now=now)
    assert [answer.outcome for answer in answers] == [Outcome.DONE] * 2
    return hold.hold_id


async def pending(conn, seller):
    query = "SELECT coalesce(sum(balance_minor), 0)::bigint FROM account WHERE kind = 'seller_pending' AND user_id = $1"
    return await conn.fetchval(query, seller)


async def settled(conn, op, now=NOON):
    [answer] = await ledger.execute(conn, [op], now=now)
    return answer.outcome


@pytest.mark.parametrize("shares", [(0, 100), (100, 0), (0, 0, 60, 0, 40, 0), (100,), (1, 99)])
async def test_a_share_of_nothing_moves_nothing_and_keeps_nobody_from_theirs(conn, buyer, shares):
    await give(conn, buyer, 100)
    hold_id, seller = await captured(conn, buyer, 100), uuid4()
    op = settle(hold_id, *shares, seller=seller)
    assert await settled(conn, op) == Outcome.DONE
    assert await settled(conn, op) == Outcome.DONE_BEFORE
    assert await pending(conn, seller) == 100
    assert await conn.fetchval("SELECT state FROM hold WHERE id = $1", hold_id) == "settled"


@pytest.mark.parametrize("amount", [1, AMOUNT_MINOR_MAX])
async def test_the_least_and_the_greatest_amount_go_all_the_way(conn, buyer, amount):
    await give(conn, buyer, amount)
    hold_id, seller = await captured(conn, buyer, amount), uuid4()
    assert await settled(conn, settle(hold_id, amount, seller=seller)) == Outcome.DONE
    assert await pending(conn, seller) == amount
    again = await add_person(conn)
    await give(conn, again, amount)
    second = await captured(conn, again, amount)
    assert await settled(conn, settle(second, amount, seller=seller)) == Outcome.DONE  # on top of the greatest amount
    assert await pending(conn, seller) == 2 * amount


@pytest.mark.parametrize("status", ["active", "suspended", "closed", None])
async def test_whatever_became_of_the_sellers_wallet_the_money_waits_for_them(conn, buyer, status):
    seller = await add_person(conn) if status else uuid4()
    if status:
        await conn.execute("UPDATE account SET status = $2 WHERE user_id = $1", seller, status)
        await conn.execute("UPDATE payer SET ended_at = now() WHERE user_id = $1", seller)
    await give(conn, buyer, 100)
    hold_id = await captured(conn, buyer, 100)
    assert await settled(conn, settle(hold_id, 100, seller=seller)) == Outcome.DONE
    assert await pending(conn, seller) == 100


@pytest.mark.parametrize("status", ["suspended", "closed"])
async def test_what_was_held_of_a_buyer_who_ended_is_captured_and_settled_or_given_back(conn, buyer, status):
    await give(conn, buyer, 300)
    holds = [authorize(buyer, 100), authorize(buyer, 100)]
    await ledger.execute(conn, holds, now=NOON)
    await conn.execute("UPDATE account SET status = $2 WHERE user_id = $1", buyer, status)
    [done] = await ledger.execute(conn, [capture(holds[0].hold_id, 100)], now=NOON)
    assert done.outcome == Outcome.DONE
    assert await settled(conn, settle(holds[0].hold_id, 100, seller=uuid4())) == Outcome.DONE
    [refused] = await ledger.execute(conn, [authorize(buyer, 1)], now=NOON)
    assert refused.outcome == Outcome.WALLET_NOT_ACTIVE


@pytest.mark.parametrize("seed", range(5))
async def test_any_checkout_that_is_authorised_and_captured_can_be_settled(conn, buyer, seed):
    """Commands as the saga sends them, of checkouts as commerce may make them: up to a hundred orders, some of nothing."""
    dice = random.Random(seed)
    checkout, hold = str(uuid4()), str(uuid4())
    amounts = [
        dice.choice([0, 1, dice.randrange(10**6), dice.randrange(10**12)]) for _ in range(dice.randrange(1, 100))
    ]
    amounts[dice.randrange(len(amounts))] = 1 + dice.randrange(10**6)
    total = Money(amount_minor=sum(amounts), currency="THB")
    await give(conn, buyer, total.amount_minor)
    sellers = [str(uuid4()) for _ in range(5)]
    shares = [
        SellerShare(
            order_id=str(uuid4()), seller_id=dice.choice(sellers), amount=Money(amount_minor=amount, currency="THB")
        )
        for amount in amounts
    ]
    for body in (
        AuthorizePayment(checkout_id=checkout, hold_id=hold, user_id=str(buyer), amount=total, hold_s=60),
        CapturePayment(checkout_id=checkout, hold_id=hold, amount=total),
        SettlePayment(checkout_id=checkout, hold_id=hold, shares=shares),
    ):
        assert await settled(conn, operation_of(body, NOON)) == Outcome.DONE, type(body).__name__
    assert await conn.fetchval(
        "SELECT sum(balance_minor) FROM account WHERE kind = 'seller_pending' AND user_id::text = ANY ($1::text[])",
        sellers,
    ) == sum(amounts)


async def test_shares_that_do_not_add_up_are_refused_and_can_be_settled_rightly_after(conn, buyer):
    await give(conn, buyer, 100)
    hold_id, seller = await captured(conn, buyer, 100), uuid4()
    assert await settled(conn, settle(hold_id, 99, seller=seller)) == Outcome.SHARES_MISMATCH
    wrong = Settle(
        hold_id=hold_id, currency="USD", shares=[Share(order_id=uuid4(), seller_id=seller, amount_minor=100)]
    )
    assert await settled(conn, wrong) == Outcome.CURRENCY_MISMATCH
    assert await settled(conn, settle(hold_id, 100, seller=seller)) == Outcome.DONE


async def test_the_audit_tells_of_money_captured_and_not_settled(conn, buyer):
    await give(conn, buyer, 200)
    now = datetime.now(UTC)
    fresh = await captured(conn, buyer, 100, now - timedelta(minutes=14))
    old = await captured(conn, buyer, 100, now - timedelta(minutes=16))

    async def late():
        return [example for finding in await check_invariants(conn, LATE) for example in finding.examples]

    found = await late()
    assert str(old) in found
    assert str(fresh) not in found
    assert await settled(conn, settle(old, 100, seller=uuid4())) == Outcome.DONE
    assert str(old) not in await late()


async def test_a_wallet_never_holds_more_than_the_greatest_amount(conn, buyer):
    """Beyond it no client could read the balance."""
    rich = await add_person(conn)
    await give(conn, rich, AMOUNT_MINOR_MAX)
    await give(conn, buyer, 1)
    sent = transfer(buyer, rich, 1)
    [refused] = await ledger.execute(conn, [sent], now=NOON)
    assert refused.outcome == Outcome.LIMIT_BALANCE
    with pytest.raises(RuntimeError, match="18"):
        async with conn.transaction():
            await give(conn, rich, 1)
    assert await conn.fetchval("SELECT balance_minor FROM account WHERE id = $1", wallet_id(rich, "THB")) == (
        AMOUNT_MINOR_MAX
    )
