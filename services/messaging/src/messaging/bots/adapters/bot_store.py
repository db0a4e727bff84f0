"""Bots and what they are to be told, as rows: tokens as hashes, webhook secrets sealed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg

from chassis.postgres import OnConnection
from kernel.rows import object_of, rows_affected
from messaging.bots.domain.bot import Backlog, Bot, Update, hash_token
from messaging.core.adapters import document_reads
from messaging.core.adapters.ending_store import HAS_ENDED
from messaging.core.adapters.unreadable_reads import What, note_unreadable

_COLUMNS: Final = (
    "bot_id, owner_id, username, display_name, commands, webhook_url, webhook_secret, failing_since, failures, "
    "last_update_id, created_at"
)
_COMMAND: Final = {"command", "description"}
# A bot lives no longer than its owner, whichever of the two ends is heard of first.
_LIVE: Final = f"deleted_at IS NULL AND NOT EXISTS (SELECT FROM account a WHERE a.user_id = owner_id AND {HAS_ENDED})"
_ADD: Final = """
    INSERT INTO bot (bot_id, owner_id, username, display_name, commands, token_hash, created_at)
    VALUES ($1, $2, $3, $4, $5::text::jsonb, $6, $7) ON CONFLICT (username) DO NOTHING
"""
_UPSERT_ACCOUNT: Final = """
    INSERT INTO account (user_id, display_name, username, is_bot) VALUES ($1, $2, $3, true)
    ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name
"""
_CLOSE: Final = """
    UPDATE bot SET deleted_at = coalesce(deleted_at, $2), webhook_url = NULL, webhook_secret = NULL
    WHERE bot_id = ANY($1)
"""
_BLANK_OF: Final = """
    UPDATE bot SET username = bot_id::text, display_name = '', commands = '[]' WHERE owner_id = $1 RETURNING bot_id
"""
_NO_FAILURES: Final = "failing_since = NULL, failures = 0, next_attempt_at = NULL"
_CLAIM_WEBHOOKS: Final = f"""
    UPDATE bot SET next_attempt_at = $2 WHERE bot_id IN (
        SELECT bot_id FROM bot b WHERE webhook_url IS NOT NULL AND {_LIVE}
          AND (next_attempt_at IS NULL OR next_attempt_at <= $1)
          AND EXISTS (SELECT FROM bot_update u WHERE u.bot_id = b.bot_id) LIMIT $3 FOR UPDATE SKIP LOCKED)
    RETURNING {_COLUMNS}
"""
_NOTE_FAILURE: Final = """
    UPDATE bot SET failures = failures + 1, failing_since = coalesce(failing_since, $2), next_attempt_at = $3
    WHERE bot_id = $1
"""
_LOCK_BACKLOGS: Final = f"""
    SELECT m.dialog_id, m.user_id AS bot_id, m.role, m.delivered_seq, d.kind, d.oldest_seq,
           CASE WHEN d.history_from = 'join' THEN greatest(m.joined_seq, d.oldest_seq) ELSE d.oldest_seq END AS from_seq
    FROM bot b JOIN member m ON m.user_id = b.bot_id JOIN dialog d USING (dialog_id)
    WHERE {_LIVE} AND m.status IN ('active', 'muted') AND d.last_seq > m.delivered_seq
    ORDER BY d.last_at LIMIT $1 FOR NO KEY UPDATE OF m SKIP LOCKED
"""
_ADD_UPDATES: Final = """
    WITH allotted AS (UPDATE bot SET last_update_id = last_update_id + $4 WHERE bot_id = $1 RETURNING last_update_id)
    INSERT INTO bot_update (bot_id, update_id, dialog_id, seq, created_at)
    SELECT $1, allotted.last_update_id - $4 + t.n, $2, t.seq, $5
    FROM allotted, unnest($3::bigint[]) WITH ORDINALITY AS t (seq, n)
"""
# The membership is the one of now: what waited while the bot was put out is not for it.
_UPDATES_AFTER: Final = """
    SELECT u.update_id, u.dialog_id, u.seq, s.from_seq
    FROM bot_update u LEFT JOIN LATERAL (
        SELECT greatest(d.oldest_seq, CASE WHEN d.history_from = 'join' THEN m.joined_seq END) AS from_seq
        FROM member m JOIN dialog d USING (dialog_id)
        WHERE m.dialog_id = u.dialog_id AND m.user_id = u.bot_id AND m.status IN ('active', 'muted')
    ) AS s ON true
    WHERE u.bot_id = $1 AND u.update_id > $2 ORDER BY u.update_id LIMIT $3
"""


class BotStore(OnConnection):
    async def add(self, bot: Bot, hashed: bytes) -> bool:
        """False when the username is taken."""
        added = await self._conn.execute(
            _ADD,
            *(bot.bot_id, bot.owner_id, bot.username, bot.display_name),
            *(document_reads.to_json(bot.commands).decode(), hashed, bot.created_at),
        )
        return rows_affected(added) > 0

    async def upsert_account(self, bot: Bot) -> None:
        """The bot as somebody who can be seen and written to."""
        await self._conn.execute(_UPSERT_ACCOUNT, bot.bot_id, bot.display_name, bot.username)

    async def describe(self, bot: Bot) -> None:
        """Its name and commands as they are now."""
        await self._conn.execute(
            "UPDATE bot SET display_name = $2, commands = $3::text::jsonb WHERE bot_id = $1",
            *(bot.bot_id, bot.display_name, document_reads.to_json(bot.commands).decode()),
        )

    async def find(self, bot_id: UUID) -> Bot | None:
        return _of(await self._conn.fetchrow(f"SELECT {_COLUMNS} FROM bot WHERE bot_id = $1 AND {_LIVE}", bot_id))

    async def find_by_token(self, token: str) -> Bot | None:
        query = f"SELECT {_COLUMNS} FROM bot WHERE token_hash = $1 AND {_LIVE}"
        return _of(await self._conn.fetchrow(query, hash_token(token)))

    async def of_owner(self, owner_id: UUID) -> list[Bot]:
        rows = await self._conn.fetch(
            f"SELECT {_COLUMNS} FROM bot WHERE owner_id = $1 AND {_LIVE} ORDER BY created_at", owner_id
        )
        return [bot for bot in map(_of, rows) if bot is not None]

    async def set_token(self, bot_id: UUID, hashed: bytes) -> None:
        await self._conn.execute("UPDATE bot SET token_hash = $2 WHERE bot_id = $1", bot_id, hashed)

    async def set_webhook(self, bot_id: UUID, url: str | None, secret: bytes | None) -> None:
        await self._conn.execute(
            f"UPDATE bot SET webhook_url = $2, webhook_secret = $3, {_NO_FAILURES} WHERE bot_id = $1",
            *(bot_id, url, secret),
        )

    async def close(self, bot_ids: Sequence[UUID], now: datetime) -> None:
        """Their tokens are worth nothing from now on; what they wrote stays."""
        await self._conn.execute(_CLOSE, list(bot_ids), now)
        await self._conn.execute("DELETE FROM bot_update WHERE bot_id = ANY($1)", list(bot_ids))

    async def close_of(self, owner_id: UUID, now: datetime) -> list[UUID]:
        """All that somebody has; which they are."""
        rows = await self._conn.fetch(
            "SELECT bot_id FROM bot WHERE owner_id = $1 AND deleted_at IS NULL ORDER BY bot_id FOR UPDATE", owner_id
        )
        bots = [row["bot_id"] for row in rows]
        await self.close(bots, now)
        return bots

    async def blank_of(self, owner_id: UUID) -> None:
        """For somebody who is erased: their bots, which have ended, lose the names and commands they were given."""
        bots = [row["bot_id"] for row in await self._conn.fetch(_BLANK_OF, owner_id)]
        await self._conn.execute("UPDATE account SET display_name = '', username = '' WHERE user_id = ANY($1)", bots)

    async def lock_backlogs(self, limit: int) -> list[Backlog]:
        """Places where bots have something to hear, their member rows locked, without those another process has."""
        return [
            object_of(Backlog, row, heard_seq=max(row["delivered_seq"], row["oldest_seq"] - 1))
            for row in await self._conn.fetch(_LOCK_BACKLOGS, limit)
        ]

    async def written_among(self, backlog: Backlog, seqs: Collection[int]) -> frozenset[int]:
        """Of these messages of the dialog, those that the bot wrote."""
        if not seqs:
            return frozenset()
        rows = await self._conn.fetch(
            "SELECT seq FROM message WHERE dialog_id = $1 AND sender_id = $2 AND seq = ANY($3)",
            *(backlog.dialog_id, backlog.bot_id, list(seqs)),
        )
        return frozenset(row["seq"] for row in rows)

    async def add_updates(self, backlog: Backlog, seqs: Sequence[int], heard_seq: int, now: datetime) -> None:
        """These events are told; everything up to ``heard_seq`` was looked at."""
        if seqs:
            await self._conn.execute(_ADD_UPDATES, backlog.bot_id, backlog.dialog_id, list(seqs), len(seqs), now)
        await self._conn.execute(
            "UPDATE member SET delivered_seq = $3 WHERE dialog_id = $1 AND user_id = $2",
            *(backlog.dialog_id, backlog.bot_id, heard_seq),
        )

    async def updates_after(self, bot_id: UUID, after_update_id: int, limit: int) -> list[Update]:
        """The next, those too that the bot may not see any more: they are to be passed over."""
        rows = await self._conn.fetch(_UPDATES_AFTER, bot_id, after_update_id, limit)
        return [object_of(Update, row) for row in rows]

    async def confirm(self, bot_id: UUID, update_id: int) -> None:
        """Updates up to this one are done with."""
        await self._conn.execute("DELETE FROM bot_update WHERE bot_id = $1 AND update_id <= $2", bot_id, update_id)

    async def claim_webhooks(self, now: datetime, until: datetime, limit: int) -> list[Bot]:
        """Bots with a webhook that may be called, and updates that wait; nobody else gets them ``until`` then."""
        rows = await self._conn.fetch(_CLAIM_WEBHOOKS, now, until, limit)
        return [bot for bot in map(_of, rows) if bot is not None]

    async def note_failure(self, bot_id: UUID, now: datetime, next_attempt_at: datetime) -> None:
        await self._conn.execute(_NOTE_FAILURE, bot_id, now, next_attempt_at)

    async def note_success(self, bot_id: UUID) -> None:
        await self._conn.execute(f"UPDATE bot SET {_NO_FAILURES} WHERE bot_id = $1", bot_id)

    async def forget_updates(self, before: datetime) -> None:
        """Nobody asked for them in time."""
        await self._conn.execute("DELETE FROM bot_update WHERE created_at < $1", before)


def _of(row: asyncpg.Record | None) -> Bot | None:
    return None if row is None else Bot(**{**dict(row), "commands": _commands_of(row)})


def _commands_of(row: asyncpg.Record) -> Sequence[Mapping[str, str]]:
    """None of them where they are of another shape: a bot is not held up by what it says it can do."""
    found = row["commands"]
    if isinstance(found, list) and all(map(_is_command, found)):
        return found
    note_unreadable(What.FIELD, field="commands", bot_id=row["bot_id"])
    return []


def _is_command(value: Any) -> bool:
    return (
        isinstance(value, dict) and value.keys() == _COMMAND and all(isinstance(each, str) for each in value.values())
    )
