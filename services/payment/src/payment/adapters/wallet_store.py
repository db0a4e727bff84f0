"""Payers and their wallets in Postgres."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from chassis.postgres import OnConnection
from kernel.rows import rows_affected
from payment.adapters.limits_store import refresh_limits
from payment.domain.accounts import Payer, WalletCondition, WalletLimits, wallet_id
from payment.domain.ids import UserId, WalletId

_ADD_PAYER: Final = """
    INSERT INTO payer (user_id, country, kyc_tier, updated_at) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO NOTHING
"""
_CHANGE_PAYER: Final = """
    INSERT INTO payer (user_id, country, kyc_tier, updated_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (user_id) DO UPDATE SET
        country = excluded.country, kyc_tier = excluded.kyc_tier, updated_at = excluded.updated_at
"""
_REFRESH_AT_NEXT_USE: Final = """
    UPDATE spending SET fresh_until = '-infinity' WHERE account_id IN (
        SELECT id FROM account WHERE user_id = $1 AND kind = 'wallet' ORDER BY id FOR NO KEY UPDATE)
"""
_LOCK_PAYER: Final = """
    SELECT user_id, country, kyc_tier, ended_at IS NOT NULL AS ended FROM payer WHERE user_id = $1 FOR SHARE
"""
_END_PAYER: Final = "UPDATE payer SET ended_at = coalesce(ended_at, $2) WHERE user_id = $1"
_OPEN: Final = """
    INSERT INTO account (id, user_id, kind, currency, country, is_primary, created_at)
    VALUES ($1, $2, 'wallet', $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING
"""
_CURRENCIES_OFFERED: Final = "SELECT DISTINCT currency FROM tier_limit WHERE country = $1"
_SUSPEND_ALL: Final = """
    UPDATE account SET status = 'suspended' WHERE id IN (
        SELECT id FROM account WHERE user_id = $1 AND kind = 'wallet' AND status = 'active'
        ORDER BY id FOR NO KEY UPDATE)
    RETURNING id
"""
_LOCK_CONDITION: Final = """
    SELECT status, balance_minor FROM account WHERE id = $1 AND kind = 'wallet' FOR NO KEY UPDATE
"""
_LIMITS: Final = """
    SELECT balance_minor, status, currency, transaction_max_minor, balance_max_minor
    FROM account JOIN spending ON account_id = id WHERE id = $1
"""


class WalletStore(OnConnection):
    async def add_payer(self, payer: Payer, now: datetime) -> None:
        """Store a person; one that is stored already, by a change that came before the sign-up, stays as it is."""
        await self._conn.execute(_ADD_PAYER, payer.user_id, payer.country, payer.kyc_tier, now)

    async def change_payer(self, payer: Payer, now: datetime) -> None:
        """Store the new state; the wallets' limits are recomputed at their next use."""
        await self._conn.execute(_CHANGE_PAYER, payer.user_id, payer.country, payer.kyc_tier, now)
        await self._conn.execute(_REFRESH_AT_NEXT_USE, payer.user_id)

    async def lock_payer(self, user_id: UserId) -> Payer | None:
        """Whoever opens a wallet holds this, so that an account does not end in between and leave it open."""
        row = await self._conn.fetchrow(_LOCK_PAYER, user_id)
        return Payer(**row) if row else None

    async def end_payer(self, user_id: UserId, now: datetime) -> None:
        """The account was deleted."""
        await self._conn.execute(_END_PAYER, user_id, now)

    async def open(self, user_id: UserId, currency: str, country: str, *, primary: bool, now: datetime) -> bool:
        """False when it is open already."""
        wallet = wallet_id(user_id, currency)
        return rows_affected(await self._conn.execute(_OPEN, wallet, user_id, currency, country, primary, now)) == 1

    async def currencies_offered(self, country: str) -> frozenset[str]:
        """Currencies with limits for the country: without a limit there is no wallet."""
        return frozenset(row["currency"] for row in await self._conn.fetch(_CURRENCIES_OFFERED, country))

    async def suspend_all(self, user_id: UserId) -> Sequence[WalletId]:
        """The wallets that were active until now."""
        return [row["id"] for row in await self._conn.fetch(_SUSPEND_ALL, user_id)]

    async def lock_condition(self, wallet: WalletId) -> WalletCondition | None:
        """Lock the wallet and read whether it takes money."""
        row = await self._conn.fetchrow(_LOCK_CONDITION, wallet)
        return WalletCondition(**row) if row else None

    async def lock_limits(self, wallet: WalletId, now: datetime) -> WalletLimits | None:
        """Lock the wallet and read its limits as of ``now``."""
        if await self.lock_condition(wallet) is None:
            return None
        await refresh_limits(self._conn, wallet, now)
        row = await self._conn.fetchrow(_LIMITS, wallet)
        return WalletLimits(**row) if row else None
