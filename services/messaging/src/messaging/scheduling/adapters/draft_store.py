"""Drafts as rows: the text sealed under its writer's key."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import Connection
from kernel.rows import object_of
from messaging.core.adapters import draft_store as core
from messaging.core.adapters.draft_store import DRAFT_IS_THERE
from messaging.scheduling.domain.draft import Draft
from sealing import PersonKeys, opened_text

_UPSERT: Final = """
    INSERT INTO draft (user_id, dialog_id, content, reply_to_seq, version, updated_at)
    VALUES ($1, $2, $3, $4, 1, $5)
    ON CONFLICT (user_id, dialog_id) DO UPDATE SET content = excluded.content, reply_to_seq = excluded.reply_to_seq,
        version = draft.version + 1, updated_at = excluded.updated_at, thrown_away_at = NULL
    RETURNING version
"""
_ALL: Final = f"""
    SELECT dialog_id, content, reply_to_seq, version, updated_at FROM draft d
    WHERE user_id = $1 AND {DRAFT_IS_THERE} AND EXISTS (
        SELECT FROM member m
        WHERE m.dialog_id = d.dialog_id AND m.user_id = d.user_id AND m.status IN ('active', 'muted'))
    ORDER BY updated_at DESC LIMIT 1000
"""


class DraftStore(core.DraftStore):
    async def upsert(
        self, user_id: UUID, dialog_id: UUID, sealed: bytes, reply_to_seq: int | None, now: datetime
    ) -> int:
        """Its version."""
        return int(await self._conn.fetchval(_UPSERT, user_id, dialog_id, sealed, reply_to_seq, now))

    async def version(self, user_id: UUID, dialog_id: UUID) -> int:
        """Of the draft, one that was thrown away too; 0 when there never was one."""
        last: int | None = await self._conn.fetchval(
            "SELECT version FROM draft WHERE user_id = $1 AND dialog_id = $2", user_id, dialog_id
        )
        return last or 0


class DraftReads:
    def __init__(self, conn: Connection, keys: PersonKeys) -> None:
        self._conn = conn
        self._keys = keys

    async def of_person(self, user_id: UUID) -> list[Draft]:
        """All of a person's drafts where they are in, the newest first; not those that do not open."""
        rows = await self._conn.fetch(_ALL, user_id)
        await self._keys.load(self._conn, [user_id])
        opened = [(row, opened_text(self._keys, user_id, row["content"], draft_in=row["dialog_id"])) for row in rows]
        return [object_of(Draft, row, text=text) for row, text in opened if text is not None]
