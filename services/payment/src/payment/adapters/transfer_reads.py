"""Transfers between people, as either of the two sees them."""

from __future__ import annotations

from typing import Any, Final

from chassis.postgres import Connection
from payment.domain.ids import TransferId, UserId

_TRANSFER: Final = """
    SELECT t.id, t.amount_minor, t.currency, t.note, t.at, d.user_id AS sender_id, c.user_id AS recipient_id
    FROM transfer t JOIN account d ON d.id = t.debit_id JOIN account c ON c.id = t.credit_id
    WHERE t.id = $1 AND t.kind = 1 AND $2 IN (d.user_id, c.user_id)
"""
Row = Any


async def transfer(conn: Connection, user_id: UserId, transfer_id: TransferId) -> Row | None:
    """A transfer that the user sent or received."""
    return await conn.fetchrow(_TRANSFER, transfer_id, user_id)
