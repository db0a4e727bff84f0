"""Which holds are due. Everything else about holds is the ledger's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from chassis.postgres import OnConnection
from payment.domain.ids import HoldId
from payment.usecases.ports import EXPIRE_HOLDS

_DUE: Final = """
    SELECT id FROM hold h
    WHERE state = 'authorized' AND expires_at <= $1 AND NOT EXISTS (
        SELECT 1 FROM job_failure f WHERE f.job = $3 AND f.item_id = h.id::text AND f.next_attempt_at > $1)
    ORDER BY expires_at LIMIT $2
"""


class HoldStore(OnConnection):
    async def due(self, now: datetime, *, count: int) -> Sequence[HoldId]:
        """Open holds past their time, oldest first; not locked: the ledger decides each.

        Without those that failed and rest.
        """
        return [row["id"] for row in await self._conn.fetch(_DUE, now, count, EXPIRE_HOLDS)]
