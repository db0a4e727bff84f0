"""Facts as Protobuf: the only writer of the outbox."""

from __future__ import annotations

from datetime import datetime

from contracts.values import timestamp_of
from eventing import Outbox
from notification.domain.delivery import Delivery, Ended
from notification.domain.notification import Notification
from sampan.notification.v1.notification_pb2 import NotificationCreated, NotificationDelivered


class Events:
    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def notification_created(self, notification: Notification) -> None:
        self._outbox.add(
            NotificationCreated(
                notification_id=str(notification.notification_id),
                user_id=str(notification.user_id),
                notification_type=notification.notification_type,
                category=notification.category,
                priority=notification.priority,
                action_url=notification.action_url,
                created_at=timestamp_of(notification.created_at),
            )
        )

    def notification_delivered(self, delivery: Delivery, ended: Ended, *, at: datetime) -> None:
        """Also when it failed: ``ended`` says how it ended."""
        self._outbox.add(
            NotificationDelivered(
                notification_id=str(delivery.notification_id),
                user_id=str(delivery.user_id),
                channel=delivery.channel,
                status=ended.status,
                failure_code=ended.failure_code,
                at=timestamp_of(at),
            )
        )
