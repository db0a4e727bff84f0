"""Open a wallet of another currency that the person's country offers."""

from __future__ import annotations

from dataclasses import dataclass

from payment.domain.accounts import (
    AccountEndedError,
    CurrencyNotOfferedError,
    WalletAlreadyOpenError,
    WalletNotFoundError,
    wallet_id,
)
from payment.domain.ids import UserId, WalletId
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWallet:
    user_id: UserId
    currency: str


async def open_wallet(command: OpenWallet, tx: Tx) -> WalletId:
    """Returns the wallet's id. Raises when it is open already or the currency is not offered."""
    payer = await tx.wallets.lock_payer(command.user_id)
    if payer is None:
        raise WalletNotFoundError("your first wallet is still being opened; try again in a moment")
    if payer.ended:
        raise AccountEndedError
    if command.currency not in await tx.wallets.currencies_offered(payer.country):
        raise CurrencyNotOfferedError(pointer="/currency")
    if not await tx.wallets.open(command.user_id, command.currency, payer.country, primary=False, now=tx.now):
        raise WalletAlreadyOpenError
    opened = wallet_id(command.user_id, command.currency)
    tx.events.wallet_opened(wallet_id=opened, user_id=command.user_id, currency=command.currency)
    return opened
