"""What messaging hears from other services: people, and what they say about themselves."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from eventing import Message, Subscriptions
from messaging.adapters.accounts import Account, keep_account
from messaging.adapters.transaction import MessagingTx
from sampan.auth.v1.user_pb2 import UserProfileChanged, UserRegistered

CONSUMER: Final = "messaging"
subscriptions: Final[Subscriptions[MessagingTx]] = Subscriptions(CONSUMER)


@subscriptions.on(UserRegistered)
async def on_user_registered(message: Message[UserRegistered], tx: MessagingTx) -> None:
    """Somebody new can be written to."""
    await keep_account(tx.conn, _account(message))


@subscriptions.on(UserProfileChanged)
async def on_user_profile_changed(message: Message[UserProfileChanged], tx: MessagingTx) -> None:
    """Their name is shown as it is now."""
    await keep_account(tx.conn, _account(message))


def _account(message: Message[UserRegistered] | Message[UserProfileChanged]) -> Account:
    body = message.body
    return Account(
        user_id=UUID(body.user_id),
        version=message.aggregate_version or 0,
        display_name=body.display_name,
        locale=body.locale,
    )
