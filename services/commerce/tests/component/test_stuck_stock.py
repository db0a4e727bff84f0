"""A row of stock that somebody does not let go of: its buyers are told to come again, and everybody else goes on."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from commerce_testing.people import People, Person, variant_of
from testkit.databases import ServiceDatabase

pytestmark = pytest.mark.component

BUYERS = 30  # three times the pool


async def test_a_row_that_is_not_let_go_of_takes_nobody_elses_connections(
    service_database: ServiceDatabase, people: People, seller: Person, shop: Any
) -> None:
    hot, cold = await seller.add_product(shop), await seller.add_product(shop)
    buyers = [people() for _ in range(BUYERS)]
    holder = await asyncpg.connect(service_database.admin_dsn)
    await holder.execute("SET idle_in_transaction_session_timeout = 0")
    with capture_logs():  # thirty refusals with their tracebacks, painted, take a minute
        async with holder.transaction():
            await holder.execute("SELECT FROM commerce.stock WHERE variant_id = $1 FOR UPDATE", UUID(variant_of(hot)))
            wanted = [asyncio.create_task(buyer.order((variant_of(hot), 1))) for buyer in buyers]
            await asyncio.sleep(0.1)
            carts = await asyncio.gather(*(buyer.get("/v1/cart") for buyer in buyers[:3]))
            others = await asyncio.gather(*(buyer.order((variant_of(cold), 1)) for buyer in buyers[:3]))
            refused = await asyncio.gather(*wanted)
    await holder.close()
    assert {answer.status for answer in carts} == {200}
    assert {answer.status for answer in others} == {202}
    assert {answer.status for answer in refused} == {503}
    assert (await buyers[0].order((variant_of(hot), 1))).status == 202
