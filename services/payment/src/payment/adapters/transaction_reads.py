"""A wallet's transactions as its owner sees them, of two sources.

What is completed as it begins (money sent, received, charged, returned) is read from the books: a posting and its
transfer. What takes its time (a top-up, a purchase that is authorised first) has a row of ``wallet_transaction``, which
changes. Rows of it that the version before wrote of transfers are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from chassis.postgres import Connection
from payment.domain.ids import UserId, WalletId
from payment.domain.ledger import TransferKind

_WAITING: Final = """
    SELECT id, wallet_id, created_at, type, status, amount_minor, currency, balance_after_minor, completed_at,
           reference_id, counterpart_user_id, description, failure_code
    FROM wallet_transaction
    WHERE wallet_id = $1 AND user_id = $2 AND (created_at, id) < ($3, $4::uuid) AND type NOT IN ('send', 'receive')
      AND ($5::text IS NULL OR type = $5) AND ($6::text IS NULL OR status = $6)
    ORDER BY created_at DESC, id DESC LIMIT $7
"""
# Down the key of posting, a transfer each, until there are enough: OFFSET 0 keeps the planner from joining all of them.
_BOOKED: Final = """
    SELECT t.id, p.account_id AS wallet_id, t.at AS created_at, p.amount_minor AS change_minor, t.kind,
           'completed' AS status, t.amount_minor, t.currency, p.balance_after_minor, t.at AS completed_at,
           t.reference_id, t.counterpart_user_id, t.note AS description, '' AS failure_code, p.version
    FROM posting p CROSS JOIN LATERAL (
        SELECT t.*, CASE WHEN t.kind = 1 THEN other.user_id END AS counterpart_user_id
        FROM transfer t
        JOIN account other ON other.id = CASE WHEN p.amount_minor < 0 THEN t.credit_id ELSE t.debit_id END
        WHERE t.id = p.transfer_id OFFSET 0) t
    WHERE p.account_id = $1 AND p.version < $2 AND t.kind = ANY ($3::smallint[])
      AND ($4::int IS NULL OR sign(p.amount_minor) = $4)
    ORDER BY p.version DESC LIMIT $5
"""
# Type by kind of transfer and direction.
_TYPES: Final = {
    (TransferKind.TRANSFER, -1): "send",
    (TransferKind.TRANSFER, 1): "receive",
    (TransferKind.CHARGE, -1): "purchase",
    (TransferKind.RETURN, 1): "refund",
}
Row = Mapping[str, Any]


class Position(NamedTuple):
    """What was shown so far: of one source what is not older, of the other what has no smaller version."""

    created_at: datetime
    id: UUID
    version: int


NEWEST: Final = Position(datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1), 2**63 - 1)


async def waiting_transactions(
    conn: Connection,
    user_id: UserId,
    wallet_id: WalletId,
    *,
    before: Position,
    kind: str | None,
    status: str | None,
    limit: int,
) -> Sequence[Row]:
    """At most ``limit`` of those with a row of their own, newest first."""
    rows = await conn.fetch(_WAITING, wallet_id, user_id, before.created_at, before.id, kind, status, limit)
    return list(map(dict, rows))


async def booked_transactions(
    conn: Connection,
    wallet_id: WalletId,
    *,
    before: Position,
    kind: str | None,
    status: str | None,
    limit: int,
) -> Sequence[Row]:
    """At most ``limit`` of those that the books show, newest first. The wallet is the caller's own."""
    wanted = [key for key, name in _TYPES.items() if kind in {None, name}]
    if not wanted or status not in {None, "completed"}:
        return []
    kinds, direction = [each for each, _ in wanted], wanted[0][1] if len(wanted) == 1 else None
    rows = await conn.fetch(_BOOKED, wallet_id, before.version, kinds, direction, limit)
    return [{**row, "type": _TYPES[row["kind"], 1 if row["change_minor"] > 0 else -1]} for row in rows]


def newest_first(
    waiting: Sequence[Row], booked: Sequence[Row], *, before: Position, limit: int
) -> list[tuple[Row, Position]]:
    """The first ``limit`` of both by their time, each with the position after it."""
    return list(islice(_positioned(waiting, booked, before), limit))


def _positioned(waiting: Sequence[Row], booked: Sequence[Row], position: Position) -> Iterator[tuple[Row, Position]]:
    for row in merge(waiting, booked, key=_newest, reverse=True):
        if "version" in row:
            position = position._replace(version=row["version"])
        else:
            position = position._replace(created_at=row["created_at"], id=row["id"])
        yield row, position


def _newest(row: Row) -> tuple[datetime, UUID]:
    return row["created_at"], row["id"]
