"""A person left: their wallets are suspended."""

from __future__ import annotations

from dataclasses import dataclass

from payment.domain.accounts import SuspensionReason
from payment.domain.ids import UserId
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspendPayer:
    user_id: UserId


async def suspend_payer(command: SuspendPayer, tx: Tx) -> None:
    """Nothing moves in or out of their wallets any more; what they hold stays theirs."""
    user_id = command.user_id
    await tx.wallets.end_payer(user_id, tx.now)
    for suspended in await tx.wallets.suspend_all(user_id):
        tx.events.wallet_suspended(wallet_id=suspended, user_id=user_id, reason=SuspensionReason.ACCOUNT_DELETED)
