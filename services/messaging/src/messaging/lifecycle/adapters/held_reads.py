"""All that a dialog under legal hold has, page by page: rows nobody else is shown, opened with keys set aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from chassis.postgres import Connection, OnConnection
from messaging.core.adapters.message_reads import MESSAGE_COLUMNS, content_of
from sealing import PersonKeys

PAGE: Final = 200
_MESSAGES: Final = f"SELECT {MESSAGE_COLUMNS} FROM message WHERE dialog_id = $1 AND seq > $2 ORDER BY seq LIMIT $3"
_VERSIONS: Final = """
    SELECT DISTINCT ON (seq, version) seq, version, sender_id, content, written_at FROM (
        SELECT seq, version, sender_id, content, written_at FROM message_revision
        WHERE dialog_id = $1 AND seq = ANY($2)
        UNION ALL SELECT seq, version, sender_id, content, written_at FROM held_message
        WHERE dialog_id = $1 AND seq = ANY($2)) AS both_kinds
    ORDER BY seq, version
"""
_FILES: Final = """
    SELECT f.seq, f.place, a.attachment_id, coalesce(h.file_name, a.file_name) AS file_name, a.owner_id, a.media_type,
           a.size_bytes, a.status, encode(a.sha256, 'hex') AS sha256
    FROM (SELECT dialog_id, seq, place, attachment_id FROM attachment_use WHERE dialog_id = $1 AND seq = ANY($2)
          UNION SELECT dialog_id, seq, place, attachment_id FROM held_file WHERE dialog_id = $1 AND seq = ANY($2)) AS f
    JOIN attachment a USING (attachment_id) LEFT JOIN held_file h USING (dialog_id, seq, place)
    ORDER BY f.seq, f.place
"""
_MEMBERS: Final = """
    SELECT m.user_id, m.role, m.status, m.joined_at, m.joined_seq, m.ended_seq, a.display_name, a.username, a.erased_at
    FROM member m LEFT JOIN account a USING (user_id) WHERE m.dialog_id = $1 AND m.user_id > $2
    ORDER BY m.user_id LIMIT $3
"""
Row = Mapping[str, Any]


class HeldKeys(PersonKeys):
    """Also those that a hold set aside when their people were erased. Only the export of a held dialog has one."""

    SELECT: ClassVar[str] = (
        "SELECT user_id, coalesce(k.wrapped_key, h.wrapped_key) AS wrapped_key "
        "FROM person_key k LEFT JOIN held_key h USING (user_id) WHERE user_id = ANY($1)"
    )


@dataclass(frozen=True, slots=True)
class HeldFile:
    seq: int
    attachment_id: UUID
    file_name: str
    facts: Row


class HeldRows(OnConnection):
    async def is_held(self, dialog_id: UUID) -> bool | None:
        """None: there is no such dialog."""
        held: bool | None = await self._conn.fetchval("SELECT legal_hold FROM dialog WHERE dialog_id = $1", dialog_id)
        return held

    async def about(self, dialog_id: UUID) -> dict[str, Any]:
        row = await self._conn.fetchrow(
            "SELECT dialog_id, kind, title, description, created_by, created_at, last_seq, oldest_seq FROM dialog "
            "WHERE dialog_id = $1",
            dialog_id,
        )
        return {} if row is None else dict(row)

    async def members_page(self, dialog_id: UUID, after: UUID) -> Sequence[Row]:
        return await self._conn.fetch(_MEMBERS, dialog_id, after, PAGE)


class HeldReads(HeldRows):
    def __init__(self, conn: Connection[Any], keys: PersonKeys) -> None:
        super().__init__(conn)
        self._keys = keys

    async def messages_page(self, dialog_id: UUID, after_seq: int) -> tuple[list[dict[str, Any]], list[HeldFile]]:
        """Messages with all their versions, also below what the dialog still shows, and the files in them."""
        rows = await self._conn.fetch(_MESSAGES, dialog_id, after_seq, PAGE)
        seqs = [row["seq"] for row in rows]
        versions = await self._conn.fetch(_VERSIONS, dialog_id, seqs)
        await self._keys.load(self._conn, {row["sender_id"] for row in (*rows, *versions)})
        by_seq: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in versions:
            said = {name: row[name] for name in ("version", "written_at")}
            by_seq[row["seq"]].append({**said, "content": content_of(self._keys, row)})
        files = [
            HeldFile(row["seq"], row["attachment_id"], row["file_name"], dict(row))
            for row in await self._conn.fetch(_FILES, dialog_id, seqs)
        ]
        return [_document(self._keys, row, by_seq[row["seq"]]) for row in rows], files


def _document(keys: PersonKeys, row: Row, versions: list[dict[str, Any]]) -> dict[str, Any]:
    """``unreadable``: there are words, and no key of their writer was set aside."""
    content = content_of(keys, row)
    sealed = row["content"] is not None and content is None
    return {
        **dict(row),
        "content": content,
        "versions": versions,
        "unreadable": sealed or any(each["content"] is None for each in versions),
    }
