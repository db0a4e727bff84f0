"""kill -9 of any part while orders are being paid: afterwards nothing is lost, doubled or stuck.

Each run says its seed; ``SAMPAN_FAULT_SEED`` repeats one.
"""

import asyncio
import os
import random
import signal

import asyncpg
import people
import pytest
from demo.facts import service_environment
from demo.processes import pid_of
from faults import audit, kill, patiently

from testkit.client import ApiError
from testkit.wait import eventually

pytestmark = [pytest.mark.fault, pytest.mark.timeout(400)]

BUYERS = 12
ORDERS_EACH = 4
ON_HAND = 30  # fewer than are wanted, so that some are refused at the door
MONEY_MINOR = 450_00  # enough for three of four orders
VICTIMS = ("orchestrator", "commerce", "payment", "notification")  # who works on an order


async def shopping(buyer, variant_id, chance):
    """One buyer's orders, one after the other, each retried under its key until it is answered."""
    placed = []
    for number in range(ORDERS_EACH):
        await asyncio.sleep(chance.uniform(0, 0.3))
        key = f"{buyer.user_id}:{number}"
        try:
            placed.append(await patiently(lambda key=key: people.order(buyer, variant_id, key=key)))
        except ApiError as refusal:
            if refusal.code != "commerce.stock.sold_out":
                raise
    return placed


async def settled(buyer, checkout):
    async def look():
        found = await buyer.get(f"/v1/checkouts/{checkout['checkout_id']}", wait_s=2)
        return found if found["payment_status"] != "pending" else None

    return await eventually(look, timeout_s=120, every_s=0.2, what=f"checkout {checkout['checkout_id']} settled")


async def orders_survive(api, disturb, seed):
    """Let buyers shop while ``disturb`` runs; then everything must add up, through the API and in the audits."""
    chance = random.Random(seed)
    _, product_id, variant_id = await people.shop_with_product(api, on_hand=ON_HAND)
    buyers = await asyncio.gather(*(people.buyer_with(api, MONEY_MINOR, f"Fault{n}") for n in range(BUYERS)))
    shoppers = [asyncio.create_task(shopping(b, variant_id, random.Random(chance.random()))) for b in buyers]
    await disturb(chance)
    placed = await asyncio.gather(*shoppers)
    ended = [
        await asyncio.gather(*(settled(buyer, checkout) for checkout in mine))
        for buyer, mine in zip(buyers, placed, strict=True)
    ]

    paid = [checkout for mine in ended for checkout in mine if checkout["payment_status"] == "paid"]
    ids = [checkout["checkout_id"] for mine in ended for checkout in mine]
    assert len(set(ids)) == len(ids) >= ON_HAND
    available = await patiently(lambda: people.available(api, product_id))
    assert available == ON_HAND - len(paid)
    for buyer, mine in zip(buyers, ended, strict=True):
        spent = sum(each["total"]["amount_minor"] for each in mine if each["payment_status"] == "paid")
        assert await patiently(lambda buyer=buyer: people.balance(buyer)) == (MONEY_MINOR - spent, 0)
    for service in ("payment", "commerce", "orchestrator"):
        audit(service)


async def test_services_killed_at_random(api, seed):
    async def disturb(chance):
        for _ in range(6):
            await asyncio.sleep(chance.uniform(0.2, 1.2))
            await kill(chance.choice(VICTIMS))

    await orders_survive(api, disturb, seed)


async def test_postgres_killed_mid_flow(api, seed):
    async def disturb(chance):
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        await kill("postgres")

    await orders_survive(api, disturb, seed)


async def test_kafka_killed_mid_flow(api, seed):
    async def disturb(chance):
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        await kill("kafka")

    await orders_survive(api, disturb, seed)


async def test_redis_gone_mid_flow(api, seed):
    async def disturb(chance):
        await asyncio.sleep(chance.uniform(0.3, 1.0))
        await kill("redis")

    await orders_survive(api, disturb, seed)


async def test_a_stopped_orchestrator_that_comes_back_is_fenced(api, seed):
    """SIGSTOP long enough for its locks and partitions to be lost, then SIGCONT: a zombie must do no harm."""

    async def disturb(chance):
        await asyncio.sleep(chance.uniform(0.5, 1.0))
        victim = pid_of("orchestrator")
        os.kill(victim, signal.SIGSTOP)
        await asyncio.sleep(15)
        os.kill(victim, signal.SIGCONT)

    await orders_survive(api, disturb, seed)


async def test_a_cancel_that_comes_before_the_promise_gives_the_money_back(api):
    """Payment stands still until the saga has turned back: it finds the payment and its return, in this order."""
    _, product_id, variant_id = await people.shop_with_product(api, on_hand=1)
    buyer = await people.buyer_with(api, MONEY_MINOR, "Regret")
    victim = pid_of("payment")
    os.kill(victim, signal.SIGSTOP)
    try:
        placed = await people.order(buyer, variant_id)
        await saga_is(placed, "started")
        order_id = placed["orders"][0]["order_id"]
        await buyer.post(f"/v1/orders/{order_id}/cancel")
        await saga_is(placed, "compensating")
    finally:
        os.kill(victim, signal.SIGCONT)

    ended = await settled(buyer, placed)
    assert (ended["payment_status"], ended["cancel_reason_code"]) == ("failed", "buyer")
    assert await people.available(api, product_id) == 1
    assert await people.balance(buyer) == (MONEY_MINOR, 0)
    wallet_id = (await people.wallet(buyer))["wallet_id"]
    shown = (await buyer.get(f"/v1/wallets/{wallet_id}/transactions"))["items"]
    assert [(each["type"], each["status"]) for each in shown[:2]] == [
        ("refund", "completed"),
        ("purchase", "completed"),
    ]
    assert {each["reference_id"] for each in shown[:2]} == {placed["checkout_id"]}
    for service in ("payment", "commerce", "orchestrator"):
        audit(service)


async def saga_is(checkout, status):
    """Wait until the saga of a checkout is there, and in this status."""
    conn = await asyncpg.connect(service_environment("orchestrator")["ORCHESTRATOR_DATABASE_DSN"])
    try:
        await eventually(
            lambda: conn.fetchval(
                "SELECT 1 FROM orchestrator.saga_execution WHERE business_key = $1 AND status = $2",
                checkout["checkout_id"],
                status,
            ),
            timeout_s=30,
            what=f"the saga {status}",
        )
    finally:
        await conn.close()
