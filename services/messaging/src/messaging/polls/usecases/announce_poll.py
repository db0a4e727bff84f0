"""Tell a dialog how a poll stands."""

from __future__ import annotations

from uuid import UUID

from messaging.core.domain.dialog import Dialog
from messaging.core.domain.poll import Poll
from messaging.polls.usecases.ports import Tx


async def announce_poll(dialog: Dialog, poll: Poll, user_id: UUID | None, tx: Tx) -> None:
    """Everybody gets the figures, not who voted. ``user_id``: who changed it, as far as that is shown."""
    place = (poll.dialog_id, poll.seq)
    shown = (await tx.polls.shown([place], None))[place]
    tx.stream.change(dialog, "poll.changed", actor_id=user_id, message_seq=poll.seq, payload={"poll": shown})
