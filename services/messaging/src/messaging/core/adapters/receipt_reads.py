"""Who has received and read a message, derived from cursors.

Whoever does not send read receipts does not see those of others, and is neither named nor counted among the readers:
where few are in a dialog, a count tells who read. What somebody read while they told nobody is not told later. Nor is
who blocks the viewer or is blocked by them. Who came after a message has not seen it, whatever their cursor says; who
read it, left and came back has, also where they may not look at it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from chassis.postgres import Connection

_NOT_BLOCKED: Final = """
    NOT EXISTS (SELECT FROM block b WHERE b.active AND ((b.blocker_id = m.user_id AND b.blocked_id = $3)
                                                    OR (b.blocker_id = $3 AND b.blocked_id = m.user_id)))
"""
_TELLS: Final = "m.read_untold_seq < $2 AND coalesce(a.read_receipts, true)"
_VIEWER_TELLS: Final = "coalesce((SELECT own.read_receipts FROM account own WHERE own.user_id = $3), true)"
_READ: Final = "(m.joined_seq <= $2 AND m.read_seq >= $2 OR m.read_before @> $2::bigint)"
_GOT: Final = "(m.joined_seq <= $2 AND m.delivered_seq >= $2 OR m.got_before @> $2::bigint)"
_COUNTS: Final = f"""
    SELECT count(*) FILTER (WHERE {_READ} AND {_TELLS} AND {_VIEWER_TELLS}) AS read,
           count(*) FILTER (WHERE {_GOT} OR ({_READ} AND {_TELLS} AND {_VIEWER_TELLS})) AS delivered
    FROM member m LEFT JOIN account a USING (user_id)
    WHERE m.dialog_id = $1 AND m.status IN ('active', 'muted') AND {_NOT_BLOCKED}
      AND m.user_id IS DISTINCT FROM (SELECT sender_id FROM message x WHERE x.dialog_id = $1 AND x.seq = $2)
"""
_PEOPLE: Final = f"""
    SELECT m.user_id, coalesce(a.display_name, '') AS display_name, m.read_at
    FROM member m LEFT JOIN account a USING (user_id)
    WHERE m.dialog_id = $1 AND m.status IN ('active', 'muted') AND {_READ} AND m.user_id <> $3
      AND {_NOT_BLOCKED}
      AND {_TELLS} AND {_VIEWER_TELLS}
      AND m.user_id IS DISTINCT FROM (SELECT sender_id FROM message x WHERE x.dialog_id = $1 AND x.seq = $2)
    ORDER BY m.read_at DESC NULLS LAST, m.user_id LIMIT $4
"""


@dataclass(frozen=True, slots=True)
class SeenBy:
    read_count: int
    delivered_count: int
    people: list[dict[str, Any]]


async def seen_by(conn: Connection, dialog_id: UUID, seq: int, *, viewer_id: UUID, limit: int) -> SeenBy:
    """Of the members other than the sender."""
    counts = await conn.fetchrow(_COUNTS, dialog_id, seq, viewer_id)
    people = await conn.fetch(_PEOPLE, dialog_id, seq, viewer_id, limit)
    return SeenBy(counts["read"] if counts else 0, counts["delivered"] if counts else 0, [dict(row) for row in people])
