"""Everything a person wrote or did, read page by page in an order that does not change while it is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection, OnConnection
from messaging.core.adapters.message_reads import MESSAGE_COLUMNS, document_of
from sealing import PersonKeys, opened_text

PAGE: Final = 500
_DIALOGS: Final = """
    SELECT d.dialog_id, d.kind, d.title, m.role, m.status, m.joined_at, m.read_seq, m.pinned_at, m.archived_at,
           m.silent_until, m.notification_level
    FROM member m JOIN dialog d USING (dialog_id) WHERE m.user_id = $1 AND m.dialog_id > $2 ORDER BY 1 LIMIT $3
"""
_MESSAGES: Final = f"""
    SELECT {MESSAGE_COLUMNS} FROM message WHERE dialog_id = $2 AND sender_id = $1 AND seq > $3 ORDER BY seq LIMIT $4
"""
_REVISIONS: Final = """
    SELECT dialog_id, seq, version, sender_id, content, written_at FROM message_revision
    WHERE dialog_id = $2 AND sender_id = $1 AND seq > $3 ORDER BY seq, version LIMIT $4
"""
_IN_DIALOG: Final = {
    "reactions": "SELECT dialog_id, seq, emoji, created_at FROM reaction WHERE user_id = $1 AND dialog_id = $2 "
    "AND seq > $3 ORDER BY seq LIMIT $4",
    "votes": "SELECT dialog_id, seq, option, voted_at FROM poll_vote WHERE user_id = $1 AND dialog_id = $2 "
    "AND seq > $3 ORDER BY seq LIMIT $4",
}
_FILES: Final = """
    SELECT attachment_id, purpose, file_name, media_type, size_bytes, width, height, encode(sha256, 'hex') AS sha256,
           created_at
    FROM attachment WHERE owner_id = $1 AND status = 'clean' AND attachment_id > $2 ORDER BY attachment_id LIMIT $3
"""
_SMALL: Final = {
    "account": "SELECT display_name, username, avatar_url, locale, direct_from, presence_to, last_seen_to, "
    "read_receipts, last_seen_at FROM account WHERE user_id = $1",
    "friends": "SELECT friend_id FROM friendship WHERE user_id = $1 AND active ORDER BY friend_id",
    "blocks": "SELECT blocked_id, changed_at FROM block WHERE blocker_id = $1 AND active ORDER BY blocked_id",
    "activity": "SELECT type, actor_id, dialog_id, seq, payload, created_at, read_at FROM activity "
    "WHERE user_id = $1 ORDER BY activity_id",
    "join_requests": "SELECT dialog_id, message, status, created_at FROM join_request WHERE user_id = $1 "
    "ORDER BY dialog_id",
    "bots": "SELECT bot_id, username, display_name, commands, webhook_url, created_at, deleted_at FROM bot "
    "WHERE owner_id = $1 ORDER BY bot_id",
    "invites": "SELECT invite_id, dialog_id, created_at, expires_at, uses_max, uses, revoked_at FROM invite "
    "WHERE created_by = $1 ORDER BY invite_id",
    "reports": "SELECT dialog_id, seq, user_id, reason, detail, status, created_at FROM report "
    "WHERE reporter_id = $1 ORDER BY report_id",
}
_DRAFTS: Final = """
    SELECT user_id, dialog_id, content, reply_to_seq, version, updated_at FROM draft
    WHERE user_id = $1 AND (thrown_away_at IS NULL OR updated_at > thrown_away_at) ORDER BY dialog_id
"""
Rows = AsyncIterator[Mapping[str, Any]]


class ExportRows(OnConnection):
    async def small_tables(self, user_id: UUID) -> AsyncIterator[tuple[str, Rows]]:
        """What is read in one go, by the name of its file."""
        for name, sql in _SMALL.items():
            yield name, self._cursor(sql, user_id)

    async def files(self, user_id: UUID) -> Rows:
        """What they uploaded, as far as it can be had."""
        async for row in self._by_id(_FILES, "attachment_id", user_id):
            yield row

    async def dialogs(self, user_id: UUID) -> Rows:
        """Dialogs they are or were in."""
        async for row in self._by_id(_DIALOGS, "dialog_id", user_id):
            yield row

    async def acts(self, name: str, user_id: UUID, dialog_id: UUID) -> Rows:
        """``reactions`` or ``votes``."""
        async for row in self._by_seq(_IN_DIALOG[name], user_id, dialog_id):
            yield dict(row)

    async def _by_id(self, sql: str, column: str, user_id: UUID) -> Rows:
        after = UUID(int=0)
        while True:
            rows = await self._conn.fetch(sql, user_id, after, PAGE)
            for row in rows:
                yield dict(row)
            if len(rows) < PAGE:
                return
            after = rows[-1][column]

    async def _by_seq(self, sql: str, user_id: UUID, dialog_id: UUID) -> AsyncIterator[Any]:
        after, size = 0, PAGE
        while True:
            rows = await self._conn.fetch(sql, user_id, dialog_id, after, size)
            # A page may end among the rows of one message: they are read with the next page, which starts at it.
            whole = rows if len(rows) < size else [row for row in rows if row["seq"] < rows[-1]["seq"]]
            for row in whole:
                yield row
            if len(rows) < size:
                return
            after, size = (whole[-1]["seq"], PAGE) if whole else (after, size * 2)

    async def _cursor(self, sql: str, user_id: UUID) -> Rows:
        for row in await self._conn.fetch(sql, user_id):
            yield dict(row)


class ExportReads(ExportRows):
    def __init__(self, conn: Connection, keys: PersonKeys) -> None:
        super().__init__(conn)
        self._keys = keys

    async def messages(self, user_id: UUID, dialog_id: UUID) -> Rows:
        """What they wrote in a dialog, as everybody sees it."""
        async for row in self._by_seq(_MESSAGES, user_id, dialog_id):
            yield document_of(self._keys, row)

    async def revisions(self, user_id: UUID, dialog_id: UUID) -> Rows:
        """What their messages said before they were edited."""
        async for row in self._by_seq(_REVISIONS, user_id, dialog_id):
            place = {name: row[name] for name in ("dialog_id", "seq", "version")}
            yield {**dict(row), "content": opened_text(self._keys, user_id, row["content"], **place)}

    async def sealed(self, user_id: UUID) -> AsyncIterator[tuple[str, Rows]]:
        """Drafts and scheduled messages: sealed under their own key."""

        async def opened(sql: str, column: str) -> Rows:
            for row in await self._conn.fetch(sql, user_id):
                yield {**dict(row), column: opened_text(self._keys, user_id, row[column], exported=row["dialog_id"])}

        yield "drafts", opened(_DRAFTS, "content")
        yield "scheduled", opened("SELECT * FROM scheduled_message WHERE user_id = $1 ORDER BY scheduled_id", "body")
