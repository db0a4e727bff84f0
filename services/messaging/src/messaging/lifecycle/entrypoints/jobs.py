"""What ends by the clock: places of ended accounts, what is past its time, what erased people wrote. And the audit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog

from chassis.postgres import Connection
from chassis.run import Periodic, Runner
from messaging.core.adapters.ending_store import EndingStore
from messaging.lifecycle.adapters.erasure_store import ErasureStore
from messaging.lifecycle.adapters.invariants import audit
from messaging.lifecycle.adapters.sealed_reads import audit_sealed
from messaging.lifecycle.usecases.apply_retention import ApplyRetention, apply_retention
from messaging.lifecycle.usecases.erase_person import ErasePerson, erase_person
from messaging.lifecycle.usecases.make_months import make_months
from messaging.lifecycle.usecases.tidy_ended_account import tidy_ended_account
from messaging.wiring import App
from operations import audit_job
from operations.invariants import Finding, broken, snapshot

DUE_EVERY_S: Final = 1.0
RETENTION_EVERY_S: Final = 900.0
ERASURES_EVERY_S: Final = 60.0
MONTHS_EVERY_S: Final = 6 * 3600.0
ENDINGS_AT_ONCE: Final = 20
ERASURES_AT_ONCE: Final = 20
# A process that dies over an ended account is followed by another after this long.
ENDING_HELD: Final = timedelta(seconds=20)
log = structlog.get_logger(__name__)


def jobs(app: App) -> Sequence[Runner]:
    return [
        Periodic("endings", DUE_EVERY_S, lambda: tidy_after_ended(app)),
        Periodic("months", MONTHS_EVERY_S, lambda: make_months(app.clock.now(), app.begin)),
        Periodic("retention", RETENTION_EVERY_S, lambda: run_retention(app)),
        Periodic("erasures", ERASURES_EVERY_S, lambda: run_erasures(app)),
        audit_job(app, lambda conn: count_violations(app, conn)),
    ]


async def tidy_after_ended(app: App) -> None:
    """End the places of accounts that have ended. One that fails is left for a while and holds nobody up."""
    async with app.database.begin() as conn:
        now = app.clock.now()
        due = await EndingStore(conn).take_endings(now, now + ENDING_HELD, ENDINGS_AT_ONCE)
    for user_id, requested_at in due:
        try:
            await tidy_ended_account(user_id, requested_at, app.begin)
        except Exception:  # whatever it is, it is about this one
            log.exception("account_ending_failed", user_id=str(user_id))


async def run_retention(app: App) -> None:
    """Hide and delete what is past its time."""
    await apply_retention(retention_of(app), app.begin)


async def run_erasures(app: App) -> None:
    """Those whose time has come, and those that were cut short. One that fails holds up no other, and is told of."""
    async with app.database.read() as conn:
        due = await ErasureStore(conn).due_erasures(app.clock.now(), ERASURES_AT_ONCE)
    failed = []
    for user_id in due:
        command = ErasePerson(user_id=user_id, reason="account_deleted", now=app.clock.now())
        try:
            await erase_person(command, app.begin, app.keys)
        except Exception as error:
            log.exception("erasure.failed", user_id=str(user_id))
            failed.append(error)
    if failed:
        raise ExceptionGroup("erasures failed", failed)


def retention_of(app: App) -> ApplyRetention:
    """What the workspace keeps, as of now."""
    return ApplyRetention(days_max=app.settings.retention_days_max, now=app.clock.now())


async def find_violations(app: App, conn: Connection) -> Sequence[Finding]:
    """What the queries find, and what does not open."""
    return [*await audit(conn), await audit_sealed(conn, app.keys.wrapping)]


async def count_violations(app: App, conn: Connection) -> int:
    async with snapshot(conn):
        return len(broken(await find_violations(app, conn)))
