"""Wallets as their owner sees them: queries name the owner, row policies are the second wall."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from chassis.postgres import Connection
from payment.domain.ids import UserId, WalletId

_OF_USER: Final = """
    SELECT a.id, a.currency, a.status, a.is_primary, a.balance_minor, a.frozen_minor, a.created_at,
           s.transaction_max_minor, s.day_max_minor, s.month_max_minor, s.rolling_max_minor, s.balance_max_minor,
           coalesce(s.day_minor, 0) AS day_minor, coalesce(s.month_minor, 0) AS month_minor
    FROM account a LEFT JOIN spending s ON s.account_id = a.id
    WHERE a.kind = 'wallet' AND a.user_id = $1
"""
_WALLETS: Final = f"{_OF_USER} ORDER BY a.is_primary DESC, a.currency"
_WALLET: Final = f"{_OF_USER} AND a.id = $2"
Row = Any


async def wallets(conn: Connection, user_id: UserId) -> Sequence[Row]:
    """The user's wallets, primary first."""
    return await conn.fetch(_WALLETS, user_id)


async def wallet(conn: Connection, user_id: UserId, wallet_id: WalletId) -> Row | None:
    """One of the user's wallets, with its limits and what was used of them."""
    return await conn.fetchrow(_WALLET, user_id, wallet_id)
