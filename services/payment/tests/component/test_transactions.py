"""A wallet's list of transactions: of the books and of what waits, each once, newest first, page after page."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from payment.adapters import transaction_reads
from payment.adapters.transaction_reads import NEWEST, booked_transactions, newest_first, waiting_transactions
from payment.domain.accounts import wallet_id
from payment_testing.ledger import CommittingLedger
from payment_testing.operations import authorize, capture, charge, give_back, transfer, void
from payment_testing.people import NOON, add_person, give

ledger = CommittingLedger(slot=0)


@pytest.fixture
async def ann(conn):
    return await add_person(conn)


async def pages(conn, person, size, kind=None, status=None):
    before, shown = NEWEST, []
    while True:
        wallet, asked = wallet_id(person, "THB"), {"before": before, "kind": kind, "status": status, "limit": size}
        waiting = await waiting_transactions(conn, person, wallet, **asked)
        page = newest_first(waiting, await booked_transactions(conn, wallet, **asked), before=before, limit=size)
        if not page:
            return shown
        shown += [row for row, _ in page]
        before = page[-1][1]


async def bought_and_sent(conn, ann):
    """Twenty of each, in any order; returns what the list must show, oldest first."""
    bob = await add_person(conn)
    await give(conn, ann, 100_000, now=NOON - timedelta(days=1))
    await give(conn, bob, 100_000, now=NOON - timedelta(days=1))
    kinds = ["send", "receive", "charge", "returned", "authorized", "captured", "voided"] * 3
    random.Random(5).shuffle(kinds)
    expected = []
    for number, kind in enumerate(kinds):
        now, amount = NOON + timedelta(minutes=number), number + 1
        if kind in {"send", "receive"}:
            pair = (ann, bob) if kind == "send" else (bob, ann)
            await ledger.execute(conn, [transfer(*pair, amount)], now=now)
            expected.append((kind, "completed", amount))
        elif kind in {"charge", "returned"}:
            op = charge(ann, amount)
            await ledger.execute(conn, [op, *([give_back(op.hold_id)] if kind == "returned" else [])], now=now)
            expected.append(("purchase", "completed", amount))
            expected += [("refund", "completed", amount)] * (kind == "returned")
        else:
            op = authorize(ann, amount)
            await ledger.execute(conn, [op], now=now)
            end = {"captured": [capture(op.hold_id, amount)], "voided": [void(op.hold_id)]}.get(kind, [])
            await ledger.execute(conn, end, now=now + timedelta(seconds=1))
            status = {"authorized": "pending", "captured": "completed", "voided": "cancelled"}[kind]
            expected.append(("purchase", status, amount))
    return expected


@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_every_page_goes_on_where_the_last_one_ended(conn, ann, size):
    expected = await bought_and_sent(conn, ann)
    shown = await pages(conn, ann, size)
    assert sorted((row["type"], row["status"], row["amount_minor"]) for row in shown) == sorted(expected)
    assert len({(row["id"], row["type"]) for row in shown}) == len(expected)
    assert [row["created_at"] for row in shown] == sorted((row["created_at"] for row in shown), reverse=True)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("send", None), ("receive", "completed"), ("purchase", None), ("purchase", "completed"), ("refund", None),
     (None, "pending"), (None, "completed"), ("send", "pending"), ("withdraw", None)],
)  # fmt: skip
async def test_filters_look_at_both(conn, ann, kind, status):
    expected = await bought_and_sent(conn, ann)
    shown = await pages(conn, ann, 4, kind, status)
    wanted = [each for each in expected if kind in {None, each[0]} and status in {None, each[1]}]
    assert sorted((row["type"], row["status"], row["amount_minor"]) for row in shown) == sorted(wanted)


async def test_balances_after_follow_from_one_another(conn, ann):
    await bought_and_sent(conn, ann)
    signs = {"send": -1, "purchase": -1, "receive": 1, "refund": 1}
    shown = [row for row in reversed(await pages(conn, ann, 100)) if row["status"] == "completed"]
    shown.sort(key=lambda row: row["completed_at"])
    balance = 100_000
    for row in shown:
        balance += signs[row["type"]] * row["amount_minor"]
        assert row["balance_after_minor"] == balance or row["type"] in {"purchase", "refund"}
    assert balance == shown[-1]["balance_after_minor"]


async def test_whom_money_came_from_is_shown_and_who_is_paid_for_a_purchase_is_not(conn, ann):
    bob = await add_person(conn)
    await give(conn, bob, 100)
    await ledger.execute(conn, [transfer(bob, ann, 60), charge(ann, 50)], now=NOON)
    bought, received = await pages(conn, ann, 10)
    assert (received["counterpart_user_id"], received["description"]) == (bob, "lunch")
    assert (bought["counterpart_user_id"], bought["description"]) == (None, "")


async def test_rows_that_the_version_before_wrote_of_a_transfer_are_not_shown_twice(conn, ann):
    bob = await add_person(conn)
    await give(conn, ann, 100)
    sent = transfer(ann, bob, 10)
    await ledger.execute(conn, [sent], now=NOON)
    await conn.execute(
        "INSERT INTO wallet_transaction (wallet_id, created_at, id, user_id, type, status, amount_minor, currency)"
        " VALUES ($1, $2, $3, $4, 'send', 'completed', 10, 'THB')",
        sent.sender_wallet_id, NOON, sent.op_id, ann,
    )  # fmt: skip
    assert [row["type"] for row in await pages(conn, ann, 10)] == ["send"]


async def test_a_wallet_of_nobody_has_none(conn):
    assert await pages(conn, uuid4(), 10) == []


async def test_a_page_reads_as_many_postings_as_it_shows(database):
    """Also of a wallet with very many, and whatever the filter lets through."""
    owner = await asyncpg.connect((await database("payment")).owner_dsn)
    busy, other = await add_person(owner), await add_person(owner)
    wallets = [wallet_id(each, "THB") for each in (busy, other)]
    await owner.execute(
        "INSERT INTO transfer (id, kind, debit_id, credit_id, amount_minor, debit_version, credit_version, at, currency)"
        " SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 1, $1, $2, 1, n, n, $3, 'THB'"
        " FROM generate_series(1, 20000) n",
        *wallets, NOON,
    )  # fmt: skip
    await owner.execute(
        "INSERT INTO posting SELECT t.debit_id, t.debit_version, -1, 0, t.id FROM transfer t"
        " UNION ALL SELECT t.credit_id, t.credit_version, 1, 0, t.id FROM transfer t"
    )
    await owner.execute("VACUUM ANALYZE posting, transfer, account")
    for mode in ("force_custom_plan", "force_generic_plan"):
        await owner.execute(f"SET plan_cache_mode = {mode}")
        await owner.execute(f"PREPARE page (uuid, bigint, smallint[], int, int) AS {transaction_reads._BOOKED}")
        plan = await owner.fetchval(
            f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page ('{wallets[0]}', {NEWEST.version}, '{{1,12,13}}', NULL, 21)"
        )
        await owner.execute("DEALLOCATE page")
        assert max(rows_read(json.loads(plan)[0]["Plan"])) <= 50, (mode, plan)
    await owner.close()


def rows_read(node):
    """Of each node of a plan: rows times loops."""
    yield node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
    for child in node.get("Plans", []):
        yield from rows_read(child)
