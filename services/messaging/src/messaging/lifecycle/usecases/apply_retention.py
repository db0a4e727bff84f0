"""End what is past its time: first nobody can read it, then it is deleted, a batch a transaction.

Crosses many transactions; killed anywhere, the next run goes on. A dialog that fails is told, and the others go on.
What is older than the workspace's limit goes with its month; what a dialog itself limits is deleted row by row.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import structlog

from messaging.lifecycle.domain.month import TABLES, MonthBusyError
from messaging.lifecycle.domain.retention import Purgeable
from messaging.lifecycle.usecases.ports import Begin, Tx
from operations import alone

Item = TypeVar("Item")
PAGE: Final = 500
BATCH: Final = 1_000
_FIRST: Final = UUID(int=0)
# Clocks of nodes differ, and a message sent just before a month ended may be stored just after.
_MARGIN: Final = timedelta(days=1)
# A device that was away for longer fetches its list of dialogs anew.
ACCOUNT_CHANGES_KEPT: Final = timedelta(days=60)
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Ended:
    """What a run did."""

    dialogs: int = 0
    rows: int = 0
    months: int = 0
    held: int = 0
    account_changes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRetention:
    """``days_max``: the workspace's limit; None keeps everything that no dialog limits."""

    days_max: int | None
    now: datetime


async def apply_retention(command: ApplyRetention, begin: Begin) -> Ended:
    """What was ended."""
    ended, days_max, now = Ended(), command.days_max, command.now
    await _hide(begin, days_max, now, ended)
    await _delete(begin, days_max, ended)
    await _trim_accounts(begin, now - ACCOUNT_CHANGES_KEPT, ended)
    if days_max is not None:
        await _drop_months(begin, now - timedelta(days=days_max) - _MARGIN, ended)
    return ended


async def _for_each(
    read: Callable[[UUID, Tx], Awaitable[list[Item]]],
    id_of: Callable[[Item], UUID],
    act: Callable[[Item], Awaitable[None]],
    begin: Begin,
) -> None:
    """Page by page; ``read`` gives those behind an id, in order. One that fails is told, and the others go on."""
    after = _FIRST
    while True:
        async with begin() as tx:
            page = await read(after, tx)
        for each in page:
            await alone(each, act)
        if len(page) < PAGE:
            return
        after = id_of(page[-1])


async def _hide(begin: Begin, days_max: int | None, now: datetime, ended: Ended) -> None:
    async def due(after: UUID, tx: Tx) -> list[UUID]:
        return await tx.retention.due_dialogs(days_max, now, after, PAGE)

    await _for_each(due, lambda each: each, partial(_hide_in, begin, days_max, now, ended), begin)


async def _hide_in(begin: Begin, days_max: int | None, now: datetime, ended: Ended, dialog_id: UUID) -> None:
    async with begin() as tx:
        oldest_seq = await _advance(dialog_id, days_max, now, tx)
    if oldest_seq is not None:
        ended.dialogs += 1
        await _move_cursors(begin, dialog_id, oldest_seq)


async def _advance(dialog_id: UUID, days_max: int | None, now: datetime, tx: Tx) -> int | None:
    """Readers see nothing older from now on, and who watches is told. None when the dialog keeps everything by now."""
    dialog = await tx.stream.lock(dialog_id)
    cutoff = await tx.retention.cutoff_of(dialog_id, days_max, now)
    if cutoff is None:
        return None
    oldest_seq = await tx.retention.first_seq_since(dialog_id, cutoff)
    if dialog.oldest_seq < oldest_seq:
        await tx.retention.set_oldest_seq(dialog_id, oldest_seq)
        tx.stream.change(dialog, "dialog.changed", payload={"dialog": {"oldest_seq": oldest_seq}})
    return oldest_seq


async def _move_cursors(begin: Begin, dialog_id: UUID, oldest_seq: int) -> None:
    while True:
        async with begin() as tx:
            moved = await tx.retention.move_cursors(dialog_id, oldest_seq, BATCH)
        if moved < BATCH:
            return


async def _delete(begin: Begin, days_max: int | None, ended: Ended) -> None:
    async def purgeable(after: UUID, tx: Tx) -> list[Purgeable]:
        return await tx.retention.purgeable_dialogs(days_max, after, PAGE)

    await _for_each(purgeable, lambda each: each.dialog_id, partial(_purge, begin, ended), begin)


async def _purge(begin: Begin, ended: Ended, past: Purgeable) -> None:
    while True:
        async with begin() as tx:
            deleted = await tx.retention.purge(past, BATCH)
        ended.rows += deleted
        if not deleted:
            return


async def _trim_accounts(begin: Begin, before: datetime, ended: Ended) -> None:
    while True:
        async with begin() as tx:
            trimmed = await tx.retention.trim_account_changes(before, BATCH)
        ended.account_changes += trimmed
        if not trimmed:
            return


async def _drop_months(begin: Begin, before: datetime, ended: Ended) -> None:
    for table in TABLES:
        async with begin() as tx:
            old = [each for each in await tx.months.months_of(table) if each.end <= before.date()]
        for month in old:
            try:
                async with begin() as tx:
                    ended.held += await tx.months.drop_month(month)
                ended.months += 1
            except MonthBusyError:
                log.warning("retention.month_busy", month=month.name)
