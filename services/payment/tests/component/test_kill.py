"""kill -9 in the middle of batches: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import random
from uuid import uuid4

import aiohttp
import asyncpg
import pytest

from payment_testing.people import add_person, balance, give
from testkit.ports import free_port
from testkit.processes import Child
from testkit.wait import eventually

PEOPLE, CALLERS, KILLS, PER_CALLER = 6, 12, 5, 30
START = 1_000_000


class Callers:
    """Apps that send money and repeat a request with its key until it is answered."""

    def __init__(self, url, tokens):
        self.url, self.tokens = url, tokens
        self.done = {}  # key -> (sender, recipient, amount)
        self.transfers = {}  # key -> transfer id
        self.answered = 0

    async def one(self, number):
        dice = random.Random(number)
        people = list(self.tokens)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
            for _ in range(PER_CALLER):
                sender, recipient = dice.sample(people, 2)
                await self.send(session, sender, recipient, dice.randrange(1, 100))

    async def send(self, session, sender, recipient, amount):
        key = str(uuid4())
        body = {"recipient_id": str(recipient), "amount": {"amount_minor": amount, "currency": "THB"}}
        headers = {"Authorization": f"Bearer {self.tokens[sender]}", "Idempotency-Key": key}
        while True:
            try:
                async with session.post(f"{self.url}/v1/transfers", json=body, headers=headers) as answer:
                    if answer.status == 201:
                        self.transfers[key] = (await answer.json())["transfer_id"]
                        self.done[key] = (sender, recipient, amount)
                        self.answered += 1
                        return
                    assert answer.status in {409, 503}, await answer.text()
            except (aiohttp.ClientError, TimeoutError):
                pass
            await asyncio.sleep(0.05)


@pytest.mark.timeout(300)
async def test_killed_again_and_again(database, payment_environment, issuer, audit_holds, tmp_path):
    made = await database("payment")
    conn = await asyncpg.connect(made.dsn)
    people = [await add_person(conn) for _ in range(PEOPLE)]
    for person in people:
        await give(conn, person, START)
    port, ops_port = free_port(), free_port()
    environment = payment_environment(made, HTTP_PORT=str(port), OPS_PORT=str(ops_port), LOG_LEVEL="warning")
    service = Child("payment", "http", environment=environment, log=tmp_path / "payment.log")
    callers = Callers(
        f"http://127.0.0.1:{port}", {person: issuer.token_for(person, lifetime_s=900) for person in people}
    )
    await service.start()
    await service.ready(ops_port, timeout_s=60)
    working = asyncio.gather(*(callers.one(number) for number in range(CALLERS)))
    dice = random.Random(4)
    for kill in range(KILLS):
        target = callers.answered + (CALLERS * PER_CALLER - callers.answered) // (KILLS - kill + 1)
        await eventually(
            lambda target=target: callers.answered >= target or working.done(),
            timeout_s=60,
            every_s=dice.uniform(0.001, 0.01),
        )
        await service.kill()
        await service.start()
    await asyncio.wait_for(working, 200)
    assert await service.stop(timeout_s=30) == 0

    assert callers.answered == CALLERS * PER_CALLER
    stored = {str(row["id"]) for row in await conn.fetch("SELECT id FROM transfer WHERE kind = 1")}
    assert stored == set(callers.transfers.values())
    expected = dict.fromkeys(people, START)
    for sender, recipient, amount in callers.done.values():
        expected[sender] -= amount
        expected[recipient] += amount
    assert {person: (await balance(conn, person))[0] for person in people} == expected
    records = await conn.fetch("SELECT key FROM outbox WHERE type LIKE '%TransferCompleted'")
    assert sorted(row["key"] for row in records) == sorted(stored)
    await audit_holds(conn)
    await conn.close()
