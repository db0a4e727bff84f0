"""What happens to files by themselves: scanned when they are whole, removed when nobody can get them any more.

A file that fails, whatever the fault, is told and comes again; the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from chassis.run import Periodic, Runner
from messaging.core.adapters.attachment_store import AttachmentStore
from messaging.files.adapters.inspection_gateway import FileInspector
from messaging.files.usecases.ports import FileTools
from messaging.files.usecases.scan_attachment import scan_attachment
from messaging.wiring import App
from operations import alone

SCAN_EVERY_S, SCAN_IDLE_S = 0.3, 1.0
CLEAN_EVERY_S: Final = 120.0
AT_ONCE: Final = 4
# A process that dies while it scans is followed by another after this long.
CLAIMED: Final = timedelta(minutes=3)


def jobs(app: App) -> Sequence[Runner]:
    return [
        Periodic("attachments-judge", SCAN_EVERY_S, lambda: scan_due(app), idle_s=SCAN_IDLE_S),
        Periodic("attachments-clean", CLEAN_EVERY_S, lambda: remove_gone(app)),
    ]


async def scan_due(app: App) -> bool:
    """Give verdicts on what waits for one. False when nothing did."""
    now = app.clock.now()
    async with app.database.begin() as conn:
        due = await AttachmentStore(conn).claim_due(now, now + CLAIMED, AT_ONCE)
    tools = FileTools(objects=app.objects, scanner=app.scanner, inspector=FileInspector())
    waiting = {each.attachment_id: each for each in due}

    async def scan(attachment_id: UUID) -> None:
        await scan_attachment(waiting[attachment_id], app.begin, tools)

    await asyncio.gather(*(alone(each, scan) for each in waiting))
    return bool(due)


async def remove_gone(app: App) -> None:
    """End what is still unused, delete its bytes, then note it: a crash between deletes them again."""
    now = app.clock.now()
    async with app.database.read() as conn:
        gone = await AttachmentStore(conn).to_remove(now, 200)
    for attachment_id in gone:
        await alone(attachment_id, partial(_remove, app, now))


async def _remove(app: App, now: datetime, attachment_id: UUID) -> None:
    async with app.database.begin() as conn:
        widths = await AttachmentStore(conn).end_gone(attachment_id, now)
    if widths is None:
        return
    for key in (str(attachment_id), *(f"{attachment_id}.{width}" for width in widths)):
        await app.objects.remove(key)
    async with app.database.begin() as conn:
        await AttachmentStore(conn).note_removed(attachment_id)
