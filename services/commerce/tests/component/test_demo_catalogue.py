"""The demo's catalogue loads fast, once, and is in order."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest

from commerce.adapters.demo_catalogue_reads import build_catalogue
from commerce.domain.ids import UserId
from commerce.usecases.load_catalogue import LoadCatalogue, load_catalogue
from commerce_testing.running import broken_invariants
from kernel.country import Country
from testkit.databases import ServiceDatabase

pytestmark = pytest.mark.component


async def test_loads_once_in_seconds(database: Callable[[str], Awaitable[ServiceDatabase]], make_app: Any) -> None:
    made = await database("commerce")
    owners = {country: UserId(uuid4()) for country in Country}
    async with make_app(made.dsn) as app:
        started = time.monotonic()
        for expected in ((6, 312), (0, 0)):
            command = LoadCatalogue(catalogue=build_catalogue(owners, app.clock.now()))
            async with app.begin() as tx:
                assert await load_catalogue(command, tx) == expected
        assert time.monotonic() - started < 10
        assert await broken_invariants(app) == []
        async with app.database.read() as conn:
            assert await conn.fetchval("SELECT count(*) FROM outbox WHERE type LIKE '%ProductPublished'") == 312
            assert await conn.fetchval("SELECT count(DISTINCT currency) FROM product") == 6
