"""Index everything anew, newest dialogs first, a page a transaction; may run beside the follower, and be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from messaging.search.adapters.blind import BlindIndex
from messaging.search.usecases.index_messages import index_messages
from messaging.search.usecases.ports import Begin

PAGE: Final = 500
_LAST: Final = UUID(int=2**128 - 1)
_DIALOGS: Final = """
    SELECT dialog_id FROM dialog WHERE dialog_id < $1 AND ($2::uuid IS NULL OR dialog_id = $2)
    ORDER BY dialog_id DESC LIMIT $3
"""
_MESSAGES: Final = """
    SELECT seq FROM message m JOIN dialog d USING (dialog_id)
    WHERE m.dialog_id = $1 AND m.seq > $2 AND m.seq >= d.oldest_seq AND m.content IS NOT NULL ORDER BY m.seq LIMIT $3
"""


async def reindex(
    begin: Begin, blind: BlindIndex, tell: Callable[[int], None], *, dialog_id: UUID | None = None
) -> int:
    """How many messages can be found. ``tell`` hears how far it has come; ``dialog_id``: only that dialog."""
    count, below = 0, _LAST
    while True:
        async with begin() as tx:
            rows = await tx.conn.fetch(_DIALOGS, below, dialog_id, PAGE)
        for row in rows:
            count = await _dialog(begin, blind, tell, row["dialog_id"], count)
        if len(rows) < PAGE:
            return count
        below = rows[-1]["dialog_id"]


async def _dialog(begin: Begin, blind: BlindIndex, tell: Callable[[int], None], dialog_id: UUID, count: int) -> int:
    after = 0
    while True:
        async with begin() as tx:
            seqs = [row["seq"] for row in await tx.conn.fetch(_MESSAGES, dialog_id, after, PAGE)]
            count += await index_messages(tx.conn, tx.keys, blind, [(dialog_id, seq) for seq in seqs])
        tell(count)
        if len(seqs) < PAGE:
            return count
        after = seqs[-1]
