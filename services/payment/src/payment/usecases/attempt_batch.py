"""One job's work on many rows, each with an outcome of its own: the row that cannot be done never stops the others.

Rows are done together while that works. When it fails they are done by halves, until the one at fault fails alone: it
is written down for operators (``job_failure``), logged, and tried again later, each time after a longer while.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

import structlog
from prometheus_client import Counter

from payment.usecases.ports import Begin

ItemT = TypeVar("ItemT")
FAILURES: Final = Counter("payment_job_item_failures", "Rows that a job could not do, by job", ["job"])
_ERROR_CHARS_MAX: Final = 500
log = structlog.get_logger(__name__)


class NoOutcomeError(Exception):
    """The work says nothing about its row: what is written down of it stays as it is, and nothing is added."""

    def __init__(self, next_attempt_at: datetime | None = None) -> None:
        """``next_attempt_at``: when it is tried again, where the work itself has seen to that."""
        super().__init__()
        self.next_attempt_at = next_attempt_at


async def attempt_batch(
    job: str,
    items: Sequence[ItemT],
    work: Callable[[Sequence[ItemT]], Awaitable[None]],
    begin: Begin,
    *,
    name: Callable[[ItemT], str],
) -> int:
    """Do the work; returns how many were done. Raises only where not even a failure can be written down."""
    try:
        await work(items)
    except NoOutcomeError as error:
        if error.next_attempt_at is not None:
            async with begin() as tx:
                await tx.job_failures.postpone(job, [name(item) for item in items], error.next_attempt_at)
        return 0
    except Exception as error:  # noqa: BLE001 -- whatever it is, it must not reach the other rows
        if len(items) > 1:
            middle = len(items) // 2
            first = await attempt_batch(job, items[:middle], work, begin, name=name)
            return first + await attempt_batch(job, items[middle:], work, begin, name=name)
        await _write_down(job, name(items[0]), error, begin)
        return 0
    async with begin() as tx:
        await tx.job_failures.clear(job, [name(item) for item in items])
    return len(items)


async def _write_down(job: str, item_id: str, error: Exception, begin: Begin) -> None:
    text = f"{type(error).__name__}: {error}".replace("\x00", "")[:_ERROR_CHARS_MAX]
    FAILURES.labels(job).inc()
    async with begin() as tx:
        attempts = await tx.job_failures.record(job, item_id, text, tx.now)
    log.error("job.item_failed", job=job, item_id=item_id, attempts=attempts, error=text)
