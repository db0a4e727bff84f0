"""A person's country or tier changed."""

from __future__ import annotations

from dataclasses import dataclass

from payment.domain.accounts import Payer
from payment.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePayer:
    payer: Payer


async def change_payer(command: ChangePayer, tx: Tx) -> None:
    """Limits follow the new tier at once. A wallet stays of the country it was opened in."""
    await tx.wallets.change_payer(command.payer, tx.now)
