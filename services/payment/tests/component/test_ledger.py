"""What the ledger does with each operation, alone and among others."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from payment.domain.ledger import Expire
from payment.domain.outcome import Outcome
from payment_testing.ledger import SwappingLedger
from payment_testing.operations import authorize, capture, settle, transfer, void
from payment_testing.people import NOON, add_person, balance, give

ledger = SwappingLedger(slot=3)


@pytest.fixture
async def people(conn):
    made = [await add_person(conn) for _ in range(3)]
    for person in made:
        await give(conn, person, 1_000)
    return made


async def run(conn, *ops, now=NOON):
    return [answer.outcome for answer in await ledger.execute(conn, ops, now=now)]


async def test_a_refused_operation_changes_nothing_and_does_not_stop_the_others(conn, people):
    ann, bob, cho = people
    assert await run(
        conn,
        transfer(ann, bob, 600),
        transfer(ann, cho, 600),  # not enough left
        transfer(ann, cho, 400),
        transfer(bob, cho, 1_600),  # only because of the first
    ) == [Outcome.DONE, Outcome.INSUFFICIENT_FUNDS, Outcome.DONE, Outcome.DONE]
    assert [await balance(conn, person) for person in people] == [(0, 0), (0, 0), (3_000, 0)]


async def test_a_repeat_gets_the_first_answer_in_the_same_batch_and_later(conn, people):
    ann, bob, _ = people
    first = transfer(ann, bob, 10)
    assert await run(conn, first, first) == [Outcome.DONE, Outcome.DONE_BEFORE]
    [again] = await ledger.execute(conn, [first], now=NOON + timedelta(hours=1))
    assert (again.outcome, again.at) == (Outcome.DONE_BEFORE, NOON)
    assert await balance(conn, ann) == (990, 0)


async def test_a_refusal_is_remembered_even_when_it_could_be_done_now(conn, people):
    ann, bob, _ = people
    dear = transfer(ann, bob, 5_000)
    assert await run(conn, dear) == [Outcome.INSUFFICIENT_FUNDS]
    await give(conn, ann, 10_000)
    assert await run(conn, dear) == [Outcome.INSUFFICIENT_FUNDS]
    assert await run(conn, transfer(ann, bob, 5_000)) == [Outcome.DONE]


async def test_the_same_id_with_another_request_is_refused(conn, people):
    ann, bob, _ = people
    op_id = uuid4()
    assert await run(conn, transfer(ann, bob, 10, op_id=op_id)) == [Outcome.DONE]
    assert await run(conn, transfer(ann, bob, 11, op_id=op_id)) == [Outcome.REQUEST_REUSED]
    assert await run(conn, transfer(ann, bob, 12, op_id=(twice := uuid4())), transfer(ann, bob, 13, op_id=twice)) == [
        Outcome.DONE,
        Outcome.REQUEST_REUSED,
    ]


async def test_unknown_suspended_and_foreign_currency_wallets(conn, people):
    ann, bob, cho = people
    await conn.execute("UPDATE account SET status = 'suspended' WHERE user_id = $1", cho)
    dong = await add_person(conn, country="VN", currency="VND")
    wrong = transfer(ann, bob, 5)
    wrong.recipient_wallet_id = transfer(ann, dong, 5, currency="VND").recipient_wallet_id
    assert await run(
        conn, transfer(ann, uuid4(), 5), transfer(ann, cho, 5), transfer(cho, ann, 5), wrong, transfer(ann, bob, 5)
    ) == [
        Outcome.WALLET_NOT_FOUND,
        Outcome.WALLET_NOT_ACTIVE,
        Outcome.WALLET_NOT_ACTIVE,
        Outcome.CURRENCY_MISMATCH,
        Outcome.DONE,
    ]


async def test_a_system_account_is_nobodys_wallet(conn, people):
    ann, bob, _ = people
    clearing = await conn.fetchval("SELECT id FROM account WHERE kind = 'provider_clearing' LIMIT 1")
    theft = transfer(ann, bob, 5)
    theft.sender_wallet_id = clearing
    assert await run(conn, theft) == [Outcome.WALLET_NOT_FOUND]


async def test_hold_captured_in_part_and_settled(conn, people):
    ann, _, seller = people
    hold = authorize(ann, 500)
    assert await run(conn, hold) == [Outcome.DONE]
    assert await balance(conn, ann) == (1_000, 500)
    assert await run(conn, transfer(ann, seller, 501)) == [Outcome.INSUFFICIENT_FUNDS]
    assert await run(conn, capture(hold.hold_id, 501), capture(hold.hold_id, 300)) == [
        Outcome.CAPTURE_EXCEEDS_HOLD,
        Outcome.DONE,
    ]
    assert await balance(conn, ann) == (700, 0)
    assert await run(conn, settle(hold.hold_id, 100, 100, seller=seller)) == [Outcome.SHARES_MISMATCH]
    assert await run(conn, settle(hold.hold_id, 100, 200, seller=seller)) == [Outcome.DONE]
    pending = await conn.fetchval(
        "SELECT sum(balance_minor) FROM account WHERE kind = 'seller_pending' AND user_id = $1", seller
    )
    assert pending == 300
    seen = await conn.fetchrow(
        "SELECT type, status, amount_minor, balance_after_minor FROM wallet_transaction WHERE id = $1", hold.hold_id
    )
    assert tuple(seen) == ("purchase", "completed", 300, 700)


async def test_a_whole_order_in_one_batch_and_every_command_again(conn, people):
    ann, _, seller = people
    hold = authorize(ann, 500)
    ops = [hold, capture(hold.hold_id, 500), settle(hold.hold_id, 200, 300, seller=seller)]
    assert await run(conn, *ops) == [Outcome.DONE] * 3
    assert await run(conn, *ops[1:]) == [Outcome.DONE_BEFORE] * 2
    assert await run(conn, void(hold.hold_id), capture(hold.hold_id, 499)) == [Outcome.HOLD_WRONG_STATE] * 2
    assert await balance(conn, ann) == (500, 0)


async def test_hold_versions_are_gapless(conn, people):
    ann, _, seller = people
    hold = authorize(ann, 500)
    ops = [hold, capture(hold.hold_id, 500), settle(hold.hold_id, 200, 300, seller=seller)]
    assert [answer.version for answer in await ledger.execute(conn, ops, now=NOON)] == [1, 2, 3]
    assert await conn.fetchval("SELECT version FROM hold WHERE id = $1", hold.hold_id) == 4  # one per share


async def test_void_gives_back_and_again_is_no_error(conn, people):
    ann = people[0]
    hold = authorize(ann, 500)
    assert await run(conn, hold, void(hold.hold_id), void(hold.hold_id)) == [
        Outcome.DONE,
        Outcome.DONE,
        Outcome.DONE_BEFORE,
    ]
    assert await balance(conn, ann) == (1_000, 0)
    assert await run(conn, capture(hold.hold_id, 1)) == [Outcome.HOLD_WRONG_STATE]


async def test_a_void_that_comes_first_leaves_a_tombstone(conn, people):
    hold = authorize(people[0], 500)
    assert await run(conn, void(hold.hold_id)) == [Outcome.DONE]
    assert await run(conn, hold, void(hold.hold_id)) == [Outcome.HOLD_WRONG_STATE, Outcome.DONE_BEFORE]
    assert await balance(conn, people[0]) == (1_000, 0)


async def test_void_after_a_refused_authorisation_in_the_same_batch(conn, people):
    hold = authorize(people[0], 5_000)
    assert await run(conn, hold, void(hold.hold_id), hold) == [
        Outcome.INSUFFICIENT_FUNDS,
        Outcome.DONE,
        Outcome.HOLD_WRONG_STATE,
    ]


async def test_expiry_waits_for_its_time_and_then_wins(conn, people):
    ann = people[0]
    hold = authorize(ann, 500, expires_at=NOON + timedelta(minutes=1))
    assert await run(conn, hold, Expire(hold_id=hold.hold_id)) == [Outcome.DONE, Outcome.HOLD_WRONG_STATE]
    late = NOON + timedelta(minutes=1)
    assert await run(conn, Expire(hold_id=hold.hold_id), capture(hold.hold_id, 500), now=late) == [
        Outcome.DONE,
        Outcome.HOLD_EXPIRED,
    ]
    assert await run(conn, void(hold.hold_id)) == [Outcome.DONE_BEFORE]
    assert await balance(conn, ann) == (1_000, 0)


async def test_the_same_hold_id_for_another_amount_or_buyer_is_refused(conn, people):
    ann, bob, _ = people
    hold = authorize(ann, 100)
    assert await run(conn, hold) == [Outcome.DONE]
    assert await run(
        conn, hold, authorize(ann, 101, hold_id=hold.hold_id), authorize(bob, 100, hold_id=hold.hold_id)
    ) == [Outcome.DONE_BEFORE, Outcome.HOLD_WRONG_STATE, Outcome.HOLD_WRONG_STATE]


async def test_unknown_holds(conn, people):
    assert await run(conn, capture(uuid4(), 1), settle(uuid4(), 1, seller=people[0]), Expire(hold_id=uuid4())) == [
        Outcome.HOLD_NOT_FOUND,
        Outcome.HOLD_NOT_FOUND,
        Outcome.HOLD_WRONG_STATE,
    ]
