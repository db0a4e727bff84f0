"""Which messages are pinned in a dialog."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from kernel.rows import rows_affected

_ADD: Final = """
    INSERT INTO pinned_message (dialog_id, seq, pinned_by, pinned_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""


class PinStore(OnConnection):
    async def count(self, dialog_id: UUID) -> int:
        return int(await self._conn.fetchval("SELECT count(*) FROM pinned_message WHERE dialog_id = $1", dialog_id))

    async def add(self, dialog_id: UUID, seq: int, *, by: UUID, now: datetime) -> bool:
        """Whether it was not pinned before."""
        return rows_affected(await self._conn.execute(_ADD, dialog_id, seq, by, now)) > 0

    async def remove(self, dialog_id: UUID, seq: int) -> bool:
        """Whether it was pinned."""
        status = await self._conn.execute(
            "DELETE FROM pinned_message WHERE dialog_id = $1 AND seq = $2", dialog_id, seq
        )
        return rows_affected(status) > 0
