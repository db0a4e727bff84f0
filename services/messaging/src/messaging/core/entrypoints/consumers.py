"""What core hears from auth: people, and what they let others see and do."""

from __future__ import annotations

from uuid import UUID

from contracts.values import moment_of
from eventing import Message
from messaging.adapters.transaction import MessagingTx
from messaging.core.domain.stream import PresenceVisibilityChanged
from messaging.core.usecases.follow_privacy import FollowPrivacy, follow_privacy
from messaging.core.usecases.reset_access import reset_access
from sampan.auth.v1.graph_pb2 import FriendshipEnded, FriendshipStarted, UserBlocked, UserPrivacyChanged, UserUnblocked
from sampan.auth.v1.user_pb2 import UserAccessReset, UserProfileChanged, UserRegistered


async def on_user_registered(message: Message[UserRegistered], tx: MessagingTx) -> None:
    """Somebody new can be written to, and seen by who looked at them before this was known."""
    await _upsert(message, tx)
    tx.hints.visibility_changed(PresenceVisibilityChanged(UUID(message.body.user_id)))


async def on_user_profile_changed(message: Message[UserProfileChanged], tx: MessagingTx) -> None:
    """Their name is shown as it is now."""
    await _upsert(message, tx)


async def on_user_access_reset(message: Message[UserAccessReset], tx: MessagingTx) -> None:
    """Somebody else may have made what acts in the person's name."""
    await reset_access(UUID(message.body.user_id), message.body.access_epoch, tx)


async def on_user_blocked(message: Message[UserBlocked], tx: MessagingTx) -> None:
    """Nothing goes between the two from now on."""
    await _set_block(message, tx, active=True)


async def on_user_unblocked(message: Message[UserUnblocked], tx: MessagingTx) -> None:
    await _set_block(message, tx, active=False)


async def on_friendship_started(message: Message[FriendshipStarted], tx: MessagingTx) -> None:
    """What is for friends is for them too."""
    await _set_friendship(message, tx, active=True)


async def on_friendship_ended(message: Message[FriendshipEnded], tx: MessagingTx) -> None:
    await _set_friendship(message, tx, active=False)


async def on_user_privacy_changed(message: Message[UserPrivacyChanged], tx: MessagingTx) -> None:
    body = message.body
    command = FollowPrivacy(
        user_id=UUID(body.user_id),
        version=body.version,
        presence_to=body.show_presence_to,
        direct_from=body.direct_messages_from,
        read_receipts=body.read_receipts,
        since=moment_of(body.at) if body.HasField("at") else message.time,
    )
    await follow_privacy(command, tx)


async def _set_block(message: Message[UserBlocked] | Message[UserUnblocked], tx: MessagingTx, *, active: bool) -> None:
    body = message.body
    blocker_id, blocked_id = UUID(body.blocker_id), UUID(body.blocked_id)
    await tx.people.set_block(blocker_id, blocked_id, body.version, message.time, active=active)
    tx.hints.visibility_changed(PresenceVisibilityChanged(blocker_id, blocked_id))
    tx.hints.visibility_changed(PresenceVisibilityChanged(blocked_id, blocker_id))


async def _set_friendship(
    message: Message[FriendshipStarted] | Message[FriendshipEnded], tx: MessagingTx, *, active: bool
) -> None:
    body = message.body
    user_id, friend_id = UUID(body.user_id), UUID(body.friend_id)
    await tx.people.set_friendship(user_id, friend_id, body.version, active=active)
    tx.hints.visibility_changed(PresenceVisibilityChanged(user_id, friend_id))
    tx.hints.visibility_changed(PresenceVisibilityChanged(friend_id, user_id))


async def _upsert(message: Message[UserRegistered] | Message[UserProfileChanged], tx: MessagingTx) -> None:
    user_id, version, body = UUID(message.body.user_id), message.aggregate_version or 0, message.body
    await tx.people.upsert(user_id, version, display_name=body.display_name, locale=body.locale)
