"""Tell people one thing each, once, over every channel its rule names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from kernel.correlation import InFlow, same_flow
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
    await notify_people([command], tx)


async def notify_people(commands: Sequence[NotifyPerson], tx: Tx, in_flow: InFlow = same_flow) -> None:
    """The same for many, in as many statements as for one. ``in_flow``: the flow of each source, for its event."""
    wanted = {
        notification.notification_id: (notification, command) for notification, command in _made(commands, tx.now)
    }
    added = await tx.notifications.add([notification for notification, _ in wanted.values()])
    told = [each for notification_id, each in wanted.items() if notification_id in added]
    await tx.deliveries.add([delivery for notification, _ in told for delivery in _deliveries(notification)])
    for notification, command in told:
        with in_flow(command.source_id):
            tx.events.notification_created(notification)


def _made(commands: Sequence[NotifyPerson], now: datetime) -> Iterator[tuple[Notification, NotifyPerson]]:
    for command in commands:
        rule = RULES[command.notification_type]
        told_id = derived_id(command.source_id, f"{command.notification_type}:{command.user_id}")
        yield (
            Notification(
                notification_id=NotificationId(told_id),
                user_id=command.user_id,
                notification_type=command.notification_type,
                category=rule.category,
                priority=rule.priority,
                dedupe_key=f"{command.notification_type}:{command.source_id}",
                action_url=command.action_url,
                params=command.params,
                created_at=now,
                expires_at=now + rule.lifetime,
            ),
            command,
        )


def _deliveries(notification: Notification) -> Iterator[Delivery]:
    for channel in sorted(RULES[notification.notification_type].channels - {Channel.IN_APP}):
        yield Delivery(
            delivery_id=DeliveryId(derived_id(notification.notification_id, channel)),
            notification_id=notification.notification_id,
            user_id=notification.user_id,
            channel=channel,
            priority=notification.priority,
            message_type=notification.notification_type,
            params=notification.params,
            created_at=notification.created_at,
            expires_at=notification.expires_at,
        )
