"""Limits of wallets brought up to date where they are shown, or asked for, and not spent."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from chassis.postgres import Connection
from chassis.writes import write_together
from payment.adapters.account_reads import ACCOUNT_COLUMNS, standings_of
from payment.adapters.ledger_writes import ALWAYS, writes_of
from payment.domain.book import Book
from payment.domain.ids import UserId, WalletId
from payment.domain.ledger_account import LedgerAccount

_STALE: Final = f"""
    SELECT {ACCOUNT_COLUMNS} FROM account
    WHERE %s = $1 AND kind = 'wallet' AND (limits_fresh_until IS NULL OR limits_fresh_until <= $2)
    ORDER BY id FOR NO KEY UPDATE
"""
_OF_USER: Final = _STALE % "user_id"
_ONE: Final = _STALE % "id"


async def refresh_limits_of_user(conn: Connection, user_id: UserId, now: datetime) -> None:
    """Of the user's wallets; nearly always there is nothing to do, and no lock is taken."""
    await _refresh(conn, await conn.fetch(_OF_USER, user_id, now), now)


async def refresh_limits(conn: Connection, wallet: WalletId, now: datetime) -> None:
    """Of one wallet."""
    await _refresh(conn, await conn.fetch(_ONE, wallet, now), now)


async def _refresh(conn: Connection, stale: list[Any], now: datetime) -> None:
    accounts = {row["id"]: LedgerAccount(*row) for row in stale}
    book = Book(accounts, {}, {}, slot=0, now=now)
    book.bring_up_to_date(await standings_of(conn, accounts.values(), now))
    writes = list(writes_of(book, now))
    if writes:
        await write_together(conn, [ALWAYS, *writes])
