"""Rows of accounts as the ledger decides on them, and what brings a wallet's limits up to date."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from chassis.postgres import Connection
from kernel.country import Country
from kernel.money import AMOUNT_MINOR_MAX
from kernel.rows import object_of
from payment.domain.ids import AccountId
from payment.domain.ledger import Op
from payment.domain.ledger_account import LedgerAccount
from payment.domain.rules import accounts_named
from payment.domain.spending import Standing

# In the order of the fields of LedgerAccount. No limit is AMOUNT_MINOR_MAX.
ACCOUNT_COLUMNS: Final = f"""
    id, user_id, kind, status, currency, balance_minor, frozen_minor, version, spent_on, spent_day_minor,
    spent_month_minor, spent_prior_minor, coalesce(limit_transaction_minor, {AMOUNT_MINOR_MAX}),
    coalesce(limit_day_minor, {AMOUNT_MINOR_MAX}), coalesce(limit_month_minor, {AMOUNT_MINOR_MAX}),
    coalesce(limit_rolling_minor, {AMOUNT_MINOR_MAX}), coalesce(limit_balance_minor, {AMOUNT_MINOR_MAX}),
    nullif(limits_fresh_until, '-infinity')
"""
# A wallet that was opened by a version before this column has its owner's country.
_STANDINGS: Final = f"""
    WITH wallet AS MATERIALIZED (
        SELECT a.id, coalesce(a.country, p.country) AS country, p.kyc_tier, a.currency, a.spent_on
        FROM account a JOIN payer p ON p.user_id = a.user_id WHERE a.id = ANY ($1::uuid[])
    ), tier AS MATERIALIZED (
        SELECT country, kyc_tier, currency, max(amount_minor) FILTER (WHERE kind = 'transaction') AS transaction_minor,
               max(amount_minor) FILTER (WHERE kind = 'daily') AS day_minor,
               max(amount_minor) FILTER (WHERE kind = 'monthly') AS month_minor,
               max(amount_minor) FILTER (WHERE kind = 'rolling_12_months') AS rolling_minor,
               max(amount_minor) FILTER (WHERE kind = 'balance') AS balance_minor, min(valid_to) AS valid_until
        FROM tier_limit
        WHERE (country, kyc_tier, currency) IN (SELECT country, kyc_tier, currency FROM wallet)
            AND valid_from <= $2 AND valid_to > $2
        GROUP BY country, kyc_tier, currency
    )
    SELECT wallet.id, wallet.country, coalesce(transaction_minor, {AMOUNT_MINOR_MAX}) AS transaction_minor,
           coalesce(day_minor, {AMOUNT_MINOR_MAX}) AS day_minor,
           coalesce(month_minor, {AMOUNT_MINOR_MAX}) AS month_minor,
           coalesce(rolling_minor, {AMOUNT_MINOR_MAX}) AS rolling_minor,
           coalesce(balance_minor, {AMOUNT_MINOR_MAX}) AS balance_minor,
           nullif(valid_until, 'infinity') AS valid_until,
           ARRAY(SELECT (month, amount_minor) FROM spending_month m
                 WHERE m.account_id = wallet.id AND m.month > wallet.spent_on - 400) AS months
    FROM wallet LEFT JOIN tier USING (country, kyc_tier, currency)
"""
_LOCKED: Final = """
    WITH free AS MATERIALIZED (
        SELECT id FROM account WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
    SELECT id FROM account WHERE id = ANY ($1::uuid[]) AND id NOT IN (SELECT id FROM free)
"""


async def locked_among(conn: Connection, ops: Sequence[Op]) -> frozenset[AccountId]:
    """The accounts that the operations name and somebody else has locked now. ``conn`` is in no transaction."""
    return frozenset(row["id"] for row in await conn.fetch(_LOCKED, list(accounts_named(ops))))


async def standings_of(conn: Connection, accounts: Iterable[LedgerAccount], now: datetime) -> dict[AccountId, Standing]:
    """What those of the accounts must be brought up to date with whose limits are stale."""
    stale = [account.id for account in accounts if account.has_stale_limits(now)]
    return {row["id"]: _standing(row) for row in await conn.fetch(_STANDINGS, stale, now)} if stale else {}


def _standing(row: Any) -> Standing:
    return object_of(Standing, row, country=Country(row["country"]), months=dict(row["months"]))
