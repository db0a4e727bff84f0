"""A person signed up, changed or left: know their country and tier, open or suspend their wallets."""

from __future__ import annotations

from uuid import UUID

from kernel.country import Country
from payment.adapters.events import wallet_opened, wallet_suspended
from payment.domain.accounts import wallet_id
from payment.usecases.ports import Payer, Tx


async def register_payer(payer: Payer, tx: Tx) -> None:
    """Open the primary wallet in the country's currency."""
    now = tx.clock.now()
    await tx.wallets.add_payer(payer, now)
    currency = Country(payer.country).currency.value
    if await tx.wallets.open(payer.user_id, currency, payer.country, primary=True, now=now):
        opened = wallet_opened(
            wallet_id=wallet_id(payer.user_id, currency), user_id=payer.user_id, currency=currency, at=now
        )
        tx.outbox.add(opened, aggregate_version=1)


async def change_payer(payer: Payer, tx: Tx) -> None:
    """Limits follow the new tier at once. A wallet stays of the country it was opened in."""
    await tx.wallets.change_payer(payer, tx.clock.now())


async def suspend_payer(user_id: UUID, tx: Tx) -> None:
    """The person left: nothing moves in or out of their wallets; what they hold stays theirs."""
    now = tx.clock.now()
    await tx.wallets.end_payer(user_id, now)
    for suspended in await tx.wallets.suspend_all(user_id):
        event = wallet_suspended(wallet_id=suspended, user_id=user_id, reason_code="account_deleted", at=now)
        tx.outbox.add(event, aggregate_version=2)
