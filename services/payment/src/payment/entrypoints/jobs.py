"""What the clock makes payment do. Every round is small, so that a stop is quick and a crash loses nothing.

Each row has an outcome of its own (``attempt_batch``): one that cannot be done never stops the others.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from prometheus_client import Gauge

from payment.adapters import housekeeping_job, job_failure_reads, review_reads, top_up_reads
from payment.usecases.attempt_each import attempt_each
from payment.usecases.confirm_top_ups import confirm_top_ups
from payment.usecases.drive_top_ups import drive_top_ups
from payment.usecases.expire_holds import expire_holds
from payment.usecases.return_charges import return_charges
from payment.wiring import App

MONTHS_AHEAD: Final = 3
KEEP: Final = timedelta(days=30)
FAILING: Final = Gauge("payment_job_failures", "Rows that a job could not do and tries again", ["job"])
IN_REVIEW: Final = Gauge("payment_charges_in_review", "Charges in suspense that nobody decided about")
IN_REVIEW_AGE_S: Final = Gauge("payment_charges_in_review_oldest_seconds", "Age of the oldest of them, or 0")
RETURNING_AGE_S: Final = Gauge(
    "payment_charges_returning_oldest_seconds", "Since when the oldest charge that was sent back waits for its provider"
)
OPEN_AGE_S: Final = Gauge("payment_top_ups_oldest_open_seconds", "Age of the oldest top-up without an outcome, or 0")


async def top_ups(app: App) -> None:
    """Until nothing is due."""
    while await drive_top_ups(app.begin, app.providers):
        pass


async def confirmations(app: App) -> int:
    """One round of top-ups that ended."""
    return await confirm_top_ups(app.begin, app.providers)


async def expiry(app: App) -> None:
    """Until no hold is due that can be expired."""
    while await expire_holds(app.begin):
        pass


async def returns(app: App) -> int:
    """One round of charges that operators sent back."""
    return await return_charges(app.begin, app.providers)


async def transaction_months(app: App) -> None:
    """Partitions ahead."""

    async def make(month: date) -> None:
        async with app.database.begin() as conn:
            await housekeeping_job.make_month(conn, month)

    months = housekeeping_job.months_from(app.clock.now().date(), MONTHS_AHEAD)
    await attempt_each("transaction_months", months, make, app.begin, name=str)


async def forget_old(app: App) -> None:
    """Refusals and webhook ids that no retry can ask for any more, and failures of rows that are done with."""
    before = app.clock.now() - KEEP

    async def forget(table: str) -> None:
        more = True
        while more:
            async with app.database.begin() as conn:
                more = await housekeeping_job.forget_some(conn, table, before)

    await attempt_each("forget_old", list(housekeeping_job.FORGOTTEN), forget, app.begin, name=str)
    async with app.begin() as tx:
        await tx.job_failures.forget_untried(tx.now)


async def forget_done_failures(app: App) -> None:
    """Failures of rows that came to their end another way."""
    async with app.begin() as tx:
        await tx.job_failures.forget_done()


async def gauges(app: App) -> None:
    """What waits for a person, for the alerts."""
    async with app.database.read() as conn:
        failing = await job_failure_reads.count_by_job(conn)
        waiting, oldest_at = await review_reads.open_reviews(conn)
        returning_since = await review_reads.oldest_returning_at(conn)
        open_since = await top_up_reads.oldest_open_at(conn)
    FAILING.clear()
    for job, failures in failing.items():
        FAILING.labels(job).set(failures)
    IN_REVIEW.set(waiting)
    IN_REVIEW_AGE_S.set(_age_s(oldest_at, app))
    RETURNING_AGE_S.set(_age_s(returning_since, app))
    OPEN_AGE_S.set(_age_s(open_since, app))


def _age_s(since: datetime | None, app: App) -> float:
    return (app.clock.now() - since).total_seconds() if since else 0.0
