"""The only place where objects are built: settings in, a frozen ``App`` out, everything closed at the end."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from kernel.clock import Clock
from kernel.notifier import Notifier
from operations import Parts, open_parts
from payment.adapters.flusher import Flusher
from payment.adapters.ledger_store import LedgerStore
from payment.adapters.sandbox_gateway import SandboxGateway
from payment.adapters.transaction import PaymentTx
from payment.domain.accounts import SLOTS
from payment.settings import PaymentSettings
from payment.usecases.ports import Provider
from payment.usecases.read_webhook import MALFORMED, STALE
from payment.usecases.record_charge import CONTRADICTIONS

NAME: Final = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class App(Parts):
    """Everything the entrypoints reach for."""

    settings: PaymentSettings
    ledger: LedgerStore
    flusher: Flusher
    providers: Mapping[str, Provider]
    notifier: Notifier

    @asynccontextmanager
    async def begin(self, user_id: UUID | None = None) -> AsyncIterator[PaymentTx]:
        """A transaction: commits at the end of the block, then wakes the relay, and the job for a new top-up."""
        async with self.transaction(user_id) as (conn, outbox):
            tx = PaymentTx(conn, outbox, self.clock, self.ledger)
            yield tx
        if tx.top_ups.added:
            self.notifier.notify()


@asynccontextmanager
async def wire(settings: PaymentSettings, clock: Clock | None = None) -> AsyncIterator[App]:
    """Open what the service stands on."""
    # Any slot is right; processes that meet in one only wait for each other.
    ledger = LedgerStore(slot=secrets.randbelow(SLOTS))
    async with open_parts(settings, NAME, clock=clock) as opened, open_providers(settings) as providers:
        yield App(
            **opened.parts(),
            settings=settings,
            ledger=ledger,
            flusher=_flusher(settings, opened, ledger),
            providers=providers,
            notifier=Notifier(),
        )


@asynccontextmanager
async def open_providers(settings: PaymentSettings) -> AsyncIterator[Mapping[str, Provider]]:
    """Those that are configured, by name. Nobody is a provider by default."""
    url, api_key, secret = settings.sandbox_url, settings.sandbox_api_key, settings.sandbox_webhook_secret
    if url is None or api_key is None or secret is None:
        yield {}
        return
    sandbox = SandboxGateway(
        url=url,
        api_key=api_key.get_secret_value(),
        webhook_secret=secret.get_secret_value(),
        timeout_s=settings.provider_timeout_s,
    )
    for counter in (CONTRADICTIONS, MALFORMED, STALE):
        counter.labels(sandbox.name)  # an alert sees the first one only if there was a zero before it
    try:
        yield {sandbox.name: sandbox}
    finally:
        await sandbox.close()


def _flusher(settings: PaymentSettings, opened: Parts, ledger: LedgerStore) -> Flusher:
    return Flusher(
        partitions=settings.ledger_flushers,
        connect=opened.database.read,
        ledger=ledger,
        outbox_config=opened.outbox_config,
        wakeups=opened.wakeups,
        clock=opened.clock,
        batch_max=settings.ledger_batch_max,
    )
