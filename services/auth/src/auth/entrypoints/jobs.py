"""What runs by the clock. Doing any of it twice does no harm."""

from __future__ import annotations

from functools import partial

import structlog

from auth.adapters.purge_job import purge_old_rows, turn_months
from auth.usecases.ensure_keys import ensure_keys
from auth.wiring import App
from chassis.run import Periodic

log = structlog.get_logger(__name__)


def periodic_jobs(app: App) -> list[Periodic]:
    settings = app.settings
    return [
        Periodic("announce-revocations", 0.8, partial(_announce_revocations, app)),
        Periodic("rotate-signing-keys", 60.0, partial(_rotate_signing_keys, app)),
        Periodic("purge-old-rows", 600.0, partial(_purge_old_rows, app)),
        _months_of("login_attempt", settings.login_attempts_kept_months, app),
        _months_of("security_event", settings.security_events_kept_months, app),
    ]


async def _announce_revocations(app: App) -> None:
    announced = await app.announcer.announce_missing()
    if announced:
        log.info("revocations.announced_again", sessions=announced)


async def _rotate_signing_keys(app: App) -> None:
    async with app.begin() as tx:
        await ensure_keys(tx)


async def _purge_old_rows(app: App) -> None:
    async with app.database.read() as conn:
        await purge_old_rows(conn, app.clock.now())


def _months_of(table: str, kept: int, app: App) -> Periodic:
    """A runner each: what is wrong with one table stops no other."""

    async def turn() -> None:
        async with app.database.begin() as conn:
            await turn_months(conn, table, kept)

    return Periodic(f"turn-months-{table}", 3600.0, turn)
