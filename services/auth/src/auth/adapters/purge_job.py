"""Delete rows that are long over; make the next months of the logs and drop the oldest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from chassis.postgres import Connection

_CODES_KEPT: Final = timedelta(days=1)
_SESSIONS_KEPT: Final = timedelta(days=30)
_NETWORKS_KEPT: Final = timedelta(days=90)
_BATCH: Final = 5000
_MONTHS_AHEAD: Final = 2
_PURGE_CODES: Final = """
DELETE FROM one_time_code WHERE id IN (SELECT id FROM one_time_code WHERE expires_at < $1 LIMIT $2)
"""
_PURGE_SESSIONS: Final = """
DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_at < $1 LIMIT $2)
"""
_PURGE_NETWORKS: Final = """
DELETE FROM known_network WHERE (user_id, network) IN (
    SELECT user_id, network FROM known_network WHERE seen_at < $1 LIMIT $2)
"""
_ENSURE_MONTHS: Final = """
SELECT auth.ensure_months($1, $2)
"""
_DROP_MONTHS: Final = """
SELECT auth.drop_months($1, $2)
"""


async def purge_old_rows(conn: Connection, now: datetime) -> None:
    """Codes, sessions and known networks that are long over, a batch of each."""
    await conn.execute(_PURGE_CODES, now - _CODES_KEPT, _BATCH)
    await conn.execute(_PURGE_SESSIONS, now - _SESSIONS_KEPT, _BATCH)
    await conn.execute(_PURGE_NETWORKS, now - _NETWORKS_KEPT, _BATCH)


async def turn_months(conn: Connection, table: str, kept: int) -> None:
    """The table has its next months, and those that ended more than ``kept`` months ago are gone."""
    await conn.execute(_ENSURE_MONTHS, table, _MONTHS_AHEAD)
    await conn.execute(_DROP_MONTHS, table, kept)
