"""Attachments as rows, and which messages show them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from chassis.postgres import OnConnection
from kernel.rows import object_of, rows_affected
from messaging.core.adapters.ending_store import HAS_ENDED
from messaging.core.adapters.hold_store import FILE_IS_HELD
from messaging.core.adapters.open_channel_reads import OPEN_TO
from messaging.core.domain.attachment import UNUSED_LIFE, Attachment

COLUMNS: Final = (
    "attachment_id, owner_id, purpose, file_name, media_type, size_bytes, offset_bytes, status, sha256, "
    "sha256_expected, width, height, thumbnails, attempts, created_at, expires_at"
)
_ONE: Final = f"SELECT {COLUMNS} FROM attachment WHERE attachment_id = $1"
_A_COLUMNS: Final = ", ".join(f"a.{name.strip()}" for name in COLUMNS.split(","))
_SEEN: Final = """
    EXISTS (SELECT FROM attachment_use u JOIN member m ON m.dialog_id = u.dialog_id
            WHERE u.attachment_id = a.attachment_id AND m.user_id = {who} AND m.status IN ('active', 'muted')
              AND u.seq >= (SELECT greatest(d.oldest_seq, CASE WHEN d.history_from = 'join' THEN m.joined_seq END)
                            FROM dialog d WHERE d.dialog_id = u.dialog_id)
              AND NOT EXISTS (SELECT FROM hidden_message h
                              WHERE h.user_id = {who} AND h.dialog_id = u.dialog_id AND h.seq = u.seq))
"""
_SEEN_FROM_OUTSIDE: Final = f"""
    EXISTS (SELECT FROM attachment_use u JOIN dialog d USING (dialog_id)
            WHERE u.attachment_id = a.attachment_id AND u.seq >= d.oldest_seq AND {OPEN_TO})
"""
_SENDABLE: Final = f"""
    SELECT t.sender_id, {_A_COLUMNS} FROM unnest($1::uuid[], $2::uuid[]) AS t (sender_id, wanted)
    JOIN attachment a ON a.attachment_id = t.wanted
    WHERE a.status = 'clean' AND (
        a.owner_id = t.sender_id OR {_SEEN.format(who="t.sender_id")}
        OR {_SEEN_FROM_OUTSIDE.format(who="t.sender_id")})
    FOR SHARE OF a
"""
_VISIBLE: Final = f"""
    SELECT {_A_COLUMNS} FROM attachment a
    WHERE a.attachment_id = $1
      AND (a.owner_id = $2 OR {_SEEN.format(who="$2")} OR {_SEEN_FROM_OUTSIDE.format(who="$2")} OR EXISTS (
        SELECT FROM member m JOIN dialog d USING (dialog_id)
        WHERE m.user_id = $2 AND m.status IN ('active', 'muted') AND d.avatar_attachment_id = a.attachment_id)
        OR EXISTS (SELECT FROM dialog d WHERE d.avatar_attachment_id = a.attachment_id AND {OPEN_TO.format(who="$2")}))
      AND NOT EXISTS (SELECT FROM account a WHERE a.user_id = $2 AND {HAS_ENDED})
"""
_OF_MESSAGES: Final = f"""
    SELECT u.dialog_id, u.seq, {_A_COLUMNS} FROM unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq)
    JOIN attachment_use u ON u.dialog_id = t.dialog_id AND u.seq = t.seq JOIN attachment a USING (attachment_id)
    ORDER BY u.dialog_id, u.seq, u.place
"""
_LOCK_OF_MESSAGE: Final = """
    SELECT a.attachment_id FROM attachment a JOIN attachment_use u USING (attachment_id)
    WHERE u.dialog_id = $1 AND u.seq = $2 ORDER BY a.attachment_id FOR UPDATE OF a
"""
_END_UNUSED: Final = """
    UPDATE attachment a SET status = 'deleted', file_name = '-', next_attempt_at = NULL
    WHERE a.attachment_id = ANY($1)
      AND NOT EXISTS (SELECT FROM attachment_use u WHERE u.attachment_id = a.attachment_id)
      AND NOT EXISTS (SELECT FROM dialog d WHERE d.avatar_attachment_id = a.attachment_id)
"""
_IS_GONE: Final = f"""
    NOT objects_gone AND created_at < $1::timestamptz - interval '10 minutes' AND NOT {FILE_IS_HELD} AND (
        status IN ('infected', 'rejected', 'expired', 'deleted')
        OR (status = 'uploading' AND expires_at < $1::timestamptz - interval '10 minutes')
        OR (status = 'clean' AND created_at < $2::timestamptz
            AND NOT EXISTS (SELECT FROM attachment_use u WHERE u.attachment_id = a.attachment_id)
            AND NOT EXISTS (SELECT FROM dialog d WHERE d.avatar_attachment_id = a.attachment_id)))
"""
_GONE: Final = f"SELECT attachment_id FROM attachment a WHERE {_IS_GONE} ORDER BY created_at LIMIT $3"
_END_GONE: Final = f"""
    UPDATE attachment a SET next_attempt_at = NULL,
        status = CASE WHEN status IN ('clean', 'uploading') THEN 'expired' ELSE status END
    WHERE attachment_id = $3 AND {_IS_GONE} RETURNING thumbnails
"""
_CLAIM_DUE: Final = f"""
    WITH due AS (SELECT attachment_id AS id FROM attachment WHERE next_attempt_at <= $1
                 ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED)
    UPDATE attachment SET next_attempt_at = $2 FROM due WHERE attachment_id = due.id RETURNING {COLUMNS}
"""
_SET_CLEAN: Final = """
    UPDATE attachment SET status = 'clean', sha256 = $2, width = coalesce($3, width), height = coalesce($4, height),
        thumbnails = CASE WHEN $5::integer[] = '{}' THEN thumbnails ELSE $5 END,
        clean_at = coalesce(clean_at, $6), next_attempt_at = $7, attempts = 0
    WHERE attachment_id = $1 AND status IN ('scanning', 'clean')
"""


class AttachmentStore(OnConnection):
    async def add(self, new: Attachment) -> None:
        await self._conn.execute(
            "INSERT INTO attachment (attachment_id, owner_id, purpose, file_name, media_type, size_bytes, "
            "sha256_expected, status, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'uploading', $8, $9)",
            *(new.attachment_id, new.owner_id, new.purpose, new.file_name, new.media_type, new.size_bytes),
            *(new.sha256_expected, new.created_at, new.expires_at),
        )

    async def uploading_count(self, owner_id: UUID) -> int:
        return int(
            await self._conn.fetchval(
                "SELECT count(*) FROM attachment WHERE owner_id = $1 AND status = 'uploading' AND expires_at > now()",
                owner_id,
            )
        )

    async def lock(self, attachment_id: UUID) -> Attachment | None:
        return _of(await self._conn.fetchrow(f"{_ONE} FOR UPDATE", attachment_id))

    async def visible_to(self, attachment_id: UUID, viewer_id: UUID) -> Attachment | None:
        """The owner's own, one in a message the viewer can see, or the picture of a dialog they are in or may read.

        Whoever has ended sees nothing, also by a link that was made before.
        """
        return _of(await self._conn.fetchrow(_VISIBLE, attachment_id, viewer_id))

    async def find(self, attachment_id: UUID) -> Attachment | None:
        return _of(await self._conn.fetchrow(_ONE, attachment_id))

    async def move_offset(self, attachment_id: UUID, offset_bytes: int) -> None:
        await self._conn.execute(
            "UPDATE attachment SET offset_bytes = $2 WHERE attachment_id = $1", attachment_id, offset_bytes
        )

    async def begin_scan(self, attachment_id: UUID, now: datetime) -> None:
        await self._conn.execute(
            "UPDATE attachment SET status = 'scanning', next_attempt_at = $2, expires_at = NULL "
            "WHERE attachment_id = $1",
            *(attachment_id, now),
        )

    async def set_status(self, attachment_id: UUID, status: str, verdict: str = "") -> None:
        await self._conn.execute(
            "UPDATE attachment SET status = $2, verdict = $3, next_attempt_at = NULL WHERE attachment_id = $1",
            *(attachment_id, status, verdict),
        )

    async def set_clean(
        self,
        attachment_id: UUID,
        *,
        sha256: bytes,
        size: tuple[int, int] | None,
        thumbnails: Sequence[int],
        again_at: datetime | None,
        now: datetime,
    ) -> bool:
        """False when it was ended or erased meanwhile. ``again_at``: when it is scanned once more."""
        width, height = size or (None, None)
        status = await self._conn.execute(
            _SET_CLEAN, *(attachment_id, sha256, width, height, list(thumbnails), now, again_at)
        )
        return rows_affected(status) == 1

    async def put_off(self, attachment_id: UUID, until: datetime) -> None:
        """No verdict yet."""
        await self._conn.execute(
            "UPDATE attachment SET attempts = attempts + 1, next_attempt_at = $2 WHERE attachment_id = $1",
            *(attachment_id, until),
        )

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> list[Attachment]:
        """Those to look at now; another process takes them only after ``until``, should this one die."""
        rows = await self._conn.fetch(_CLAIM_DUE, now, until, limit)
        return [each for each in map(_of, rows) if each is not None]

    async def sendable(self, wanted: Iterable[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Attachment]:
        """(sender, attachment) → those that the sender may put into a message now."""
        pairs = list(set(wanted))
        if not pairs:
            return {}
        rows = await self._conn.fetch(_SENDABLE, [each[0] for each in pairs], [each[1] for each in pairs])
        found = {(row["sender_id"], row["attachment_id"]): _of(row) for row in rows}
        return {key: each for key, each in found.items() if each is not None}

    async def tie(self, uses: Sequence[tuple[UUID, UUID, int, int]]) -> None:
        """(attachment, dialog, seq, place): the message shows it."""
        await self._conn.executemany(
            "INSERT INTO attachment_use (attachment_id, dialog_id, seq, place) VALUES ($1, $2, $3, $4)", uses
        )

    async def untie(self, dialog_id: UUID, seq: int) -> None:
        """A message that is deleted takes its files along, those that nothing else shows: no link opens them any more.

        Who puts one of them into another message at the same time holds its row until that is committed.
        """
        shown = [row["attachment_id"] for row in await self._conn.fetch(_LOCK_OF_MESSAGE, dialog_id, seq)]
        if shown:
            await self._conn.execute("DELETE FROM attachment_use WHERE dialog_id = $1 AND seq = $2", dialog_id, seq)
            await self._conn.execute(_END_UNUSED, shown)

    async def shown(self, keys: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], list[dict[str, Any]]]:
        found: dict[tuple[UUID, int], list[dict[str, Any]]] = {}
        for row in await self._conn.fetch(_OF_MESSAGES, [each[0] for each in keys], [each[1] for each in keys]):
            attachment = _of(row)
            if attachment is not None:
                found.setdefault((row["dialog_id"], row["seq"]), []).append(attachment.shown())
        return found

    async def messages_with(self, attachment_id: UUID) -> list[tuple[UUID, int]]:
        rows = await self._conn.fetch(
            "SELECT dialog_id, seq FROM attachment_use WHERE attachment_id = $1 ORDER BY dialog_id, seq", attachment_id
        )
        return [(row["dialog_id"], row["seq"]) for row in rows]

    async def to_remove(self, now: datetime, limit: int) -> list[UUID]:
        """What nobody can get any more, or never used, and no legal hold keeps."""
        return [row["attachment_id"] for row in await self._conn.fetch(_GONE, now, now - UNUSED_LIFE, limit)]

    async def end_gone(self, attachment_id: UUID, now: datetime) -> tuple[int, ...] | None:
        """Its thumbnails, when it is still to be removed: nobody can use it after the commit. None: it is used now."""
        await self._conn.execute("SELECT FROM attachment WHERE attachment_id = $1 FOR UPDATE", attachment_id)
        thumbnails = await self._conn.fetchval(_END_GONE, now, now - UNUSED_LIFE, attachment_id)
        return None if thumbnails is None else tuple(thumbnails)

    async def note_removed(self, attachment_id: UUID) -> None:
        await self._conn.execute("UPDATE attachment SET objects_gone = true WHERE attachment_id = $1", attachment_id)


def _of(row: asyncpg.Record | None) -> Attachment | None:
    if row is None:
        return None
    return object_of(Attachment, row, thumbnails=tuple(row["thumbnails"]))
