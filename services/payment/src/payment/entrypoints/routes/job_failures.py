"""``/v1/ops/payment/job-failures``: rows that jobs could not do, for the roles ops and admin."""

from __future__ import annotations

from operator import itemgetter
from typing import Any, Final

from chassis.http import Keyset, Page, PageQuery, Routes, roles
from payment.adapters import job_failure_reads
from payment.entrypoints.schemas.job_failures import JobFailureView
from payment.wiring import App

routes = Routes(tag="operators")
OPS: Final = roles("ops", "admin")
FAILURES: Final = Keyset("job-failures", (str, str))


@routes.get("/v1/ops/payment/job-failures", auth=OPS, summary="Rows that jobs could not do")
async def get_job_failures(query: PageQuery, app: App) -> Page[JobFailureView]:
    """Each is tried again by itself; the other rows of its job go on."""
    after = FAILURES.position(app.cursors, query.cursor)
    async with app.database.read() as conn:
        rows = await job_failure_reads.job_failures(conn, after=after, limit=query.limit + 1)
    return FAILURES.page(app.cursors, rows, query.limit, view=_view, position=itemgetter("job", "item_id"))


def _view(row: Any) -> JobFailureView:
    return JobFailureView(**dict(row))
