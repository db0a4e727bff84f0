"""What readers get, straight from the tables. Every query names the owner; row-level policies are the second wall."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from payment.adapters.ledger import Connection

_WALLET: Final = """
    SELECT a.id, a.currency, a.status, a.is_primary, a.balance_minor, a.frozen_minor, a.created_at,
           s.transaction_max_minor, s.day_max_minor, s.month_max_minor, s.rolling_max_minor, s.balance_max_minor,
           coalesce(s.day_minor, 0) AS day_minor, coalesce(s.month_minor, 0) AS month_minor,
           s.fresh_until > now() AS limits_fresh
    FROM account a LEFT JOIN spending s ON s.account_id = a.id
    WHERE a.kind = 'wallet' AND a.user_id = $1
"""
_TRANSACTION: Final = (
    "SELECT id, wallet_id, created_at, type, status, amount_minor, currency, balance_after_minor, completed_at,"
    " reference_id, counterpart_user_id, description, failure_code FROM wallet_transaction"
)
# A charge that a provider names under two references is the one's in whose name it is booked.
_TOP_UP: Final = (
    "SELECT u.id, u.wallet_id, u.amount_minor, u.currency, u.provider, u.state, u.failure_code, u.created_at,"
    " u.completed_at, l.amount_minor AS charged_minor, l.currency AS charged_currency FROM top_up u"
    " LEFT JOIN provider_line l ON l.provider = u.provider AND l.charge_id = u.provider_charge_id"
    " AND l.reference_id = u.id"
)
_REVIEW: Final = (
    "SELECT l.transfer_id AS review_id, l.provider, l.charge_id, l.amount_minor, l.currency, l.suspense_reason,"
    " l.review_state, l.seen_at, l.reviewed_at, l.reviewed_by, l.review_note, u.id AS top_up_id, u.user_id,"
    " u.wallet_id, u.amount_minor AS asked_minor, u.currency AS asked_currency"
    " FROM provider_line l LEFT JOIN top_up u ON u.id = l.reference_id AND u.provider = l.provider"
)
Row = Any


async def refresh_limits(conn: Connection, user_id: UUID, now: datetime) -> None:
    """Bring the limits that the user's wallets show up to date; a no-op nearly always."""
    await conn.execute(
        "SELECT spending_refresh(a.id, $2) FROM"
        " (SELECT id FROM account WHERE user_id = $1 AND kind = 'wallet' ORDER BY id FOR NO KEY UPDATE) a"
        " LEFT JOIN spending s ON s.account_id = a.id WHERE s.fresh_until IS NULL OR s.fresh_until <= $2",
        user_id,
        now,
    )


async def wallets(conn: Connection, user_id: UUID) -> Sequence[Row]:
    """The user's wallets, primary first."""
    rows: Sequence[Row] = await conn.fetch(f"{_WALLET} ORDER BY a.is_primary DESC, a.currency", user_id)
    return rows


async def wallet(conn: Connection, user_id: UUID, wallet_id: UUID) -> Row | None:
    return await conn.fetchrow(f"{_WALLET} AND a.id = $2", user_id, wallet_id)


async def transactions(
    conn: Connection,
    user_id: UUID,
    wallet_id: UUID,
    *,
    before: tuple[datetime, UUID] | None,
    kind: str | None,
    status: str | None,
    limit: int,
) -> Sequence[Row]:
    """Newest first, older than ``before``."""
    created_at, last_id = before or (None, None)
    rows: Sequence[Row] = await conn.fetch(
        f"{_TRANSACTION} WHERE wallet_id = $1 AND user_id = $2"
        " AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))"
        " AND ($5::text IS NULL OR type = $5) AND ($6::text IS NULL OR status = $6)"
        " ORDER BY created_at DESC, id DESC LIMIT $7",
        wallet_id,
        user_id,
        created_at,
        last_id,
        kind,
        status,
        limit,
    )
    return rows


async def transfer(conn: Connection, user_id: UUID, transfer_id: UUID) -> Row | None:
    """A transfer between people, for either of them."""
    return await conn.fetchrow(
        "SELECT t.id, t.amount_minor, t.currency, t.note, t.at, d.user_id AS sender_id, c.user_id AS recipient_id"
        " FROM transfer t JOIN account d ON d.id = t.debit_id JOIN account c ON c.id = t.credit_id"
        " WHERE t.id = $1 AND t.kind = 1 AND $2 IN (d.user_id, c.user_id)",
        transfer_id,
        user_id,
    )


async def top_up(conn: Connection, user_id: UUID, top_up_id: UUID) -> Row | None:
    return await conn.fetchrow(
        f"{_TOP_UP} WHERE u.id = $1 AND u.user_id = $2",
        top_up_id,
        user_id,
    )


async def reviews(conn: Connection, *, after: tuple[datetime, UUID] | None, limit: int) -> Sequence[Row]:
    """Charges in suspense that are not at their end, oldest first."""
    seen_at, last_id = after or (None, None)
    rows: Sequence[Row] = await conn.fetch(
        f"{_REVIEW} WHERE l.review_state IN ('open', 'returning')"
        " AND ($1::timestamptz IS NULL OR (l.seen_at, l.transfer_id) > ($1, $2::uuid))"
        " ORDER BY l.seen_at, l.transfer_id LIMIT $3",
        seen_at,
        last_id,
        limit,
    )
    return rows


async def review(conn: Connection, review_id: UUID) -> Row | None:
    return await conn.fetchrow(f"{_REVIEW} WHERE l.transfer_id = $1 AND l.review_state IS NOT NULL", review_id)


async def open_reviews(conn: Connection) -> tuple[int, datetime | None]:
    """How many charges wait for a decision, and since when the oldest does."""
    row = await conn.fetchrow(
        "SELECT count(*) AS waiting, min(seen_at) AS oldest_at FROM provider_line WHERE review_state = 'open'"
    )
    return (row["waiting"], row["oldest_at"]) if row else (0, None)


async def oldest_returning_at(conn: Connection) -> datetime | None:
    """Since when the oldest charge that an operator sent back waits for its provider's yes."""
    at: datetime | None = await conn.fetchval(
        "SELECT min(reviewed_at) FROM provider_line WHERE review_state = 'returning'"
    )
    return at


async def oldest_open_top_up_at(conn: Connection) -> datetime | None:
    """Since when the oldest top-up waits for its provider's word."""
    at: datetime | None = await conn.fetchval("SELECT min(created_at) FROM top_up WHERE next_attempt_at IS NOT NULL")
    return at


async def failures_of_jobs(conn: Connection, *, after: tuple[str, str] | None, limit: int) -> Sequence[Row]:
    """Rows that jobs could not do, by job."""
    job, item_id = after or ("", "")
    rows: Sequence[Row] = await conn.fetch(
        "SELECT job, item_id, attempts, error, failed_first_at, failed_last_at, next_attempt_at FROM job_failure"
        " WHERE (job, item_id) > ($1, $2) ORDER BY job, item_id LIMIT $3",
        job,
        item_id,
        limit,
    )
    return rows
