"""What lifecycle hears from auth: accounts that have ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

from contracts.values import moment_of
from eventing import Message
from messaging.adapters.transaction import MessagingTx
from messaging.lifecycle.usecases.end_account import EndAccount, end_account
from sampan.auth.v1.user_pb2 import UserDeleted


async def on_user_deleted(message: Message[UserDeleted], tx: MessagingTx) -> None:
    """They are gone for everybody at once; their words are erased much later."""
    body = message.body
    ended_at = moment_of(body.deleted_at) if body.HasField("deleted_at") else message.time
    await end_account(EndAccount(user_id=UUID(body.user_id), ended_at=ended_at), tx)


def erasure_after(grace: timedelta) -> Callable[[Message[UserDeleted], MessagingTx], Awaitable[None]]:
    """A handler that has what somebody wrote erased ``grace`` after their account ended."""

    async def on_user_deleted_erase(message: Message[UserDeleted], tx: MessagingTx) -> None:
        """The account can no longer sign in; what it wrote goes when nobody can want it back any more."""
        at = moment_of(message.body.deleted_at) + grace
        await tx.erasures.request_erasure(UUID(message.body.user_id), "account_deleted", tx.now, at)

    return on_user_deleted_erase
