"""What follows a dialog's stream after it was written: the search index and the activity feed.

It reads messaging's own public records, as a consumer of its own: the outbox has them if and only if the message is
there, so nothing is left out after a crash, the hot path writes nothing more, and a fault here holds up one dialog's
index and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from eventing import Message, Subscriptions
from messaging.adapters.transaction import MessagingTx
from messaging.usecases.index_messages import index_messages
from messaging.wiring import App
from sampan.messaging.v1.message_pb2 import MessageDeleted, MessageEdited, MessageSent

CONSUMER: Final = "messaging-follower"
_AT_ONCE: Final = 20


def follower(app: App) -> Subscriptions[MessagingTx]:
    """The follower's table of handlers."""
    subscriptions: Subscriptions[MessagingTx] = Subscriptions(CONSUMER)

    @subscriptions.on_batch(MessageSent, MessageEdited, MessageDeleted)
    async def on_messages(messages: Sequence[Message[Any]], tx: MessagingTx) -> None:
        """Index them as they are now, a few at a time: cutting words must not hold up the loop."""
        changed = sorted({_subject(each) for each in messages})
        for at in range(0, len(changed), _AT_ONCE):
            await index_messages(tx.conn, tx.keys, app.blind, changed[at : at + _AT_ONCE])
            await asyncio.sleep(0)

    return subscriptions


def _subject(message: Message[Any]) -> tuple[UUID, int]:
    body = message.body
    return UUID(body.dialog_id), body.seq if isinstance(body, MessageSent) else body.message_seq
