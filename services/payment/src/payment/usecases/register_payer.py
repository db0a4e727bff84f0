"""A person signed up: know their country and tier, and open their first wallet."""

from __future__ import annotations

from dataclasses import dataclass

from kernel.country import Country
from payment.domain.accounts import Payer, wallet_id
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterPayer:
    payer: Payer


async def register_payer(command: RegisterPayer, tx: Tx) -> None:
    """Open the primary wallet in the country's currency."""
    payer = command.payer
    await tx.wallets.add_payer(payer, tx.now)
    currency = Country(payer.country).currency.value
    if await tx.wallets.open(payer.user_id, currency, payer.country, primary=True, now=tx.now):
        opened = wallet_id(payer.user_id, currency)
        tx.events.wallet_opened(wallet_id=opened, user_id=payer.user_id, currency=currency)
