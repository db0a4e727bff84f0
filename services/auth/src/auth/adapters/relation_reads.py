"""People as others see them: cards, lists of relations, suggestions."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from auth.domain.card import Card, card_for
from auth.domain.ids import UserId
from auth.domain.relation import RelationKind
from auth.domain.settings import Audience
from chassis.postgres import Connection
from kernel.country import Country

_LIST: Final = """
SELECT {other} AS user_id, r.since, u.name, u.username, u.country, u.show_profile_to,
       EXISTS (SELECT FROM relation f WHERE f.kind = 'friend' AND f.active
               AND f.from_id = $2 AND f.to_id = {other}) AS friends
FROM relation r JOIN user_account u ON u.id = {other}
WHERE r.kind = $1 AND r.{mine} = $2 AND r.active AND u.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM relation b WHERE b.kind = 'block' AND b.active
                  AND b.from_id = {other} AND b.to_id = $2)
  AND ($3::timestamptz IS NULL OR (r.since, {other}) < ($3, $4::uuid))
ORDER BY r.since DESC, {other} DESC LIMIT $5
"""
_SUGGESTED: Final = """
SELECT f2.to_id AS user_id, u.name, u.username, u.country, u.show_profile_to, false AS friends,
       count(*) AS mutual_friends
FROM relation f1 JOIN relation f2 ON f2.kind = 'friend' AND f2.active AND f2.from_id = f1.to_id
JOIN user_account u ON u.id = f2.to_id AND u.deleted_at IS NULL AND u.show_profile_to = 'everyone'
WHERE f1.kind = 'friend' AND f1.active AND f1.from_id = $1 AND f2.to_id <> $1
  AND NOT EXISTS (SELECT FROM relation x WHERE x.active AND x.kind IN ('friend', 'block')
                  AND x.from_id = $1 AND x.to_id = f2.to_id)
  AND NOT EXISTS (SELECT FROM relation x WHERE x.active AND x.kind = 'block'
                  AND x.from_id = f2.to_id AND x.to_id = $1)
  AND NOT EXISTS (SELECT FROM friend_request q WHERE q.status = 'pending'
                  AND ((q.from_id = $1 AND q.to_id = f2.to_id) OR (q.to_id = $1 AND q.from_id = f2.to_id)))
GROUP BY f2.to_id, u.name, u.username, u.country, u.show_profile_to ORDER BY mutual_friends DESC, f2.to_id LIMIT $2
"""
_CARD: Final = """
SELECT u.id AS user_id, u.name, u.username, u.country, u.show_profile_to,
       EXISTS (SELECT FROM relation f WHERE f.kind = 'friend' AND f.active
               AND f.from_id = $1 AND f.to_id = $2) AS friends
FROM user_account u WHERE u.id = $2 AND u.deleted_at IS NULL
  AND NOT EXISTS (SELECT FROM relation b WHERE b.kind = 'block' AND b.active AND b.from_id = $2 AND b.to_id = $1)
"""


async def related_people(
    conn: Connection,
    kind: RelationKind,
    user_id: UserId,
    *,
    incoming: bool = False,
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[tuple[Card, datetime]]:
    """The others and since when, newest first. ``incoming``: who stands so to this person."""
    other, mine = ("r.from_id", "to_id") if incoming else ("r.to_id", "from_id")
    at, last = before or (None, None)
    rows = await conn.fetch(_LIST.format(other=other, mine=mine), kind, user_id, at, last, limit)
    return [(_card_of(row, user_id), row["since"]) for row in rows]


async def suggested_friends(conn: Connection, user_id: UserId, limit: int) -> list[tuple[Card, int]]:
    """Friends of friends with the number of friends in common, those with the most first."""
    rows = await conn.fetch(_SUGGESTED, user_id, limit)
    return [(_card_of(row, user_id), row["mutual_friends"]) for row in rows]


async def find_card(conn: Connection, viewer_id: UserId, user_id: UserId) -> Card | None:
    """None for an unknown person, and for one who blocks the viewer."""
    row = await conn.fetchrow(_CARD, viewer_id, user_id)
    return _card_of(row, viewer_id) if row else None


def _card_of(row: asyncpg.Record, viewer_id: UserId) -> Card:
    return card_for(
        user_id=UserId(row["user_id"]),
        name=row["name"],
        username=row["username"],
        country=Country(row["country"]),
        show_profile_to=Audience(row["show_profile_to"]),
        viewer_id=viewer_id,
        friends=row["friends"],
    )
