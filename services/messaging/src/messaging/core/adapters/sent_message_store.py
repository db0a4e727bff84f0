"""Ids under which clients sent messages, by which a retry is told from another message."""

from __future__ import annotations

from datetime import datetime

from chassis.postgres import OnConnection


class SentMessageStore(OnConnection):
    async def forget_before(self, at: datetime) -> None:
        """Those of messages that were sent before then."""
        await self._conn.execute("DELETE FROM sent_message WHERE created_at < $1", at)
