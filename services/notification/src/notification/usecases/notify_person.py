"""Tell a person one thing, once, over every channel its rule names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from kernel.ids import derived_id
from notification.domain.delivery import Delivery
from notification.domain.ids import DeliveryId, NotificationId, UserId
from notification.domain.notification import Channel, Notification
from notification.domain.rules import RULES
from notification.usecases.ports import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyPerson:
    """``source_id`` is the fact's own id; the notification's id is derived from it, so a repeat changes nothing."""

    source_id: UUID
    user_id: UserId
    notification_type: str
    action_url: str = ""
    params: Mapping[str, object] = field(default_factory=dict)


async def notify_person(command: NotifyPerson, tx: Tx) -> None:
    """Write the notification, its deliveries and the event that says so: all, or none."""
    rule, now = RULES[command.notification_type], tx.now
    notification = Notification(
        notification_id=NotificationId(derived_id(command.source_id, f"{command.notification_type}:{command.user_id}")),
        user_id=command.user_id,
        notification_type=command.notification_type,
        category=rule.category,
        priority=rule.priority,
        dedupe_key=f"{command.notification_type}:{command.source_id}",
        action_url=command.action_url,
        params=command.params,
        created_at=now,
        expires_at=now + rule.lifetime,
    )
    if not await tx.notifications.add(notification):
        return
    for channel in sorted(rule.channels - {Channel.IN_APP}):
        await tx.deliveries.add(_delivery(notification, channel, now + rule.lifetime))
    tx.events.notification_created(notification)


def _delivery(notification: Notification, channel: Channel, expires_at: datetime) -> Delivery:
    return Delivery(
        delivery_id=DeliveryId(derived_id(notification.notification_id, channel)),
        notification_id=notification.notification_id,
        user_id=notification.user_id,
        channel=channel,
        priority=notification.priority,
        message_type=notification.notification_type,
        params=notification.params,
        created_at=notification.created_at,
        expires_at=expires_at,
    )
