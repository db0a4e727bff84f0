"""A commerce that runs in the test's process, and what is asked of it past its API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

from chassis.tokens import TokenVerifier
from commerce.adapters import invariants
from commerce.adapters.demo_catalogue_reads import build_catalogue
from commerce.domain.catalogue import Catalogue
from commerce.domain.ids import CheckoutId, UserId
from commerce.settings import CommerceSettings
from commerce.usecases.apply_saga_commands import ApplySagaCommands, SagaCommand, apply_saga_commands
from commerce.usecases.complete_order import CompleteOrder
from commerce.usecases.confirm_order import ConfirmOrder
from commerce.usecases.load_catalogue import LoadCatalogue, load_catalogue
from commerce.usecases.mark_order_paid import MarkOrderPaid
from commerce.usecases.reserve_stock import ReserveStock
from commerce.wiring import App, wire
from eventing import KafkaConfig
from kernel.country import Country
from operations.invariants import broken, check_invariants
from testkit.issuer import TokenIssuer
from testkit.service import settings_of


def settings_on(dsn: str, redis_url: str, kafka: KafkaConfig | None) -> CommerceSettings:
    """Without ``kafka``, what would be sent stays in the outbox."""
    return settings_of(
        CommerceSettings,
        dsn=dsn,
        redis_url=redis_url,
        kafka=kafka,
        database_pool_max=20,
        database_lock_timeout_s=30,  # clients and lock holders are one process here, which may stand still
    )


@asynccontextmanager
async def wired(settings: CommerceSettings, issuer: TokenIssuer) -> AsyncIterator[App]:
    """The app that believes the issuer's tokens."""
    async with wire(settings) as app:
        verifier = TokenVerifier("", issuer.issuer, issuer.audience, app.revocations, fetch=issuer.fetch)
        yield replace(app, verifier=verifier)


async def apply_commands(app: App, *commands: SagaCommand) -> list[str | None]:
    """The saga's commands in one transaction; the code of each refusal."""
    async with app.begin() as tx:
        refusals = await apply_saga_commands(ApplySagaCommands(commands=commands), tx)
    return [refusal.code if refusal else None for refusal in refusals]


async def pay(app: App, checkout_id: CheckoutId) -> None:
    """The command of a saga that goes well."""
    assert await apply_commands(app, CompleteOrder(checkout_id=checkout_id)) == [None]


async def pay_by_version_1(app: App, checkout_id: CheckoutId) -> None:
    """Every command of a saga of the first version that goes well."""
    commands = (
        ReserveStock(checkout_id=checkout_id, hold_s=60),
        ConfirmOrder(checkout_id=checkout_id),
        MarkOrderPaid(checkout_id=checkout_id),
    )
    assert await apply_commands(app, *commands) == [None] * 3


async def event_types(app: App, key: object) -> list[str]:
    """The last names of the types of one key's records in the outbox, in order."""
    async with app.database.read() as conn:
        rows = await conn.fetch("SELECT type FROM outbox WHERE key = $1 ORDER BY id", str(key))
    return [row["type"].rpartition(".")[2] for row in rows]


async def broken_invariants(app: App) -> list[str]:
    """Names of the invariants that do not hold; checkouts may be pending for an hour."""
    async with app.database.read() as conn:
        findings = await check_invariants(conn, invariants.checks(stuck_after_s=3600))
    return [finding.check.invariant for finding in broken(findings)]


async def load_demo_catalogue(app: App) -> Catalogue:
    """The demo's catalogue, each shop with an owner of its own."""
    catalogue = build_catalogue({country: UserId(uuid4()) for country in Country}, app.clock.now())
    async with app.begin() as tx:
        await load_catalogue(LoadCatalogue(catalogue=catalogue), tx)
    return catalogue
