"""Who may be written to: known people, not blocked either way, and open to the one who asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from chassis.postgres import OnConnection
from messaging.core.adapters.ending_store import HAS_ENDED
from messaging.core.domain.contact import Unreachable

# Of two, whether either blocks the other.
BLOCKED: Final = """
    EXISTS (SELECT FROM block b WHERE b.active AND ((b.blocker_id = {one} AND b.blocked_id = {other})
                                                OR (b.blocker_id = {other} AND b.blocked_id = {one})))
"""
_CONTACTS: Final = f"""
    SELECT t.user_id, a.user_id IS NULL AS unheard, coalesce({HAS_ENDED}, false) AS ended,
           EXISTS (SELECT FROM block b WHERE b.active AND ((b.blocker_id = t.user_id AND b.blocked_id = $1)
                                                       OR (b.blocker_id = $1 AND b.blocked_id = t.user_id))) AS blocked,
           a.direct_from = 'nobody' OR (a.direct_from = 'friends' AND NOT EXISTS (
               SELECT FROM friendship f WHERE f.user_id = t.user_id AND f.friend_id = $1 AND f.active)) AS closed
    FROM unnest($2::uuid[]) AS t (user_id) LEFT JOIN account a USING (user_id)
"""

_SEVERED: Final = f"""
    SELECT EXISTS (SELECT FROM member o LEFT JOIN block b
                       ON b.active AND ((b.blocker_id = o.user_id AND b.blocked_id = $2)
                                     OR (b.blocker_id = $2 AND b.blocked_id = o.user_id))
                   WHERE o.dialog_id = $1 AND o.user_id <> $2
                     AND (b.active OR o.status NOT IN ('active', 'muted')
                          OR EXISTS (SELECT FROM account a WHERE a.user_id = o.user_id AND {HAS_ENDED})))
"""


class ContactReads(OnConnection):
    async def unreachable(self, asker_id: UUID, people: Sequence[UUID], *, respect_privacy: bool) -> Unreachable:
        """``respect_privacy``: who may write to them unasked is for them to say; a shop is there to be written to."""
        rows = await self._conn.fetch(_CONTACTS, asker_id, list(people))
        return Unreachable(
            unknown=frozenset(row["user_id"] for row in rows if row["unheard"] or row["ended"]),
            ended=frozenset(row["user_id"] for row in rows if row["ended"]),
            blocked=frozenset(row["user_id"] for row in rows if row["blocked"] or (respect_privacy and row["closed"])),
        )

    async def is_pair_severed(self, dialog_id: UUID, user_id: UUID) -> bool:
        """Whether, of the two in a dialog, one blocks the other, or the other is not in any more or has ended."""
        return bool(await self._conn.fetchval(_SEVERED, dialog_id, user_id))
