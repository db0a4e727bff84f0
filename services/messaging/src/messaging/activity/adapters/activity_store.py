"""The activity feed: rows of one person's own, and one row for all where everybody was called.

A mention of all in a dialog of 100,000 writes one row; each reader finds it by being in the dialog. Invariant: who is
blocked, and what a person does not want to hear of, is left out; a dialog one has left, and a message one deleted for
oneself, shows nothing any more, nor does a message of before one's own time where that is not for newcomers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import orjson

from chassis.postgres import OnConnection
from kernel.rows import columns_of, rows_affected
from messaging.activity.domain.activity import (
    PERSONAL,
    UNCONDITIONAL,
    UNREAD_COUNTED_MAX,
    Activity,
    ActivityType,
    ForAll,
)
from messaging.core.adapters.contact_reads import BLOCKED
from messaging.core.adapters.ending_store import HAS_ENDED

_NOTHING: Final = UUID(int=0)
_HIDDEN: Final = """
    EXISTS (SELECT FROM hidden_message h WHERE h.user_id = {user} AND h.dialog_id = {dialog} AND h.seq = {seq})
"""
# Of a message at {seq}, to the member m of the dialog d; what is about no message is seen by whoever is in.
_SEEN: Final = """
    ({seq} IS NULL OR {seq} >= greatest(d.oldest_seq, CASE WHEN d.history_from = 'join' THEN m.joined_seq END))
"""
# What a message is to one person: one row, whether it names them, calls all of them or answers them (ACT-1).
_OF_MESSAGE: Final = """
    EXISTS (SELECT FROM activity o WHERE o.user_id = {user} AND o.dialog_id = {dialog} AND o.seq = {seq}
                                     AND o.type IN ('mention', 'reply'))
"""
_ADD: Final = f"""
    INSERT INTO activity (user_id, activity_id, type, dedupe_key, actor_id, dialog_id, seq, payload, created_at)
    SELECT t.user_id, t.activity_id, t.type, t.dedupe_key, t.actor_id, t.dialog_id, t.seq, t.payload::jsonb, t.at
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::text[],
                $9::timestamptz[])
         AS t (user_id, activity_id, type, dedupe_key, actor_id, dialog_id, seq, payload, at)
    LEFT JOIN member m ON m.dialog_id = t.dialog_id AND m.user_id = t.user_id AND m.status IN ('active', 'muted')
    LEFT JOIN dialog d ON d.dialog_id = m.dialog_id
    WHERE t.user_id IS DISTINCT FROM t.actor_id
      AND NOT {BLOCKED.format(one="t.user_id", other="t.actor_id")}
      AND (t.dialog_id IS NULL OR (m.user_id IS NOT NULL AND {_SEEN.format(seq="t.seq")}))
      AND (t.type = ANY($10) OR m.notification_level = 'all'
           OR (m.notification_level = 'mentions' AND t.type = ANY($11)))
      AND (t.type = ANY($10) OR m.silent_until IS NULL OR m.silent_until <= t.at)
      AND NOT (t.type IN ('mention', 'reply')
               AND {_OF_MESSAGE.format(user="t.user_id", dialog="t.dialog_id", seq="t.seq")})
      AND NOT EXISTS (SELECT FROM account a WHERE a.user_id = t.user_id AND ({HAS_ENDED} OR a.is_bot))
    ORDER BY t.user_id, t.dedupe_key
    ON CONFLICT (user_id, dedupe_key) DO NOTHING
"""
_REMOVE: Final = """
    DELETE FROM activity USING unnest($1::uuid[], $2::text[]) AS t (user_id, dedupe_key)
    WHERE activity.user_id = t.user_id AND activity.dedupe_key = t.dedupe_key
"""
_ADD_FOR_ALL: Final = """
    INSERT INTO activity_for_all (dialog_id, activity_id, seq, target, actor_id, created_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[], $6::timestamptz[])
    ON CONFLICT DO NOTHING
"""
_REMOVE_OF_MESSAGES: Final = """
    WITH personal AS (
        DELETE FROM activity USING unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq)
        WHERE activity.dialog_id = t.dialog_id AND activity.seq = t.seq
    )
    DELETE FROM activity_for_all USING unnest($1::uuid[], $2::bigint[]) AS t (dialog_id, seq)
    WHERE activity_for_all.dialog_id = t.dialog_id AND activity_for_all.seq = t.seq
"""
# $1 the person, $2 ids below, $3 unread only, $4 a type or NULL, $5 how many
_OWN: Final = f"""
    SELECT a.activity_id, a.type, a.actor_id, a.dialog_id, a.seq, a.payload, a.created_at,
           a.read_at IS NOT NULL OR a.activity_id <= c.read_upto AS read
    FROM cursor c CROSS JOIN activity a
    WHERE a.user_id = $1 AND a.activity_id < $2 AND ($4::text IS NULL OR a.type = $4)
      AND NOT ($3 AND (a.read_at IS NOT NULL OR a.activity_id <= c.read_upto))
      AND (a.dialog_id IS NULL OR EXISTS (
          SELECT FROM member m JOIN dialog d USING (dialog_id)
          WHERE m.dialog_id = a.dialog_id AND m.user_id = $1 AND m.status IN ('active', 'muted')
            AND {_SEEN.format(seq="a.seq")}))
      AND NOT {BLOCKED.format(one="a.user_id", other="a.actor_id")}
      AND NOT {_HIDDEN.format(user="a.user_id", dialog="a.dialog_id", seq="a.seq")}
    ORDER BY a.activity_id DESC LIMIT $5
"""
_FOR_ALL: Final = f"""
    SELECT f.activity_id, 'mention', f.actor_id, m.dialog_id, f.seq, jsonb_build_object('target', f.target),
           f.created_at, f.activity_id <= c.read_upto
    FROM cursor c CROSS JOIN member m JOIN dialog d USING (dialog_id) CROSS JOIN LATERAL (
        SELECT * FROM activity_for_all x
        WHERE x.dialog_id = m.dialog_id AND x.activity_id < $2 AND x.target IN ('@all', '@' || m.role)
          AND x.seq >= greatest(m.joined_seq, d.oldest_seq) AND x.actor_id <> m.user_id
          AND NOT ($3 AND x.activity_id <= c.read_upto)
          AND (m.silent_until IS NULL OR m.silent_until <= x.created_at)
          AND NOT {BLOCKED.format(one="m.user_id", other="x.actor_id")}
          AND NOT {_HIDDEN.format(user="m.user_id", dialog="m.dialog_id", seq="x.seq")}
          AND NOT {_OF_MESSAGE.format(user="m.user_id", dialog="x.dialog_id", seq="x.seq")}
        ORDER BY x.activity_id DESC LIMIT $5
    ) AS f
    WHERE m.user_id = $1 AND m.status IN ('active', 'muted') AND m.notification_level <> 'none'
      AND coalesce($4::text, 'mention') = 'mention'
"""
_BOTH: Final = f"""
    WITH cursor AS (
        SELECT coalesce((SELECT read_upto FROM activity_cursor WHERE user_id = $1), '{_NOTHING}') AS read_upto
    )
    SELECT * FROM (({_OWN}) UNION ALL ({_FOR_ALL})) AS both_kinds ORDER BY activity_id DESC LIMIT $5
"""
_READ_OWN: Final = """
    UPDATE activity SET read_at = $3 WHERE user_id = $1 AND activity_id = ANY($2) AND read_at IS NULL
      AND activity_id > coalesce((SELECT read_upto FROM activity_cursor WHERE user_id = $1), $4)
"""
_READ_FOR_ALL: Final = f"""
    INSERT INTO activity (user_id, activity_id, type, dedupe_key, actor_id, dialog_id, seq, payload, created_at,
                          read_at)
    SELECT $1, f.activity_id, 'mention', 'all:' || f.dialog_id || ':' || f.seq || ':' || f.target, f.actor_id,
           f.dialog_id, f.seq, jsonb_build_object('target', f.target), f.created_at, $3
    FROM member m JOIN activity_for_all f USING (dialog_id)
    WHERE m.user_id = $1 AND m.status IN ('active', 'muted') AND f.activity_id = ANY($2) AND f.seq >= m.joined_seq
      AND f.target IN ('@all', '@' || m.role) AND f.actor_id <> $1
      AND NOT {_OF_MESSAGE.format(user="$1", dialog="f.dialog_id", seq="f.seq")}
    ON CONFLICT DO NOTHING
"""
_READ_UPTO: Final = """
    INSERT INTO activity_cursor (user_id, read_upto) VALUES ($1, $2)
    ON CONFLICT (user_id) DO UPDATE SET read_upto = greatest(activity_cursor.read_upto, excluded.read_upto)
"""
LAST: Final = UUID(int=2**128 - 1)


class ActivityStore(OnConnection):
    async def add(self, activities: Sequence[Activity]) -> None:
        """Those that the people want to hear of; what is there already stays as it is."""
        if not activities:
            return
        await self._conn.execute(
            _ADD,
            *columns_of(activities, "user_id", "activity_id", "type.value", "dedupe_key"),
            *columns_of(activities, "actor_id", "dialog_id", "seq"),
            [orjson.dumps(each.payload).decode() for each in activities],
            [each.created_at for each in activities],
            sorted(UNCONDITIONAL),
            sorted(PERSONAL),
        )

    async def remove(self, keys: Sequence[tuple[UUID, str]]) -> None:
        """By person and dedupe_key."""
        if keys:
            await self._conn.execute(_REMOVE, [each[0] for each in keys], [each[1] for each in keys])

    async def add_for_all(self, rows: Sequence[ForAll]) -> None:
        if rows:
            await self._conn.execute(
                _ADD_FOR_ALL, *columns_of(rows, "dialog_id", "activity_id", "seq", "target", "actor_id", "created_at")
            )

    async def remove_of_messages(self, messages: Sequence[tuple[UUID, int]]) -> None:
        """Whatever these messages told anybody."""
        if messages:
            await self._conn.execute(
                _REMOVE_OF_MESSAGES, [each[0] for each in messages], [each[1] for each in messages]
            )

    async def page(
        self, user_id: UUID, *, below: UUID | None, unread_only: bool, kind: ActivityType | None, limit: int
    ) -> list[asyncpg.Record]:
        """Newest first."""
        return list(await self._conn.fetch(_BOTH, user_id, below or LAST, unread_only, kind and kind.value, limit))

    async def unread(self, user_id: UUID) -> int:
        """Stops counting at ``UNREAD_COUNTED_MAX``."""
        rows = f"SELECT count(*) FROM ({_BOTH}) AS unread"
        return int(await self._conn.fetchval(rows, user_id, LAST, True, None, UNREAD_COUNTED_MAX))

    async def mark_read(self, user_id: UUID, ids: Sequence[UUID], now: datetime) -> int:
        """How many of these became read."""
        own = await self._conn.execute(_READ_OWN, user_id, list(ids), now, _NOTHING)
        for_all = await self._conn.execute(_READ_FOR_ALL, user_id, list(ids), now)
        return rows_affected(own) + rows_affected(for_all)

    async def mark_read_upto(self, user_id: UUID, last: UUID) -> int:
        """Everything up to this id, in one row; returns how many were unread, counted like the count."""
        before = await self.unread(user_id)
        await self._conn.execute(_READ_UPTO, user_id, last)
        return before - await self.unread(user_id)
