"""Open a wallet of another currency that the person's country offers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from payment.adapters.events import wallet_opened
from payment.domain.accounts import wallet_id
from payment.domain.errors import (
    AccountEndedError,
    CurrencyNotOfferedError,
    WalletAlreadyOpenError,
    WalletNotFoundError,
)
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWallet:
    user_id: UUID
    currency: str


async def open_wallet(cmd: OpenWallet, tx: Tx) -> UUID:
    """Returns the wallet's id. Raises when it is open already or the currency is not offered."""
    payer = await tx.wallets.lock_payer(cmd.user_id)
    if payer is None:
        raise WalletNotFoundError("your first wallet is still being opened; try again in a moment")
    if payer.ended:
        raise AccountEndedError
    if cmd.currency not in await tx.wallets.currencies_offered(payer.country):
        raise CurrencyNotOfferedError(pointer="/currency")
    now = tx.clock.now()
    if not await tx.wallets.open(cmd.user_id, cmd.currency, payer.country, primary=False, now=now):
        raise WalletAlreadyOpenError
    opened = wallet_id(cmd.user_id, cmd.currency)
    record = wallet_opened(wallet_id=opened, user_id=cmd.user_id, currency=cmd.currency, at=now)
    tx.outbox.add(record, aggregate_version=1)
    return opened
