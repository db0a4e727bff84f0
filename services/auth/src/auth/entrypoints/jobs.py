"""What runs by the clock.

Every process keeps its copy of the signing keys fresh; one ``jobs`` role does the rest, and doing it twice does
no harm.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from auth.usecases.rotate_keys import ensure_keys
from auth.wiring import App
from chassis.run import Periodic, Runner
from operations import background as operated
from operations import housekeeping

_log = structlog.get_logger(__name__)

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


def background(app: App) -> list[Runner]:
    """In every role."""
    return [*operated(app), Periodic("signing-keys-copy", 10.0, app.load_keys)]


def jobs(app: App) -> list[Runner]:
    async def announce_revocations() -> None:
        told = await app.announcer.announce_missing()
        if told:
            _log.info("revocations_told_again", sessions=told)

    async def rotate_signing_keys() -> None:
        async with app.begin() as tx:
            await ensure_keys(tx, app.tools.clock)

    async def purge_old_rows() -> None:
        now = app.tools.clock.now()
        async with app.database.read() as conn:
            await conn.execute(_PURGE_CODES, now - _CODES_KEPT, _BATCH)
            await conn.execute(_PURGE_SESSIONS, now - _SESSIONS_KEPT, _BATCH)
            await conn.execute(_PURGE_NETWORKS, now - _NETWORKS_KEPT, _BATCH)

    def turn_months(table: str, kept: int) -> Periodic:
        """A runner each: what is wrong with one table stops no other."""

        async def turn() -> None:
            async with app.database.begin() as conn:
                await conn.execute("SELECT auth.ensure_months($1, $2)", table, _MONTHS_AHEAD)
                await conn.execute("SELECT auth.drop_months($1, $2)", table, kept)

        return Periodic(f"turn-months-{table}", 3600.0, turn)

    return [
        Periodic("announce-revocations", 0.8, announce_revocations),
        Periodic("rotate-signing-keys", 60.0, rotate_signing_keys),
        Periodic("purge-old-rows", 600.0, purge_old_rows),
        turn_months("login_attempt", app.settings.login_attempts_kept_months),
        turn_months("security_event", app.settings.security_events_kept_months),
        *housekeeping(app, idempotency_keys=False),
    ]
