"""Tell a person one thing, once, over every channel its rule names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from kernel.ids import derived_id
from notification.domain.delivery import Delivery
from notification.domain.notification import Channel, Notification
from notification.domain.rules import RULES
from notification.usecases.ports import NotificationTx
from sampan.notification.v1.notification_pb2 import NotificationCreated


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """``source_id`` is the fact's own id; the notification's id is derived from it, so a repeat changes nothing."""

    source_id: UUID
    user_id: UUID
    notification_type: str
    now: datetime
    action_url: str = ""
    params: Mapping[str, object] = field(default_factory=dict)


async def notify(cmd: Notify, tx: NotificationTx) -> None:
    """Write the notification, its deliveries and the event that says so: all, or none."""
    rule = RULES[cmd.notification_type]
    notification_id = derived_id(cmd.source_id, f"{cmd.notification_type}:{cmd.user_id}")
    notification = Notification(
        notification_id=notification_id,
        user_id=cmd.user_id,
        notification_type=cmd.notification_type,
        category=rule.category,
        priority=rule.priority,
        dedupe_key=f"{cmd.notification_type}:{cmd.source_id}",
        action_url=cmd.action_url,
        params=cmd.params,
        created_at=cmd.now,
        expires_at=cmd.now + rule.lifetime,
    )
    if not await tx.notifications.add(notification):
        return
    for channel in sorted(rule.channels - {Channel.IN_APP}):
        await tx.deliveries.add(_delivery(notification, channel))
    created_at = Timestamp()
    created_at.FromDatetime(cmd.now)
    tx.outbox.add(
        NotificationCreated(
            notification_id=str(notification_id),
            user_id=str(cmd.user_id),
            notification_type=cmd.notification_type,
            category=rule.category,
            priority=rule.priority,
            action_url=cmd.action_url,
            created_at=created_at,
        )
    )


def _delivery(notification: Notification, channel: Channel) -> Delivery:
    assert notification.expires_at is not None  # noqa: S101 -- every rule has a lifetime
    return Delivery(
        delivery_id=derived_id(notification.notification_id, channel),
        notification_id=notification.notification_id,
        user_id=notification.user_id,
        channel=channel,
        priority=notification.priority,
        message_type=notification.notification_type,
        params=notification.params,
        created_at=notification.created_at,
        expires_at=notification.expires_at,
    )
