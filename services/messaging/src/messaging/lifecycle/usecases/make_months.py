"""Make the months to come of the partitioned tables."""

from __future__ import annotations

from datetime import datetime

import structlog

from messaging.lifecycle.domain.month import TABLES, MonthBusyError, wanted_months
from messaging.lifecycle.usecases.ports import Begin

log = structlog.get_logger(__name__)


async def make_months(now: datetime, begin: Begin) -> int:
    """How many were made. One that cannot get its lock is made by the next run."""
    made = 0
    for table in TABLES:
        async with begin() as tx:
            there = {each.name for each in await tx.months.months_of(table)}
        for month in wanted_months(now):
            if month.table == table and month.name not in there:
                try:
                    async with begin() as tx:
                        await tx.months.make_month(month)
                    made += 1
                except MonthBusyError:
                    log.warning("retention.month_busy", month=month.name)
    return made
