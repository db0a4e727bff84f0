"""What the node asks of the tables: who may watch, type and look.

Invariant: whoever is given a dialog here is a present member of it at the moment of the read, or it is public.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import Database
from kernel.rows import object_of
from messaging.core.adapters.contact_reads import BLOCKED
from messaging.core.adapters.dialog_store import DialogStore
from messaging.core.adapters.ending_store import HAS_ENDED
from messaging.core.adapters.stream_reads import WATCH_COLUMNS, StreamRows
from messaging.core.domain.dialog import DialogNotFoundError
from messaging.core.domain.permissions import Act
from messaging.core.domain.stream import Watch

WATCHED_MAX: Final = 1000
CROWD: Final = 1000
"""Channels with more members than this are watched only when asked for."""
_WATCHED: Final = f"""
    SELECT u.user_id, coalesce(a.last_account_seq, 0) AS account_seq, w.*
    FROM unnest($1::uuid[]) AS u (user_id)
    LEFT JOIN account a USING (user_id)
    LEFT JOIN LATERAL (
        SELECT {WATCH_COLUMNS} FROM member m JOIN dialog d USING (dialog_id)
        WHERE m.user_id = u.user_id AND m.status IN ('active', 'muted')
          AND NOT (d.kind = 'channel' AND d.member_count > {CROWD})
        ORDER BY d.last_at DESC LIMIT {WATCHED_MAX}
    ) AS w ON true
"""
_HEARERS: Final = f"""
    SELECT m.user_id FROM dialog d JOIN member m USING (dialog_id)
    WHERE d.dialog_id = $1 AND d.member_count <= $3 AND m.status IN ('active', 'muted') AND m.user_id <> $2
      AND NOT {BLOCKED.format(one="m.user_id", other="$2")}
"""
_VISIBLE: Final = f"""
    SELECT p.viewer_id, p.user_id, a.last_seen_at,
           NOT b.blocked AND (p.viewer_id = p.user_id OR a.presence_to = 'everyone'
               OR (a.presence_to = 'friends' AND f.friends)) AS presence,
           NOT b.blocked AND (p.viewer_id = p.user_id OR a.last_seen_to = 'everyone'
               OR (a.last_seen_to = 'friends' AND f.friends)) AS last_seen
    FROM unnest($1::uuid[], $2::uuid[]) AS p (viewer_id, user_id)
    JOIN account a ON a.user_id = p.user_id AND NOT {HAS_ENDED}
    CROSS JOIN LATERAL (SELECT EXISTS (
        SELECT FROM friendship x WHERE x.user_id = p.user_id AND x.friend_id = p.viewer_id AND x.active) AS friends) f
    CROSS JOIN LATERAL (SELECT EXISTS (
        SELECT FROM block x WHERE x.active AND (
            (x.blocker_id = p.user_id AND x.blocked_id = p.viewer_id)
            OR (x.blocker_id = p.viewer_id AND x.blocked_id = p.user_id))) AS blocked) b
"""


@dataclass(frozen=True, slots=True)
class ConnectSnapshot:
    """Where somebody stands when they connect."""

    account_seq: int
    watches: Sequence[Watch]


@dataclass(frozen=True, slots=True)
class Visible:
    """What one person may see of another's presence."""

    presence: bool
    last_seen_at: datetime | None


class WatchReads:
    """Each call takes a connection of the pool for as long as it lasts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def connect_snapshots(self, user_ids: Sequence[UUID]) -> Sequence[ConnectSnapshot]:
        """One for each: the latest ``WATCHED_MAX`` dialogs they are in, without the big channels."""
        async with self._database.read() as conn:
            rows = await conn.fetch(_WATCHED, list(set(user_ids)))
        account_seqs: dict[UUID, int] = {}
        watches: defaultdict[UUID, list[Watch]] = defaultdict(list)
        for row in rows:
            account_seqs[row["user_id"]] = row["account_seq"]
            if row["dialog_id"] is not None:
                watches[row["user_id"]].append(object_of(Watch, row))
        return [ConnectSnapshot(account_seqs[each], watches[each]) for each in user_ids]

    async def watches(self, user_id: UUID, dialog_ids: Sequence[UUID]) -> Sequence[Watch]:
        """Those of them that the person may watch."""
        async with self._database.read() as conn:
            return await StreamRows(conn).watched_by(user_id, dialog_ids)

    async def may_type(self, dialog_id: UUID, user_id: UUID, now: datetime) -> bool:
        """Whether they could send a message now."""
        async with self._database.read() as conn:
            dialog = await DialogStore(conn).find(dialog_id)
            member = await DialogStore(conn).find_member(dialog_id, user_id)
        if dialog is None:
            raise DialogNotFoundError
        dialog.require(member, Act.SEND, now)
        return True

    async def hearers(self, dialog_id: UUID, user_id: UUID, *, members_max: int) -> frozenset[UUID]:
        """Who is told what a member does: the other members that no block parts from them; nobody in a crowd."""
        async with self._database.read() as conn:
            rows = await conn.fetch(_HEARERS, dialog_id, user_id, members_max)
        return frozenset(row["user_id"] for row in rows)

    async def visible(self, pairs: Sequence[tuple[UUID, UUID]]) -> dict[tuple[UUID, UUID], Visible]:
        """What viewers may see of others; a pair that is missing shows nothing."""
        async with self._database.read() as conn:
            rows = await conn.fetch(_VISIBLE, [each[0] for each in pairs], [each[1] for each in pairs])
        return {
            (row["viewer_id"], row["user_id"]): Visible(
                row["presence"], row["last_seen_at"] if row["last_seen"] else None
            )
            for row in rows
        }

    async def remember_seen(self, user_ids: Sequence[UUID], now: datetime) -> None:
        """They were here just now."""
        async with self._database.begin() as conn:
            await conn.execute(
                "UPDATE account SET last_seen_at = $2 WHERE user_id = ANY($1) "
                "AND (last_seen_at IS NULL OR last_seen_at < $2::timestamptz - interval '50 seconds')",
                *(list(user_ids), now),
            )
