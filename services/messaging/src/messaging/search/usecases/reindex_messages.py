"""Index messages anew, newest dialogs first, a page a transaction; may run beside the follower, and be repeated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from messaging.search.domain.blind import BlindIndex
from messaging.search.usecases.index_messages import index_messages
from messaging.search.usecases.ports import Begin

PAGE: Final = 500
_LAST: Final = UUID(int=2**128 - 1)
Progress = Callable[[int], None]


async def reindex_messages(dialog_id: UUID | None, begin: Begin, blind: BlindIndex, tell: Progress) -> int:
    """How many messages can be found. ``dialog_id``: only that dialog's. ``tell`` hears how far it has come."""
    count, below = 0, _LAST
    while True:
        async with begin() as tx:
            dialogs = await tx.search.dialogs_below(below, dialog_id, PAGE)
        for each in dialogs:
            count = await _reindex_dialog(each, begin, blind, tell, count)
        if len(dialogs) < PAGE:
            return count
        below = dialogs[-1]


async def _reindex_dialog(dialog_id: UUID, begin: Begin, blind: BlindIndex, tell: Progress, count: int) -> int:
    """``count`` and those of this dialog."""
    after = 0
    while True:
        async with begin() as tx:
            seqs = await tx.search.seqs_after(dialog_id, after, PAGE)
            count += await index_messages([(dialog_id, seq) for seq in seqs], tx, blind)
        tell(count)
        if len(seqs) < PAGE:
            return count
        after = seqs[-1]
