"""The only place where objects are built: settings in, a frozen App out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from commerce.adapters.product_cache import ProductCache
from commerce.adapters.transaction import CommerceTx, Hints
from commerce.domain.ids import CheckoutId
from commerce.settings import CommerceSettings
from kernel.clock import Clock
from operations import Parts, open_parts

NAME: Final = "commerce"


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything a running role needs."""

    settings: CommerceSettings
    cache: ProductCache

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[CommerceTx]:
        """Commits at the end of the block, events and effects together; then its hints are sent."""
        async with self.transaction(user_id) as (conn, outbox):
            tx = CommerceTx.on(conn, outbox, self.clock.now())
            yield tx
        await self._send(tx.hints)

    async def _send(self, hints: Hints) -> None:
        if hints.products:
            await self.cache.drop(hints.products)
        for checkout_id in hints.checkouts:
            await self.hints.publish(checkout_channel(checkout_id))


def checkout_channel(checkout_id: CheckoutId) -> str:
    """The channel of hints on which requests wait for a checkout."""
    return f"checkout:{checkout_id}"


@asynccontextmanager
async def wire(settings: CommerceSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open what the service stands on; close it in reverse."""
    async with open_parts(settings, NAME, clock=clock) as opened:
        yield App(**opened.parts(), settings=settings, cache=ProductCache(opened.redis))
