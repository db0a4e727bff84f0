"""Sending a scheduled message: held while it waits, noted as sent in the commit that stores it (MSG-12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from messaging.core.domain.message import SendMessage
from messaging.core.usecases.ports import Tx


async def hold_waiting(scheduled_ids: Sequence[UUID], tx: Tx) -> frozenset[UUID]:
    """Those of them that wait to be sent; until the commit nobody calls them back."""
    if not scheduled_ids:
        return frozenset()
    rows = await tx.conn.fetch(
        "SELECT scheduled_id FROM scheduled_message WHERE scheduled_id = ANY($1) AND status = 'pending' "
        "ORDER BY scheduled_id FOR UPDATE",
        scheduled_ids,
    )
    return frozenset(row["scheduled_id"] for row in rows)


async def note_stored(stored: Sequence[tuple[SendMessage, int]], tx: Tx) -> None:
    """These, which are held, are stored at these seqs in this transaction."""
    if not stored:
        return
    await tx.conn.execute(
        "UPDATE scheduled_message s SET status = 'sent', seq = t.seq, body = '' "
        "FROM unnest($1::uuid[], $2::bigint[]) AS t (scheduled_id, seq) WHERE s.scheduled_id = t.scheduled_id",
        [command.client_message_id for command, _ in stored],
        [seq for _, seq in stored],
    )
    for command, seq in stored:
        told = {"scheduled_id": command.client_message_id, "failure_code": "", "seq": seq}
        tell_scheduled(command.sender_id, command.dialog_id, tx, status="sent", **told)


def tell_scheduled(user_id: UUID, dialog_id: UUID, tx: Tx, **told: Any) -> None:
    """What it says is for nobody but those who fetch it: the account's stream is not sealed."""
    tx.accounts.change(user_id, "scheduled.changed", dialog_id=dialog_id, payload=told)
