"""Drafts as far as others than their writer end them."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection

# A version of the service that does not know the column writes over it, and the draft is there again.
DRAFT_IS_THERE: Final = "(thrown_away_at IS NULL OR updated_at > thrown_away_at)"
_THROW_AWAY: Final = f"""
    UPDATE draft SET content = '', reply_to_seq = NULL, version = version + 1, updated_at = $3, thrown_away_at = $3
    WHERE user_id = $1 AND dialog_id = $2 AND {DRAFT_IS_THERE} RETURNING version
"""


class DraftStore(OnConnection):
    async def empty(self, user_id: UUID, dialog_id: UUID, now: datetime) -> int | None:
        """Its version as one that is thrown away; None when there is no draft."""
        version: int | None = await self._conn.fetchval(_THROW_AWAY, user_id, dialog_id, now)
        return version
